"""The output files of `lrlab show`: plots (PNG, SVG), web page (HTML), tables (CSV, JSON)."""

import dataclasses
import json
from collections.abc import Callable, Mapping
from pathlib import Path

from lrlab.errors import require_extra
from lrlab.views.files import atomic_write
from lrlab.views.preview import Preview


def save_preview(preview: Preview, path: Path) -> None:
    """Write a preview to a file, whole or not at all.

    Check the path by ``check_output(path, PREVIEW_WRITERS, force)`` first.

    Args:
        preview: the preview.
        path: of the file, whose extension is one of ``PREVIEW_WRITERS``.

    Raises:
        ViewError: the file cannot be written.
        MissingExtra: a library that writes it is not installed.
    """
    with atomic_write(path) as temporary_path:
        PREVIEW_WRITERS[path.suffix.lower()](preview, temporary_path)


def _write_png(preview: Preview, path: Path) -> None:
    from lrlab.views.schedule_plots import create_figure

    create_figure(preview).savefig(path, format="png", dpi=150)


def _write_svg(preview: Preview, path: Path) -> None:
    from lrlab.views.schedule_plots import create_figure

    create_figure(preview).savefig(path, format="svg")


def _write_html(preview: Preview, path: Path) -> None:
    from lrlab.views.schedule_page import render_page

    path.write_text(render_page(preview), encoding="utf-8")


def _write_csv(preview: Preview, path: Path) -> None:
    """Write the rate of every step, one column for each schedule."""
    with require_extra("lab"):
        import pandas as pd

    rates = {line.label: line.rates for line in preview.lines}
    frame = pd.DataFrame(rates, index=pd.RangeIndex(preview.total_steps, name="step"))
    frame.to_csv(path, lineterminator="\n")


def _write_json(preview: Preview, path: Path) -> None:
    """Write the numbers of the table and the parts of each schedule."""
    document = {
        "created_by": "lrlab show",
        "total_steps": preview.total_steps,
        "lr": None if preview.is_relative else preview.base,
        "steps_per_epoch": preview.steps_per_epoch,
        "schedules": [
            {
                "schedule": line.label,
                "bound_schedule": repr(line.schedule),
                **dataclasses.asdict(line.summary),
                "parts": [
                    {"start_step": part.start_step, "schedule": repr(part.schedule)}
                    for part in line.parts
                ],
            }
            for line in preview.lines
        ],
    }
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


PREVIEW_WRITERS: Mapping[str, Callable[[Preview, Path], None]] = {
    ".png": _write_png,
    ".svg": _write_svg,
    ".html": _write_html,
    ".csv": _write_csv,
    ".json": _write_json,
}
"""How a preview is written, by the extension of the file."""
