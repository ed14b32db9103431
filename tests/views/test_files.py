"""Saved files: what they hold, and that they never take the place of anything else."""

import csv
import json
import os
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from lrlab import Cosine, Custom, Exponential, Formula, Warmup, parse
from lrlab.errors import ViewError
from lrlab.views import schedule_files
from lrlab.views.preview import Preview, compute_preview, label_schedules

ENDS = [".png", ".svg", ".html", ".csv", ".json"]


@pytest.fixture(scope="module")
def seen() -> Preview:
    texts = ['Warmup("10%") >> Cosine()', "torch.StepLR(30)", 'Formula("0.5 + (t < 20)")']
    return compute_preview({text: parse(text) for text in texts}, 100, base=0.1)


def save(path: Path, what: Preview) -> Path:
    schedule_files.resolve_output(path).write(what)
    return path


def test_a_picture(seen: Preview, tmp_path: Path) -> None:
    height, width, _ = imread(save(tmp_path / "x.png", seen)).shape
    assert width == 1350
    assert height > 690


def test_a_drawing(seen: Preview, tmp_path: Path) -> None:
    root = ET.parse(save(tmp_path / "x.svg", seen)).getroot()
    assert root.tag.endswith("svg")
    strokes = "".join(shape.get("style", "").lower() for shape in root.iter())
    assert "#e69f00" in strokes  # of the second line
    assert "#56b4e9" in strokes  # and the third
    assert "#009e73" not in strokes  # there is no fourth


def test_rates(seen: Preview, tmp_path: Path) -> None:
    with save(tmp_path / "x.csv", seen).open(newline="") as file:
        head, *rows = csv.reader(file)
    assert head == ["step", *(line.label for line in seen.lines)]
    assert [int(row[0]) for row in rows] == list(range(100))
    for i, line in enumerate(seen.lines):
        assert [float(row[i + 1]) for row in rows] == line.rates.tolist()


def test_numbers(seen: Preview, tmp_path: Path) -> None:
    known = json.loads(save(tmp_path / "x.json", seen).read_text())
    assert (known["steps"], known["base_rate"]) == (100, 0.1)
    first = known["schedules"][0]
    assert first["schedule"] == 'Warmup("10%") >> Cosine()'
    assert parse(first["in_steps"]) == Warmup(10) >> Cosine(90)
    assert first["parts"][1] == {"step": 10, "schedule": "Cosine(90)"}
    assert first["area"] == seen.lines[0].rates.sum()
    assert known["schedules"][1]["jump_step"] == 30
    assert (
        json.loads(
            save(tmp_path / "f.json", compute_preview(label_schedules(Cosine(3)))).read_text()
        )["base_rate"]
        is None
    )


def traces(page: str) -> list[dict]:
    start = page.index('"rates"', page.index("Plotly.newPlot(")) + len('"rates",')
    return json.JSONDecoder().raw_decode(page[start:].lstrip())[0]


