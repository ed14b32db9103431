"""The contents of the output files of `lrlab show`."""

import csv
import json
import re
import xml.etree.ElementTree as ET
from html import unescape
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from lrlab import Cosine, Custom, Exponential, Formula, Warmup, parse
from lrlab.views.preview import Preview, compute_preview, label_schedules
from lrlab.views.schedule_files import PREVIEW_WRITERS, save_preview


@pytest.fixture(scope="module")
def preview() -> Preview:
    texts = ['Warmup("10%") >> Cosine()', "torch.StepLR(30)", 'Formula("0.5 + (t < 20)")']
    return compute_preview({text: parse(text) for text in texts}, 100, base=0.1)


def save(path: Path, preview: Preview) -> Path:
    save_preview(preview, path)
    return path


def test_png(preview: Preview, tmp_path: Path) -> None:
    height, width, _ = imread(save(tmp_path / "x.png", preview)).shape
    assert width == 1350
    assert height > 690


def test_svg(preview: Preview, tmp_path: Path) -> None:
    root = ET.parse(save(tmp_path / "x.svg", preview)).getroot()
    assert root.tag.endswith("svg")
    strokes = "".join(shape.get("style", "").lower() for shape in root.iter())
    assert "#e69f00" in strokes  # of the second line
    assert "#56b4e9" in strokes  # and the third
    assert "#009e73" not in strokes  # there is no fourth


def test_csv(preview: Preview, tmp_path: Path) -> None:
    with save(tmp_path / "x.csv", preview).open(newline="") as file:
        head, *rows = csv.reader(file)
    assert head == ["step", *(line.label for line in preview.lines)]
    assert [int(row[0]) for row in rows] == list(range(100))
    for i, line in enumerate(preview.lines):
        assert [float(row[i + 1]) for row in rows] == line.rates.tolist()


def test_json(preview: Preview, tmp_path: Path) -> None:
    numbers = json.loads(save(tmp_path / "x.json", preview).read_text())
    assert (numbers["total_steps"], numbers["lr"]) == (100, 0.1)
    first = numbers["schedules"][0]
    assert first["schedule"] == 'Warmup("10%") >> Cosine()'
    assert parse(first["bound_schedule"]) == Warmup(10) >> Cosine(90)
    assert first["parts"][1] == {"start_step": 10, "schedule": "Cosine(90)"}
    assert first["area"] == preview.lines[0].rates.sum()
    assert numbers["schedules"][1]["jump_step"] == 30
    assert (
        json.loads(
            save(tmp_path / "f.json", compute_preview(label_schedules(Cosine(3)))).read_text()
        )["lr"]
        is None
    )


def read_traces(page: str) -> list[dict]:
    start = page.index('"rates"', page.index("Plotly.newPlot(")) + len('"rates",')
    return json.JSONDecoder().raw_decode(page[start:].lstrip())[0]


def test_a_page_loads_no_other_files(preview: Preview, tmp_path: Path) -> None:
    page = save(tmp_path / "x.html", preview).read_text()
    assert not re.findall(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=", page)
    assert len(page) > 1_000_000  # Plotly is in it
    for line, trace in zip(preview.lines, read_traces(page), strict=True):
        assert trace["x"] == list(range(101))
        assert trace["y"] == [*line.rates.tolist(), line.rates[-1]]
        assert unescape(trace["name"]).endswith(line.label)
    assert "Formula(&quot;0.5 + (t &lt; 20)&quot;)" in page
    assert "Warmup(10) from step 0, Cosine(90) from step 10" in page


def test_labels_are_escaped(tmp_path: Path) -> None:
    label = "</script><script>alert(1)</script><b>"
    page = save(tmp_path / "x.html", compute_preview({label: Cosine(5)})).read_text()
    assert label not in page
    assert "<script>alert" not in page
    assert read_traces(page)[0]["name"] == (
        "1 &lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;&lt;b&gt;"
    )


def test_a_million_steps_stay_small(tmp_path: Path) -> None:
    long = compute_preview(label_schedules([Cosine(), Exponential(0.99999)]), 1_000_000)
    page = save(tmp_path / "x.html", long).read_text()
    for line, trace in zip(long.lines, read_traces(page), strict=True):
        assert len(trace["x"]) < 7000
        assert trace["y"][:-1] == line.rates[np.array(trace["x"][:-1])].tolist()
    assert save(tmp_path / "x.svg", long).stat().st_size < 1_000_000


def test_a_function_can_be_saved(tmp_path: Path) -> None:
    function_preview = compute_preview(label_schedules(Custom(lambda t: 0.5)), 5)
    numbers = json.loads(save(tmp_path / "x.json", function_preview).read_text())
    assert numbers["schedules"][0]["area"] == 2.5


def test_labels_are_not_read_as_formulas(tmp_path: Path) -> None:
    preview = compute_preview({"$x_1$ & <b>": Formula("1 + 0*t"), "_hidden": Cosine()}, 5)
    for extension in PREVIEW_WRITERS:
        assert save(tmp_path / f"x{extension}", preview).stat().st_size > 0
