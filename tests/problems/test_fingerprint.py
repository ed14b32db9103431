"""Fingerprints change with all that a function depends on, and with nothing else."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import PIL.Image
import pytest
import torch
from torch import nn

from lrlab import Cosine, Warmup, parse
from lrlab.problems.fingerprint import compute_fingerprint, fingerprint_classes
from lrlab.user_code import import_user_module
from tests.conftest import REPOSITORY
from tests.schedules.definitions import DEFINITION

MODEL = """
import torch
from torch import nn
from user_parts import width

DEPTH = 2
TABLE = {"a": torch.ones(2)}
unused = 1

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(4, width())

    def forward(self, x):
        return self.inner(x) * DEPTH + helper(x)

def helper(x):
    return TABLE["a"].sum()

def model():
    return Net()

def unused_function():
    return 0
"""
PARTS = "def width():\n    return 3\n"


PROGRAM = """
import sys
from pathlib import Path
from lrlab.problems.fingerprint import compute_fingerprint

folder = Path(sys.argv[1])
for variant in sorted(folder.iterdir()):
    sys.path.insert(0, str(variant))
    import user_model
    print(variant.name, compute_fingerprint(user_model.model))
    sys.path.remove(str(variant))
    del sys.modules["user_model"], sys.modules["user_parts"]
"""


def compute_in_process(folder: Path) -> dict[str, str]:
    """Compute the fingerprint of ``model`` in each folder of ``folder``, in another process."""
    process = subprocess.run(
        [sys.executable, "-B", "-c", PROGRAM, str(folder)],
        capture_output=True, text=True, check=True,
        env={"PYTHONPATH": str(REPOSITORY / "src"), "PYTHONHASHSEED": "random"},
    )  # fmt: skip
    return dict(line.split() for line in process.stdout.splitlines())


@pytest.mark.integration
def test_the_code_of_a_model_and_everything_it_uses_count(tmp_path: Path) -> None:
    same = {
        "original": (MODEL, PARTS),
        "unused function": (MODEL.replace("return 0", "return 1"), PARTS),
        "unused variable": (MODEL.replace("unused = 1", "unused = 2"), PARTS),
    }
    changed = {
        "function": (MODEL.replace("return Net()", "return Net().double()"), PARTS),
        "class": (MODEL.replace("* DEPTH", "/ DEPTH"), PARTS),
        "constant": (MODEL.replace("DEPTH = 2", "DEPTH = 3"), PARTS),
        "tensor": (MODEL.replace("ones(2)", "ones(3)"), PARTS),
        "helper": (MODEL.replace(".sum()", ".mean()"), PARTS),
        "other file": (MODEL, PARTS.replace("3", "5")),
    }
    for name, (model, parts) in (same | changed).items():
        folder = tmp_path / name.replace(" ", "-")
        folder.mkdir()
        (folder / "user_model.py").write_text(model)
        (folder / "user_parts.py").write_text(parts)
    fingerprints = compute_in_process(tmp_path)
    assert compute_in_process(tmp_path) == fingerprints
    expected = {fingerprints.pop(name.replace(" ", "-")) for name in same}
    assert len(expected) == 1
    assert len({*expected, *fingerprints.values()}) == 1 + len(changed)


def test_the_contents_of_objects_and_closures_count() -> None:
    def make_scaler(factor: float):
        return lambda x: x * factor

    values = [
        make_scaler(2.0),
        make_scaler(3.0),
        nn.CrossEntropyLoss(),
        nn.CrossEntropyLoss(label_smoothing=0.1),
        nn.CrossEntropyLoss(weight=torch.ones(2)),
        nn.CrossEntropyLoss(weight=torch.ones(3)),
        nn.MSELoss(),
        nn.functional.mse_loss,
        torch.ones(2),
        torch.ones(2, dtype=torch.int64),
        torch.ones(2, dtype=torch.bfloat16),
        1,
        "1",
        [1],
        [1, [2]],
        [[1], 2],
        {"a": 1},
        {"a": 2},
    ]
    fingerprints = [compute_fingerprint(value) for value in values]
    assert len(set(fingerprints)) == len(values)
    assert [compute_fingerprint(value) for value in values] == fingerprints
    assert compute_fingerprint(make_scaler(2.0)) == fingerprints[0]


def test_circular_references_end() -> None:
    circle: list = []
    circle.append(circle)

    def endless() -> object:
        return endless()

    assert compute_fingerprint(circle) != compute_fingerprint([])
    assert compute_fingerprint(endless)


def test_lrlabs_own_classes_have_no_fingerprints() -> None:
    schedules = [0.5 * (Warmup(5) >> Cosine()).clip(0.1), parse("one_cycle().repeat(2)")]
    assert fingerprint_classes(schedules) == {}


def test_frames_images_and_mapped_files_count_by_content_or_file(tmp_path: Path) -> None:
    frame = pd.DataFrame({"file": ["a.png", "b.png"], "label": [0, 1]}, index=[4, 7])
    changed_frames = [
        frame.assign(label=[1, 0]),
        frame.rename(columns={"label": "class"}),
        frame.set_index(pd.Index([4, 8])),
        frame[["label"]],
    ]
    image = PIL.Image.new("L", (3, 3))
    changed_image = image.copy()
    changed_image.putpixel((1, 1), 1)
    paths = [tmp_path / "data.npy", tmp_path / "copy.npy", tmp_path / "other.npy"]
    for path in paths:
        np.save(path, np.arange(len(path.stem)))
    mapped = [np.load(path, mmap_mode="r") for path in paths]
    for same, others in (
        (frame, changed_frames),
        (image, [changed_image]),
        (mapped[0], mapped[1:]),
    ):
        expected = compute_fingerprint([same])
        assert compute_fingerprint([same]) == expected
        assert len({expected, *map(compute_fingerprint, [[x] for x in others])}) == 1 + len(others)


CONVERSION = """
from typing import Annotated
from lrlab.schedules.fields import FieldSpec

