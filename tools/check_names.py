"""Check the names that users and maintainers read: functions are verbs, no old or vague word is left.

    python tools/check_names.py

Walks the syntax trees of ``src``, ``tests``, ``benchmarks`` and ``examples``, and the options of
every command. Prints ``file:line: rule: name`` for each finding and exits with 1 if there is one.
Linters cannot know that ``told`` says nothing: this list is the project's own.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import typer

from lrlab.cli.app import app

ROOT = Path(__file__).parents[1]
FOLDERS = ("src", "tests", "benchmarks", "examples", "tools")

# Past participles that do not end in -ed, and are no verbs in the present tense either.
IRREGULAR = frozenset(
    "begun bound broken built chosen done drawn driven fallen found frozen given gone grown held "
    "hidden kept known left lost made meant met paid said seen sent shown sought spent spoken "
    "stood taken taught thrown told torn understood won worn written".split()
)
# Words that end in -ed and are no participles.
VERBS_IN_ED = frozenset("embed exceed feed need proceed seed speed".split())
# Names of others that ours have to have.
GIVEN_NAMES = frozenset({"bound_method"})

# Words of before; a name or an option has none of them as one of its parts.
OLD_PARTS = frozenset(
    "accumulate asked doubt doubts drafts knots more_is_better less_is_better overlap reactive rival "
    "rivals rooms slips stranger strangers stirred widen widened widening widenings".split()
)
OLD_NAMES = frozenset(
    "Rate Shape Knots Piecewise RunningProduct running_product Changed LiveRun Misread Kind "
    "Sequence_ observed on_change keep_new keep_saved test_share epoch_steps guess".split()
)
OLD_OPTIONS = frozenset(
    "--as --clip --compile --csv --epoch-steps --file --goal --guess --json --less-is-better "
    "--num-gpus --parquet --per --png --save --steps --test --validation --what --widen".split()
)


def find_names(tree: ast.Module) -> Iterator[tuple[int, str, str]]:
    """Yield line, kind (function, class, argument) and name of everything that is defined."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield node.lineno, "class", node.name
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if not is_property(node):
                yield node.lineno, "function", node.name
            for argument in [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]:
                yield argument.lineno, "argument", argument.arg


def is_property(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a function is read as a noun: a property, a fixture, a setter."""
    return any("property" in (text := ast.unparse(d)) or "fixture" in text or "setter" in text
               for d in function.decorator_list)


def find_faults(kind: str, name: str) -> Iterator[str]:
    """Yield each rule that a name breaks."""
    parts = name.strip("_").lower().split("_")
    if kind == "function" and not name.startswith(("test_", "__")):
        first = parts[0]
        if first in IRREGULAR or (re.fullmatch(r"\w+ed", first) and first not in VERBS_IN_ED):
            yield "a function is a verb, not a past participle"
    if kind != "class" and "of" in parts and not name.startswith("test_"):
        yield "no x_of or of_x"
    if name in OLD_NAMES or OLD_PARTS.intersection(parts):
        yield "an old name"


def main() -> int:
    """Print all findings; return the exit code."""
    findings = []
    for folder in FOLDERS:
        for file in sorted((ROOT / folder).rglob("*.py")):
            for line, kind, name in find_names(ast.parse(file.read_text())):
                if name in GIVEN_NAMES:
                    continue
                findings += [
                    f"{file.relative_to(ROOT)}:{line}: {rule}: {name}"
                    for rule in find_faults(kind, name)
                ]
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    for command, options in ((name, c.params) for name, c in commands.items()):
        for option in options:
            findings += [
                f"lrlab {command}: an old option: {text}"
                for text in (*option.opts, *option.secondary_opts)
                if text in OLD_OPTIONS
            ]
    print("\n".join(findings))
    return bool(findings)


if __name__ == "__main__":
    sys.exit(main())
