"""Files that are written whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lrlab.errors import ViewError


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """A file beside ``path`` that takes its place when everything inside went well.

    Raises:
        ViewError: it cannot be written.
    """
    target = path.resolve()  # a link stays a link
    temporary_path = target.with_name(f".{target.name[:100]}.{os.getpid()}.part")
    try:
        try:
            yield temporary_path
            temporary_path.replace(target)
        finally:
            temporary_path.unlink(missing_ok=True)
    except OSError as error:
        raise ViewError(f"{path} cannot be written: {error.strerror or error}.") from None