def convert(value):
    return float(value)

Scale = Annotated[float, FieldSpec("a number", convert)]
"""
WITH_CONVERSION = CONVERSION + DEFINITION.replace("scale: Positive", "scale: Scale")
WITH_BASE = DEFINITION.replace(
    "@dataclass", "class Base(Primitive):\n    height = 2\n\n\n@dataclass", 1
).replace("MyDecay(Primitive)", "MyDecay(Base)")


@pytest.mark.parametrize(
    ("definition", "old", "new"),
    [
        (DEFINITION, "base * fall", "2 * base * fall"),
        (DEFINITION, "1 / (1 + x)", "np.exp(-x)"),
        (WITH_CONVERSION, "float(value)", "2 * float(value)"),
        (WITH_BASE, "height = 2", "height = 3"),
    ],
    ids=["method", "function", "conversion", "base"],
)
def test_the_code_of_a_schedule_counts(scripts: Path, definition: str, old: str, new: str) -> None:
    def fingerprint(text: str) -> str:
        (scripts / "my_schedules.py").write_text(text)
        sys.modules.pop("my_schedules", None)
        module = import_user_module(str(scripts / "my_schedules.py"))
        (value,) = fingerprint_classes([Warmup(3) >> 0.5 * module.MyDecay(2)]).values()
        assert fingerprint_classes([module.MyDecay(3)]) == {"MyDecay": value}
        return value

    first = fingerprint(definition)
    assert fingerprint(definition.replace(old, new)) != first
    assert fingerprint(definition + "\nunused = 1\n") == first


@pytest.mark.integration
def test_a_class_without_a_file_counts_by_its_members() -> None:
    """As in a notebook, whose classes have no source that Python finds."""
    program = (
        "from lrlab.problems.fingerprint import fingerprint_classes\n"
        f"{DEFINITION}\nprint(fingerprint_classes([MyDecay(2)]))"
    )
    fingerprints = [
        subprocess.run(
            [sys.executable, "-c", text], capture_output=True, text=True, check=True
        ).stdout
        for text in (program, program, program.replace("base * fall", "base + fall"))
    ]
    assert fingerprints[0] == fingerprints[1] != fingerprints[2]
