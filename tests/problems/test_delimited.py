"""Tables in text files: delimiters, headers, numbers; errors for files that are not tables."""

import gzip
from pathlib import Path

import pytest

from lrlab.errors import ProblemError
from lrlab.problems.delimited import read_table
from tests.raising import raises

ROWS = [(f"{i / 7:.3f}", f"{i}", "yes" if i % 3 else "no") for i in range(40)]


def write_table(path: Path, lines: list[str], end: str = "\n") -> Path:
    path.write_bytes((end.join(lines) + end).encode())
    return path


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", " ", "   ", ", ", ":"])
@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_any_delimiter_with_or_without_header(
    tmp_path: Path, delimiter: str, header: bool, end: str
) -> None:
    lines = [delimiter.join(row) for row in ROWS]
    if header:
        lines.insert(0, delimiter.join(["x", "count", "label"]))
    frame = read_table(write_table(tmp_path / "table.txt", lines, end))
    assert list(frame.columns) == (["x", "count", "label"] if header else ["0", "1", "2"])
    assert frame.shape == (40, 3)
    assert frame.iloc[3].tolist() == [0.429, 3, "no"]


def test_quoted_cells_may_hold_the_delimiter_and_lines(tmp_path: Path) -> None:
    lines = ["x,note,y", *(f'{i},"a, ""b""\nand c",{i % 2}' for i in range(20))]
    frame = read_table(write_table(tmp_path / "table.csv", lines))
    assert frame.shape == (20, 3)
    assert frame["note"][0] == 'a, "b"\nand c'


def test_a_byte_order_mark_blank_lines_and_missing_cells(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    rows = "\n".join(f"{i},{'?' if i == 3 else i}," for i in range(12))
    path.write_bytes(b"\xef\xbb\xbfa,b,c\n\n" + rows.encode() + b"\n\n\n")
    frame = read_table(path)
    assert list(frame.columns) == ["a", "b", "c"]
    assert frame["b"].isna().tolist() == [i == 3 for i in range(12)]
    assert frame["c"].isna().all()


def test_a_table_of_text_alone(tmp_path: Path) -> None:
    rows = [f"{'ab'[i % 2]},{'xyz'[i % 3]}" for i in range(20)]
    assert list(read_table(write_table(tmp_path / "a.csv", rows)).columns) == ["0", "1"]
    named = read_table(write_table(tmp_path / "b.csv", ["letter,kind", *rows]))
    assert list(named.columns) == ["letter", "kind"]


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_decimal_commas(tmp_path: Path, delimiter: str) -> None:
    rows = [delimiter.join([f"{i},5", f"-{i},25", "a" if i % 2 else "b"]) for i in range(20)]
    frame = read_table(write_table(tmp_path / "euro.csv", [delimiter.join("xyz"), *rows]))
    assert frame["x"].tolist() == [i + 0.5 for i in range(20)]
    assert frame["y"].tolist() == [-(i + 0.25) for i in range(20)]


@pytest.mark.parametrize(
    ("first", "header"),
    [
        ("id,2019,2020,label", True),
        ("1,?,3.5,a", False),
        (",1,2,a", False),
        ("NA,NA,NA,a", False),
        ("id,x,y,label", True),
        ("1,2,3,label", False),
    ],
)
def test_a_header_is_detected_by_names_above_numbers(
    tmp_path: Path, first: str, header: bool
) -> None:
    rows = [f"{i},{i / 2},{'?' if i == 4 else i},{'ab'[i % 2]}" for i in range(20)]
    frame = read_table(write_table(tmp_path / "table.csv", [first, *rows]))
    assert list(frame.columns) == (first.split(",") if header else ["0", "1", "2", "3"])
    assert len(frame) == 20 + (not header)


def test_rows_that_end_with_a_delimiter(tmp_path: Path) -> None:
    frame = read_table(
        write_table(tmp_path / "a.csv", ["x,y,", *(f"{i},{i % 2}," for i in range(20))])
    )
    assert list(frame.columns) == ["x", "y"]


def test_a_compressed_table(tmp_path: Path) -> None:
    text = "x,y\n" + "".join(f"{i},{i % 2}\n" for i in range(20))
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(text.encode()))
    assert read_table(tmp_path / "a.csv.gz").shape == (20, 2)
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(text.encode())[:-20])
    (tmp_path / "c.csv.gz").write_text(text)
    for name in ("b.csv.gz", "c.csv.gz"):
        with raises(ProblemError, name, "cannot be read"):
            read_table(tmp_path / name)


def test_header_overrides_the_detection(tmp_path: Path) -> None:
    path = write_table(tmp_path / "years.csv", ["2001,2002", *(f"{i},{i}" for i in range(20))])
    assert len(read_table(path)) == 21
    assert list(read_table(path, header=True).columns) == ["2001", "2002"]


@pytest.mark.parametrize(
    ("content", "mentions"),
    [
        (b"", ["empty"]),
        (b" \n\n", ["empty"]),
        (b"a,b\n1,2\n3\n4,5\n", ["line 3 has 1", "3 others have 2", "','"]),
        (b"a,b\n1,2\n3,4,5\n4,5\n", ["line 3 has 3", "3 others have 2"]),
        (b"a b\n1 2\n3 4 5\n4 5\n", ["line 3 has 3", "3 others have 2"]),
        (b"# data\na,b\n1,2\n3,4\n", ["line 1 has 1", "3 others have 2"]),
        (b"y\n1\n2\n3\n", ["two columns", "got one"]),
        (b"a,b\n1,2\n3,4\n", ["10 rows", "got 2"]),
        (b"a,b\n", ["10 rows", "got 0"]),
        (b"\xff\xfe\x00\x01", ["UTF-8"]),
        (b"a,b\n\x00,1\n" * 9, ["binary"]),
        (b'a,b\n"1,2\n3,4\n', ["line 3", "quote"]),
        (b'a,b\n1,"2" 3\n', ["line 2"]),
    ],
)
def test_files_that_are_not_tables(tmp_path: Path, content: bytes, mentions: list[str]) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    with raises(ProblemError, path, *mentions):
        read_table(path)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with raises(ProblemError, "none.csv", "cannot be read"):
        read_table(tmp_path / "none.csv")
