"""The tutorial's data: where it is found, and that it is that."""

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
from lrlab.problems import datasets as module
from lrlab.problems import load_problem
from lrlab.problems.datasets import load_ionosphere


def test_it_is_the_tutorials_problem(ionosphere_folder: Path) -> None:
    problem = load_problem("ionosphere")
    split = problem.split(0)
    assert split.x_train.shape == (245, 34)
    assert split.x_test.shape == (106, 34)
    assert problem.train_rows == 245
    assert not problem.shuffle
    layers = [type(layer).__name__ for layer in problem.model().children()]
    assert layers == ["Linear", "ReLU", "Linear", "Sigmoid"]
    table = pd.read_csv(ionosphere_folder / "ionosphere.csv", header=None)
    both, _ = torch.cat([split.x_train, split.x_test]).sort(dim=0)
    expected = np.sort(table.iloc[:, :34].to_numpy("float32"), axis=0)
    assert torch.equal(both, torch.tensor(expected))
    assert float(split.y_train.sum() + split.y_test.sum()) == (table[34] == "g").sum()


def test_it_is_found_by_folder_by_file_and_with_other_line_ends(
    ionosphere_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (ionosphere_folder / "ionosphere.csv").read_text()
    monkeypatch.delenv("LRLAB_DATA")
    dos = tmp_path / "ionosphere.data"
    dos.write_bytes(("\r\n".join(text.split("\n")) + "\r\n\r\n").encode())
    expected = load_problem("ionosphere", ionosphere_file=ionosphere_folder).split(0)
    for path in (dos, tmp_path):
        assert torch.equal(
            load_problem("ionosphere", ionosphere_file=path).split(0).x_train, expected.x_train
        )


def test_another_file_is_not_taken_for_it(tmp_path: Path) -> None:
    (tmp_path / "ionosphere.csv").write_text("1,0,0.5,g\n" * 351)
    with pytest.raises(ProblemError, match="is not UCI's ionosphere"):
        load_ionosphere(tmp_path)
    with pytest.raises(ProblemError, match=r"there is no ionosphere.csv or ionosphere.data in"):
        load_ionosphere(tmp_path.parent)
    with pytest.raises(ProblemError, match="cannot be read"):
        load_ionosphere(tmp_path / "nothing.csv")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A web site on this machine, and an empty cache."""
    pages = tmp_path / "pages"
    pages.mkdir()
    monkeypatch.delenv("LRLAB_DATA", raising=False)
    monkeypatch.setattr(module.pooch, "os_cache", lambda name: tmp_path / "cache")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None:
            pass

    handler = functools.partial(Quiet, directory=str(pages))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/ionosphere.data"
    monkeypatch.setattr(module, "IONOSPHERE_URL", address)
    yield address
    server.shutdown()
    server.server_close()


def test_it_is_downloaded_once(ionosphere_folder: Path, tmp_path: Path, site: str) -> None:
    page = tmp_path / "pages" / "ionosphere.data"
    page.write_bytes((ionosphere_folder / "ionosphere.csv").read_bytes() + b"\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("LRLAB_DATA", raising=False)
        first = load_ionosphere().split(0)
        page.unlink()
        assert torch.equal(load_ionosphere().split(0).x_train, first.x_train)


def test_a_wrong_download_is_refused_and_not_kept(tmp_path: Path, site: str) -> None:
    (tmp_path / "pages" / "ionosphere.data").write_text("<html>not here any more</html>")
    for _ in range(2):
        with pytest.raises(ProblemError, match="what came is another file"):
            load_ionosphere()
    assert list((tmp_path / "cache").iterdir()) == []


def test_no_network_says_what_to_do(site: str) -> None:
    with pytest.raises(ProblemError, match=r"could not be downloaded .*\$LRLAB_DATA"):
        load_ionosphere()
