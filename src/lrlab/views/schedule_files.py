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
from lrlab.errors import LrlabError, ViewError, format_suggestion
from lrlab.views.files import atomic_write
from lrlab.views.preview import Preview

_CREATOR = "lrlab show"
_BYTES_TO_CHECK = 1_000_000
"""How many bytes of a file that is there are read to tell whose it is."""


@dataclass(frozen=True)
class FileFormat:
    """A kind of file: what it holds, and whether the start of one was written here."""

    render: Callable[[Preview], bytes]
    is_own_file: Callable[[bytes], bool]


@dataclass(frozen=True)
class OutputFile:
    """A file that may be written."""

    path: Path
    file_format: FileFormat

    def write(self, preview: Preview) -> None:
        """Writes it, whole or not at all.

        Raises:
            ViewError: it cannot be written.
            MissingExtra: what draws it is not installed.
        """
        content = self.file_format.render(preview)
        with atomic_write(self.path) as temporary_path:
            temporary_path.write_bytes(content)


def resolve_output(path: Path) -> OutputFile:
    """The file at ``path``, when it may be written.

    Raises:
        ViewError: it is of no kind that is known, or in no folder, or something else is there.
    """
    suffix = path.suffix.lower()
    if suffix not in FILE_FORMATS:
        hint = format_suggestion(suffix, FILE_FORMATS)
        raise ViewError(
            f"a file to save must end in {', '.join(FILE_FORMATS)}, got {path}{hint or '.'}"
        )
    file_format = FILE_FORMATS[suffix]
    try:
        if path.is_dir():
            raise ViewError(f"{path} is a folder: name a file.")
        if not path.parent.is_dir() or (path.exists() and not path.is_file()):
            raise ViewError(f"{path} cannot be written: name a file in a folder that is there.")
        if path.exists() and not file_format.is_own_file(_read_start(path)):
            raise ViewError(
                f"{path} is there and was not written by {_CREATOR}; name another file with --save."
            )
    except OSError as error:
        raise ViewError(f"{path} cannot be written: {error.strerror}.") from None
    return OutputFile(path, file_format)


def _read_start(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_BYTES_TO_CHECK)


def _make_plot_renderer(image_format: str) -> Callable[[Preview], bytes]:
    def render(preview: Preview) -> bytes:
        from lrlab.views.schedule_plots import create_figure

        file = io.BytesIO()
        metadata = {"Creator": _CREATOR} if image_format == "svg" else {"Software": _CREATOR}
        create_figure(preview).savefig(file, format=image_format, dpi=150, metadata=metadata)
        return file.getvalue()

    return render


def _render_html(preview: Preview) -> bytes:
    from lrlab.views.schedule_page import render_page

    return render_page(preview).encode()


def _is_own_html(start: bytes) -> bool:
    from lrlab.views.schedule_page import GENERATOR_TAG

    return GENERATOR_TAG.encode() in start


def _render_csv(preview: Preview) -> bytes:
    file = io.StringIO(newline="")
    rows = csv.writer(file, lineterminator="\n")
    rows.writerow(["step", *(line.label for line in preview.lines)])
    columns = (line.rates.tolist() for line in preview.lines)
    rows.writerows(zip(range(preview.total_steps), *columns, strict=True))
    return file.getvalue().encode()


def _is_own_csv(start: bytes) -> bool:
    """Whether the columns are steps and schedules: a log of training has others."""
    try:
        column_names = next(csv.reader(io.StringIO(start.decode(errors="replace"))))
        for label in column_names[1:]:
            parse(label)
    except (LrlabError, csv.Error, StopIteration):
        return False
    return len(column_names) > 1 and column_names[0] == "step"


def _render_json(preview: Preview) -> bytes:
    document = {
        "made_by": _CREATOR,
        "steps": preview.total_steps,
        "base_rate": None if preview.is_relative else preview.base,
        "steps_per_epoch": preview.steps_per_epoch,
        "schedules": [
            {
                "schedule": line.label,
                "in_steps": repr(line.schedule),
                **dataclasses.asdict(line.summary),
                "parts": [
                    {"step": part.start_step, "schedule": repr(part.schedule)}
                    for part in line.parts
                ],
            }
            for line in preview.lines
        ],
    }
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


FILE_FORMATS: Mapping[str, FileFormat] = {
    ".png": FileFormat(
        _make_plot_renderer("png"), lambda start: f"Software\0{_CREATOR}".encode() in start
    ),
    ".svg": FileFormat(_make_plot_renderer("svg"), lambda start: f">{_CREATOR}<".encode() in start),
    ".html": FileFormat(_render_html, _is_own_html),
    ".csv": FileFormat(_render_csv, _is_own_csv),
    ".json": FileFormat(_render_json, lambda start: f'"made_by": "{_CREATOR}"'.encode() in start),
}
"""What can be written, by the end of a file's name."""
