"""Schedules as an interactive web page in one HTML file, which works offline."""

import math
from html import escape

from lrlab.errors import require_extra
from lrlab.views.line_styles import get_line_style
from lrlab.views.preview import Preview, select_steps_to_draw
from lrlab.views.schedule_text import COLUMN_NAMES, COLUMN_NOTE, describe_line, format_summary

_CSS = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; background: #fafafa; margin: 0; }
main { max-width: 1080px; margin: 2rem auto; padding: 0 1.2rem; }
h1 { font-size: 1.35rem; font-weight: 600; margin: 0 0 .8rem; }
.card { background: #fff; border: 1px solid #e4e4e4; border-radius: 10px; padding: .8rem;
  margin-bottom: 1.2rem; overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { font-weight: 500; color: #666; }
th, td { text-align: right; padding: .35rem .6rem; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; white-space: normal; min-width: 16rem; }
tbody tr { border-top: 1px solid #eee; }
code { font: .87em ui-monospace, monospace; overflow-wrap: anywhere; }
svg.key { width: 26px; height: 10px; margin-right: .5rem; }
small, .note { color: #666; }
"""


def render_page(preview: Preview) -> str:
    """Return the page as HTML: the chart, the numbers, and the parts of each schedule."""
    head = "".join(f"<th>{name}</th>" for name in ("schedule", *COLUMN_NAMES))
    rows = "\n".join(_render_row(preview, i) for i in range(len(preview.lines)))
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>lrlab · {escape(preview.title)}</title>
<style>{_CSS}</style>
</head>
<body>
<main>
<h1>{escape(preview.title)}</h1>
<div class="card">{_render_chart(preview)}</div>
<div class="card">
<table>
<thead><tr>{head}</tr></thead>
<tbody>
{rows}
</tbody>
</table>
</div>
<p class="note">{COLUMN_NOTE} Click a name below the chart to hide or show its line; drag to zoom,
double-click to see all.</p>
</main>
</body>
</html>
"""


def _render_row(preview: Preview, i: int) -> str:
    line = preview.lines[i]
    style = get_line_style(i)
    key = (
        f'<svg class="key" viewBox="0 0 26 10"><line x1="0" y1="5" x2="26" y2="5" '
        f'stroke="{style.color}" stroke-width="3" stroke-dasharray="{style.svg_dasharray}"/></svg>'
    )
    details_text = escape(describe_line(line))
    details_html = f"<br><small><code>{details_text}</code></small>" if details_text else ""
    cells = "".join(f"<td>{cell}</td>" for cell in format_summary(line))
    name = f"{key}{style.mark} <code>{escape(line.label)}</code>{details_html}"
    return f"<tr><td>{name}</td>{cells}</tr>"


def _render_chart(preview: Preview) -> str:
    with require_extra("lab"):
        import plotly.graph_objects as go

    figure = go.Figure()
    for i, line in enumerate(preview.lines):
        style = get_line_style(i)
        steps = select_steps_to_draw(line.rates)
        figure.add_scatter(
            x=[*steps.tolist(), preview.total_steps],
            y=[*line.rates[steps].tolist(), line.summary.last],
            # Plotly interprets tags in names, but shows &quot; as it is.
            name=escape(f"{style.mark} {_shorten(line.label)}", quote=False),
            mode="lines",
            line={"color": style.color, "dash": style.plotly_dash, "width": 2, "shape": "hv"},
            hovertemplate="%{y:.6g}",
        )
    axis = {"gridcolor": "#eee", "zerolinecolor": "#ccc", "linecolor": "#999"}
    figure.update_layout(
        template="none",
        height=440 + 20 * _count_legend_rows(preview),
        margin={"l": 70, "r": 20, "t": 46, "b": 50},
        hovermode="x unified",
        font={"family": "system-ui, sans-serif", "size": 13, "color": "#222"},
        legend={"orientation": "h", "y": -0.16, "yanchor": "top", "x": 0},
        showlegend=True,
        xaxis={**axis, "title": {"text": "step"}, "range": [0, preview.total_steps]},
        yaxis={**axis, "title": {"text": preview.unit}, "rangemode": "tozero"},
        updatemenus=[_make_scale_buttons()],
    )
    chart: str = figure.to_html(
        full_html=False,
        include_plotlyjs=True,
        div_id="rates",
        config={"displaylogo": False, "responsive": True},
    )
    return chart


def _make_scale_buttons() -> dict[str, object]:
    """Return two buttons that switch between a linear and a logarithmic axis of rates."""
    buttons = [
        {"label": label, "method": "relayout", "args": [{"yaxis.type": kind}]}
        for label, kind in (("linear", "linear"), ("logarithmic", "log"))
    ]
    return {
        "type": "buttons", "direction": "left", "buttons": buttons, "showactive": True,
        "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom", "bgcolor": "#fff",
    }  # fmt: skip


def _count_legend_rows(preview: Preview) -> int:
    """Return about how many rows the legend takes, by which the chart must grow."""
    widest = 60 + 8 * max(len(_shorten(line.label)) for line in preview.lines)
    return math.ceil(len(preview.lines) / max(1, 960 // widest))


def _shorten(label: str, max_length: int = 60) -> str:
    return label if len(label) <= max_length else f"{label[: max_length - 1]}…"
