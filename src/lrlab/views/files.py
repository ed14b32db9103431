"""Writing files: checking a path before long work, and writing a file whole or not at all."""

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from lrlab.errors import ViewError, format_suggestion

_SQLITE_HEADER = b"SQLite format 3\0"


def check_output(path: Path, extensions: Collection[str], force: bool = False) -> None:
    """Check that a file may be written; call it before long work.

    Args:
        path: of the file.
        extensions: the allowed endings, such as ``(".png", ".svg")``.
        force: whether an existing file may be replaced; a SQLite database may not.

    Raises:
        ViewError: unknown extension, no such folder, not a regular file, or the file exists.
    """
    extension = path.suffix.lower()
    if extension not in extensions:
        hint = format_suggestion(extension, extensions) or "."
        *others, last = extensions
        endings = f"{', '.join(others)} or {last}" if others else last
        raise ViewError(f"an output file must end in {endings}, got {path}{hint}")
    try:
        if not path.parent.is_dir():
            raise ViewError(f"{path} cannot be written: the folder {path.parent} does not exist.")
        if path.is_dir():
            raise ViewError(f"{path} is a folder; name a file.")
        if not path.exists():
            return
        if not path.is_file():
            raise ViewError(f"{path} is not a regular file; name another file.")
        if _is_sqlite(path):
            raise ViewError(f"{path} is a database, which is never overwritten; name another file.")
    except OSError as error:
        raise ViewError(f"{path} cannot be written: {error.strerror or error}.") from None
    if not force:
        raise ViewError(f"{path} exists; name another file, or replace it with `force=True`.")


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Give a temporary file that replaces ``path`` once the code inside has succeeded.

    A symbolic link is kept; the file it points to is replaced.

    Raises:
        ViewError: the file cannot be written.
    """
    target = path.resolve()
    temporary_path = target.with_name(f".{target.name[:100]}.{os.getpid()}.part")
    try:
        try:
            yield temporary_path
            temporary_path.replace(target)
        finally:
            temporary_path.unlink(missing_ok=True)
    except OSError as error:
        raise ViewError(f"{path} cannot be written: {error.strerror or error}.") from None


def _is_sqlite(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_SQLITE_HEADER)) == _SQLITE_HEADER
