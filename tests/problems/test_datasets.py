"""Built-in data sets: scikit-learn's, and where ionosphere is found."""

import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from lrlab.errors import ProblemError
from lrlab.problems import datasets, load_problem
from lrlab.problems.datasets import load_ionosphere
from tests.raising import raises


@pytest.mark.parametrize(
    ("name", "kind", "inputs", "outputs"),
    [
        ("breast-cancer", "classification", 30, 1),
        ("digits", "classification", 64, 10),
        ("wine", "classification", 13, 3),
        ("iris", "classification", 4, 3),
        ("diabetes", "regression", 10, 1),
    ],
)
def test_scikit_learns_data_sets(name: str, kind: str, inputs: int, outputs: int) -> None:
    problem = load_problem(name)
    assert problem.name == name
    assert problem.task.kind == kind
    assert problem.shuffle
    hidden = next(problem.model().children())
    assert (hidden.in_features, hidden.out_features) == (inputs, inputs)
    assert problem.model()(problem.split(0).x_test).shape[1] == outputs


def test_ionosphere_is_the_tutorials_problem(ionosphere_folder: Path) -> None:
    problem = load_problem("ionosphere")
    split = problem.split(0)
    assert split.x_train.shape == (245, 34)
    assert split.x_test.shape == (106, 34)
    assert problem.train_rows == 245
    assert not problem.shuffle
    layers = [type(layer).__name__ for layer in problem.model().children()]
    assert layers == ["Linear", "ReLU", "Linear", "Sigmoid"]
    table = pd.read_csv(ionosphere_folder / "ionosphere.csv", header=None)
    inputs, _ = torch.cat([split.x_train, split.x_test]).sort(dim=0)
    expected = np.sort(table.iloc[:, :34].to_numpy("float32"), axis=0)
    assert torch.equal(inputs, torch.tensor(expected))
    assert float(split.y_train.sum() + split.y_test.sum()) == (table[34] == "g").sum()


def test_ionosphere_is_read_from_a_folder_or_a_file_with_any_line_ends(
    ionosphere_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (ionosphere_folder / "ionosphere.csv").read_text()
    monkeypatch.delenv("LRLAB_DATA")
    windows_file = tmp_path / "ionosphere.data"
    windows_file.write_bytes(("\r\n".join(text.split("\n")) + "\r\n\r\n").encode())
    expected = load_problem("ionosphere", ionosphere_file=ionosphere_folder).split(0)
    for path in (windows_file, tmp_path):
        assert torch.equal(
            load_problem("ionosphere", ionosphere_file=path).split(0).x_train, expected.x_train
        )


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ionosphere.csv").write_text("1,0,0.5,g\n" * 351)
    with raises(ProblemError, "ionosphere.csv", "351 rows"):
        load_ionosphere(tmp_path)
    with raises(ProblemError, "ionosphere.csv", "ionosphere.data", tmp_path.parent):
        load_ionosphere(tmp_path.parent)
    with raises(ProblemError, "nothing.csv"):
        load_ionosphere(tmp_path / "nothing.csv")


@pytest.fixture
def web_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Serve ionosphere.data from a folder, with an empty cache; yields the file."""
    pages = tmp_path / "pages"
    pages.mkdir()
    monkeypatch.delenv("LRLAB_DATA", raising=False)
    monkeypatch.setattr("pooch.os_cache", lambda name: tmp_path / "cache")

    class QuietHandler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None:
            pass

    handler = functools.partial(QuietHandler, directory=str(pages))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/ionosphere.data"
    monkeypatch.setattr(datasets, "IONOSPHERE_URL", address)
    yield pages / "ionosphere.data"
    server.shutdown()
    server.server_close()


def test_ionosphere_is_downloaded_once(ionosphere_folder: Path, web_page: Path) -> None:
    web_page.write_bytes((ionosphere_folder / "ionosphere.csv").read_bytes() + b"\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("LRLAB_DATA", raising=False)
        first = load_ionosphere().split(0)
        web_page.unlink()
        assert torch.equal(load_ionosphere().split(0).x_train, first.x_train)


def test_a_wrong_download_is_refused_and_not_stored(tmp_path: Path, web_page: Path) -> None:
    web_page.write_text("<html>not here any more</html>")
    for _ in range(2):
        with raises(ProblemError, datasets.IONOSPHERE_URL, "content"):
            load_ionosphere()
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_failed_download_names_the_remedy(web_page: Path) -> None:
    with raises(ProblemError, datasets.IONOSPHERE_URL, "$LRLAB_DATA"):
        load_ionosphere()
