"""Schedules as one page to explore in a browser; it needs nothing but itself, offline too."""

import math
from html import escape

from lrlab.errors import needs_extra
from lrlab.views.colours import look
from lrlab.views.facts import kept
from lrlab.views.pieces import MARKS
from lrlab.views.preview import Preview
from lrlab.views.summary import HEAD, NOTE, details, numbers, title

GENERATOR = '<meta name="generator" content="lrlab show">'

_DASHES = {"-": "solid", "--": "dash", ":": "dot"}
_STYLE = """
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


def page(shown: Preview) -> str:
    """The page as HTML: the chart, the numbers, and what each schedule is made of."""
    head = "".join(f"<th>{name}</th>" for name in ("schedule", *HEAD))
    rows = "\n".join(_row(shown, i) for i in range(len(shown.lines)))
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
{GENERATOR}
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>lrlab · {escape(title(shown))}</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
<h1>{escape(title(shown))}</h1>
<div class="card">{_chart(shown)}</div>
<div class="card">
<table>
<thead><tr>{head}</tr></thead>
<tbody>
{rows}
</tbody>
</table>
</div>
<p class="note">{NOTE} Click a name below the chart to hide or show its line; drag to zoom,
double-click to see all.</p>
</main>
</body>
</html>
"""


def _row(shown: Preview, i: int) -> str:
    line = shown.lines[i]
    colour, style = look(i)
    dash = {"-": "", "--": ' stroke-dasharray="6 3"', ":": ' stroke-dasharray="2 3"'}[style]
    key = (
        f'<svg class="key" viewBox="0 0 26 10"><line x1="0" y1="5" x2="26" y2="5" '
        f'stroke="{colour}" stroke-width="3"{dash}/></svg>'
    )
    said = escape(details(line))
    made_of = f"<br><small><code>{said}</code></small>" if said else ""
    cells = "".join(f"<td>{cell}</td>" for cell in numbers(line))
    name = f"{key}{MARKS[i]} <code>{escape(line.label)}</code>{made_of}"
    return f"<tr><td>{name}</td>{cells}</tr>"


def _chart(shown: Preview) -> str:
    with needs_extra("lab"):
        import plotly.graph_objects as go

    figure = go.Figure()
    for i, line in enumerate(shown.lines):
        colour, style = look(i)
        steps = kept(line.rates)
        figure.add_scatter(
            x=[*steps.tolist(), shown.steps],
            y=[*line.rates[steps].tolist(), line.numbers.last],
            # Plotly reads names as HTML.
            # Plotly reads tags, and no name of a quotation mark.
            name=escape(f"{MARKS[i]} {_short(line.label)}", quote=False),
            mode="lines",
            line={"color": colour, "dash": _DASHES[style], "width": 2, "shape": "hv"},
            hovertemplate="%{y:.6g}",
        )
    axis = {"gridcolor": "#eee", "zerolinecolor": "#ccc", "linecolor": "#999"}
    figure.update_layout(
        template="none",
        height=440 + 20 * _legend_rows(shown),
        margin={"l": 70, "r": 20, "t": 46, "b": 50},
        hovermode="x unified",
        font={"family": "system-ui, sans-serif", "size": 13, "color": "#222"},
        legend={"orientation": "h", "y": -0.16, "yanchor": "top", "x": 0},
        showlegend=True,
        xaxis={**axis, "title": {"text": "step"}, "range": [0, shown.steps]},
        yaxis={**axis, "title": {"text": shown.unit}, "rangemode": "tozero"},
        updatemenus=[_scales()],
    )
    chart: str = figure.to_html(
        full_html=False,
        include_plotlyjs=True,
        div_id="rates",
        config={"displaylogo": False, "responsive": True},
    )
    return chart


def _scales() -> dict[str, object]:
    """Two buttons: a rate that falls by powers of ten is read on a logarithmic axis."""
    buttons = [
        {"label": label, "method": "relayout", "args": [{"yaxis.type": kind}]}
        for label, kind in (("linear", "linear"), ("logarithmic", "log"))
    ]
    return {
        "type": "buttons", "direction": "left", "buttons": buttons, "showactive": True,
        "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom", "bgcolor": "#fff",
    }  # fmt: skip


def _legend_rows(shown: Preview) -> int:
    """About how many rows the names take: the more, the taller the page's chart has to be."""
    widest = 60 + 8 * max(len(_short(line.label)) for line in shown.lines)
    return math.ceil(len(shown.lines) / max(1, 960 // widest))


def _short(label: str, most: int = 60) -> str:
    return label if len(label) <= most else f"{label[: most - 1]}…"
