"""Check names: functions are verbs, and no old word is left in code or on the command line.

    python tools/check_names.py

Walks the syntax trees of all Python files and the options of every command. Prints
``file:line: rule: name`` for each finding and exits with 1 if there is one.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import typer

from lrlab.cli.app import app
from lrlab.dialects import DIALECTS

ROOT = Path(__file__).parents[1]
FOLDERS = ("src", "tests", "benchmarks", "examples", "tools")
# Recipes and dialects are named after what they build; other libraries' functions as they are.
NAMED_AFTER_RESULTS = (
    "schedules/recipes.py",
    *(f"dialects/{prefix}{name}.py" for name in DIALECTS for prefix in ("", "foreign_")),
)

PARTICIPLES = set(
    """begun bound broken built chosen done drawn driven fallen found frozen given gone grown held
    hidden kept known left lost made meant met paid said seen sent shown sought spent spoken stood
    taken taught thrown told torn understood won worn written""".split()  # noqa: SIM905
)
VERBS_IN_ED = set("embed exceed feed need proceed seed speed".split())  # noqa: SIM905

OLD_WORDS = set(
    """asked doubts drafts knots less_is_better more_is_better overlap reactive rival rivals rooms
    slips stirred strangers widen widened widening widenings""".split()  # noqa: SIM905
)
OLD_NAMES = set(
    """Knots LiveRun Misread Piecewise Rate Reactive RunningProduct Shape epoch_steps guess keep_new
    keep_saved on_change running_product share shares test_share""".split()  # noqa: SIM905
)
OLD_OPTIONS = set(
    """--as --clip --compile --csv --epoch-steps --file --goal --guess --less-is-better
    --num-gpus --parquet --per --png --save --steps --test --validation --what
    --widen""".split()  # noqa: SIM905
)


def find_names(tree: ast.Module) -> Iterator[tuple[int, str, str]]:
    """Yield line, kind (class, function, argument) and name of all that a module defines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield node.lineno, "class", node.name
        elif isinstance(node, ast.FunctionDef):
            decorators = " ".join(ast.unparse(decorator) for decorator in node.decorator_list)
            if not re.search(r"property|fixture|setter|composite", decorators):
                yield node.lineno, "function", node.name
            for argument in [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]:
                yield argument.lineno, "argument", argument.arg


def find_faults(kind: str, name: str) -> Iterator[str]:
    """Yield the rules that a name breaks."""
    words = name.strip("_").lower().split("_")
    is_test = name.startswith("test_")
    is_participle = words[0] in PARTICIPLES or words[0].endswith("ed")
    if kind == "function" and not is_test and is_participle and words[0] not in VERBS_IN_ED:
        yield "a function is a verb, not a participle"
    if kind == "function" and not is_test and (words[0] == "of" or words[-1] == "of"):
        yield "a function is not called x_of or of_x"
    if name in OLD_NAMES or OLD_WORDS.intersection([name, *words]):
        yield "an old name"


def main() -> int:
    """Print all findings; return the exit code."""
    findings = []
    for folder in FOLDERS:
        for file in sorted((ROOT / folder).rglob("*.py")):
            exempt = str(file).endswith(NAMED_AFTER_RESULTS)
            for line, kind, name in find_names(ast.parse(file.read_text())):
                findings += [
                    f"{file.relative_to(ROOT)}:{line}: {fault}: {name}"
                    for fault in find_faults(kind, name)
                    if not (exempt and kind == "function" and not name.startswith("_"))
                ]
    commands = vars(typer.main.get_command(app))["commands"]
    for name, command in commands.items():
        options = {text for each in command.params for text in (*each.opts, *each.secondary_opts)}
        findings += [f"lrlab {name}: an old option: {text}" for text in options & OLD_OPTIONS]
    print("\n".join(findings))
    return int(bool(findings))


if __name__ == "__main__":
    sys.exit(main())
