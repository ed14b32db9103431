"""A preview as a file: what is written, and that nothing else is ever written over.

A file is written whole or not at all, and only where there is none, or one of the same kind that
was written here.
"""

import csv
import dataclasses
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lrlab.dialects import parse
from lrlab.errors import LrlabError, ViewError, did_you_mean
from lrlab.views.drafts import draft
from lrlab.views.preview import Preview

_MADE_BY = "lrlab show"
_LOOKED_AT = 1_000_000
"""How many bytes of a file that is there are read to tell whose it is."""


@dataclass(frozen=True)
class Kind:
    """A kind of file: what it holds, and whether the start of one was written here."""

    content: Callable[[Preview], bytes]
    ours: Callable[[bytes], bool]


@dataclass(frozen=True)
class Target:
    """A file that may be written."""

    path: Path
    kind: Kind

    def write(self, preview: Preview) -> None:
        """Writes it, whole or not at all.

        Raises:
            ViewError: it cannot be written.
            MissingExtra: what draws it is not installed.
        """
        content = self.kind.content(preview)
        with draft(self.path) as place:
            place.write_bytes(content)


def target(path: Path) -> Target:
    """The file at ``path``, when it may be written.

    Raises:
        ViewError: it is of no kind that is known, or in no folder, or something else is there.
    """
    suffix = path.suffix.lower()
    if suffix not in KINDS:
        hint = did_you_mean(suffix, KINDS)
        raise ViewError(f"a file to save must end in {', '.join(KINDS)}, got {path}{hint or '.'}")
    kind = KINDS[suffix]
    try:
        if path.is_dir():
            raise ViewError(f"{path} is a folder: name a file.")
        if not path.parent.is_dir() or (path.exists() and not path.is_file()):
            raise ViewError(f"{path} cannot be written: name a file in a folder that is there.")
        if path.exists() and not kind.ours(_start(path)):
            raise ViewError(
                f"{path} is there and was not written by {_MADE_BY}; name another file with --save."
            )
    except OSError as error:
        raise ViewError(f"{path} cannot be written: {error.strerror}.") from None
    return Target(path, kind)


def _start(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_LOOKED_AT)


def _picture(form: str) -> Callable[[Preview], bytes]:
    def content(preview: Preview) -> bytes:
        from lrlab.views.plot import picture

        file = io.BytesIO()
        names = {"Creator": _MADE_BY} if form == "svg" else {"Software": _MADE_BY}
        picture(preview).savefig(file, format=form, dpi=150, metadata=names)
        return file.getvalue()

    return content


def _page(preview: Preview) -> bytes:
    from lrlab.views.page import page

    return page(preview).encode()


def _is_page(start: bytes) -> bool:
    from lrlab.views.page import GENERATOR

    return GENERATOR.encode() in start


def _rates(preview: Preview) -> bytes:
    file = io.StringIO(newline="")
    rows = csv.writer(file, lineterminator="\n")
    rows.writerow(["step", *(line.label for line in preview.lines)])
    columns = (line.rates.tolist() for line in preview.lines)
    rows.writerows(zip(range(preview.steps), *columns, strict=True))
    return file.getvalue().encode()


def _is_rates(start: bytes) -> bool:
    """Whether the columns are steps and schedules: a log of training has others."""
    try:
        head = next(csv.reader(io.StringIO(start.decode(errors="replace"))))
        for label in head[1:]:
            parse(label)
    except (LrlabError, csv.Error, StopIteration):
        return False
    return len(head) > 1 and head[0] == "step"


def _numbers(preview: Preview) -> bytes:
    known = {
        "made_by": _MADE_BY,
        "steps": preview.steps,
        "base_rate": None if preview.factors else preview.base,
        "steps_per_epoch": preview.epoch,
        "schedules": [
            {
                "schedule": line.label,
                "in_steps": repr(line.schedule),
                **dataclasses.asdict(line.numbers),
                "parts": [
                    {"step": part.step, "schedule": repr(part.schedule)} for part in line.parts
                ],
            }
            for line in preview.lines
        ],
    }
    return (json.dumps(known, indent=2, ensure_ascii=False) + "\n").encode()


KINDS: Mapping[str, Kind] = {
    ".png": Kind(_picture("png"), lambda start: f"Software\0{_MADE_BY}".encode() in start),
    ".svg": Kind(_picture("svg"), lambda start: f">{_MADE_BY}<".encode() in start),
    ".html": Kind(_page, _is_page),
    ".csv": Kind(_rates, _is_rates),
    ".json": Kind(_numbers, lambda start: f'"made_by": "{_MADE_BY}"'.encode() in start),
}
"""What can be written, by the end of a file's name."""
