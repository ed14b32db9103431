"""Hints in Python's form become options and commands; all else in a message stays."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from lrlab.views.hints import translate_hints
from tests.conftest import REPOSITORY

OPTIONS = {
    "seeds": ["--seeds"],
    "lr": ["--lr"],
    "db": ["--db"],
    "engine": ["--engine"],
    "tuning_seeds": ["--tuning-seeds"],
    "tune": ["--tune", "--no-tune"],
    "greater_is_better": ["--greater-is-better", "--lower-is-better"],
    "percent": ["--percent"],
    "schedules": ["--schedule"],
    "imports": ["--import"],
}


@pytest.mark.parametrize(
    ("hint", "translation"),
    [
        ("`tuning_seeds`", "--tuning-seeds"),
        ("`seeds=60`", "--seeds 60"),
        ("`lr=1e-5`", "--lr 1e-05"),
        ("`lr=-0.5`", "--lr -0.5"),
        ("`lr=[0.01, 0.1]`", "--lr 0.01,0.1"),
        ("`lr=...`", "--lr ..."),
        ('`engine="loop"`', "--engine loop"),
        ('`db="my runs.db"`', "--db 'my runs.db'"),
        ("`tune=False`", "--no-tune"),
        ("`tune=True`", "--tune"),
        ("`greater_is_better=False`", "--lower-is-better"),
        ("`percent=True`", "--percent"),
        ("`seeds=1, tune=False`", "--seeds 1 --no-tune"),
        ('`schedules=["Cosine()", "Step(3)"]`', "--schedule 'Cosine()' --schedule 'Step(3)'"),
        ('`lrlab.delete_study("3f2a")`', "`lrlab delete 3f2a`"),
        ('`lrlab.resume_study("3f2a", db="my.db")`', "`lrlab resume 3f2a --db my.db`"),
        ('`lrlab.load_study("3f2a")`', "`lrlab results 3f2a`"),
        ("`lrlab.list_studies()`", "`lrlab studies`"),
        ("`lrlab.compare(...)`", "`lrlab compare`"),
        ("`help(lrlab.schedules)`", "`lrlab gallery`"),
        ("`import my_schedules`", "--import my_schedules.py"),
    ],
)
def test_a_hint_becomes_an_option_or_a_command(hint: str, translation: str) -> None:
    assert translate_hints(f"a {hint}, b {hint}.", OPTIONS) == f"a {translation}, b {translation}."


@pytest.mark.parametrize(
    "text",
    [
        "`base` and `Warmup(5)` and `is_relative`",
        "`percent=False` has no option, `lr=rates` no value",
        "`lr=0.1, base=2`",
        "`lrlab.parse('Cosine()')`",
        "`ray start --address=HOST:6379`",
        'your script lacks `if __name__ == "__main__":`',
        "Formula(`lr",
        "lr=0.1 and seeds without backticks, ``lr``, ` ` and ``",
        "a line with `\nand another with `lr",
        "`\0`",
    ],
)
def test_all_else_stays(text: str) -> None:
    assert translate_hints(text, OPTIONS) == text


def find_texts(file: Path) -> Iterator[str]:
    """Yield the texts in a file's code, without docstrings."""
    tree = ast.parse(file.read_text())
    docs = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in docs:
            yield node.value


def test_only_commands_name_options_and_commands() -> None:
    source = REPOSITORY / "src" / "lrlab"
    views = (source / "views" / name for name in ("hints.py", "studies_table.py"))
    of_commands = {*(source / "cli").glob("*.py"), *views}
    texts = [text for file in set(source.rglob("*.py")) - of_commands for text in find_texts(file)]
    assert [text for text in texts if re.search(r"(?<![\w-])--[a-z]|`lrlab ", text)] == [
        text for text in texts if "`ray start" in text
    ]