def test_a_page_needs_nothing_else(seen: Preview, tmp_path: Path) -> None:
    page = save(tmp_path / "x.html", seen).read_text()
    assert not re.findall(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=", page)
    assert len(page) > 1_000_000  # Plotly is in it
    for line, trace in zip(seen.lines, traces(page), strict=True):
        assert trace["x"] == list(range(101))
        assert trace["y"] == [*line.rates.tolist(), line.rates[-1]]
        assert unescape(trace["name"]).endswith(line.label)
    assert "Formula(&quot;0.5 + (t &lt; 20)&quot;)" in page
    assert "Warmup(10) from step 0, Cosine(90) from step 10" in page


def test_nothing_in_a_label_becomes_code(tmp_path: Path) -> None:
    evil = "</script><script>alert(1)</script><b>"
    page = save(tmp_path / "x.html", compute_preview({evil: Cosine(5)})).read_text()
    assert evil not in page
    assert "<script>alert" not in page
    assert traces(page)[0]["name"] == (
        "1 &lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;&lt;b&gt;"
    )


def test_a_million_steps_stay_small(tmp_path: Path) -> None:
    long = compute_preview(label_schedules([Cosine(), Exponential(0.99999)]), 1_000_000)
    page = save(tmp_path / "x.html", long).read_text()
    for line, trace in zip(long.lines, traces(page), strict=True):
        assert len(trace["x"]) < 7000
        assert trace["y"][:-1] == line.rates[np.array(trace["x"][:-1])].tolist()
    assert save(tmp_path / "x.svg", long).stat().st_size < 1_000_000


@pytest.mark.parametrize("end", ENDS)
def test_its_own_files_are_written_over_and_no_others(
    seen: Preview, tmp_path: Path, end: str
) -> None:
    path = save(tmp_path / f"x{end}", seen)
    again = compute_preview(label_schedules([Cosine(), Exponential(0.9)]), 20)
    before = path.read_bytes()
    save(path, again)
    assert path.read_bytes() != before
    strange = [
        b"",
        b"step,loss,accuracy\n0,1.5,0.3\n",
        b"step\n0\n",
        b"\x89PNG\r\n\x1a\nsomebody's photograph",
        b"<svg xmlns='http://www.w3.org/2000/svg'></svg>",
        b"<!DOCTYPE html><p>my page</p>",
        b'{"steps": 5}',
        b"\xff\xfe\x00" * 10,
    ]
    for content in strange:
        path.write_bytes(content)
        with pytest.raises(ViewError, match="was not written by lrlab show"):
            schedule_files.resolve_output(path)
        assert path.read_bytes() == content
    assert os.listdir(tmp_path) == [path.name]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("x.pdf", "must end in .png, .svg, .html, .csv, .json, got"),
        ("x", "must end in"),
        ("x.jsn", "did you mean .json?"),
        ("no/x.png", "name a file in a folder that is there"),
        ("folder.png", "folder.png is a folder: name a file"),
        ("pipe.csv", "name a file in a folder that is there"),
        ("x" * 300 + ".csv", "cannot be written"),
    ],
)
def test_what_cannot_be_written(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "folder.png").mkdir()
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(ViewError, match=re.escape(said)):
        schedule_files.resolve_output(tmp_path / name)


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A disk that is full after the first bytes."""

    def write(self: Path, content: bytes) -> int:
        with self.open("wb") as file:
            file.write(content[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", write)
    yield
    monkeypatch.undo()


def test_a_file_is_written_whole_or_not_at_all(
    seen: Preview, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    path = save(tmp_path / "x.csv", seen)
    before = path.read_bytes()
    request.getfixturevalue("failing")
    for name in ("x.csv", "new.csv"):
        with pytest.raises(ViewError, match="cannot be written: No space left on device"):
            save(tmp_path / name, compute_preview(label_schedules(Cosine(5))))
    assert os.listdir(tmp_path) == ["x.csv"]
    assert path.read_bytes() == before


def test_a_link_stays_a_link(seen: Preview, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    link = tmp_path / "x.csv"
    link.symlink_to(tmp_path / "other" / "real.csv")
    save(link, seen)
    assert link.is_symlink()
    assert (tmp_path / "other" / "real.csv").read_text().startswith("step,")


def test_permissions_are_those_of_any_new_file(seen: Preview, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.touch()
    assert save(tmp_path / "x.csv", seen).stat().st_mode == plain.stat().st_mode


def test_a_function_has_no_text_and_can_be_saved(tmp_path: Path) -> None:
    own = compute_preview(label_schedules(Custom(lambda t: 0.5)), 5)
    known = json.loads(save(tmp_path / "x.json", own).read_text())
    assert known["schedules"][0]["area"] == 2.5


def test_formulas_are_shown_as_they_are(tmp_path: Path) -> None:
    odd = compute_preview({"$x_1$ & <b>": Formula("1 + 0*t"), "_hidden": Cosine()}, 5)
    for end in ENDS:
        assert save(tmp_path / f"x{end}", odd).stat().st_size > 0
