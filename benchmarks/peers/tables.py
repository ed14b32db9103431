"""What was measured as Markdown, for the README."""

from collections.abc import Iterable, Mapping
from typing import Any

Measured = Mapping[str, Any]


def format_text(results: Mapping[str, Measured]) -> str:
    """The parts that were measured, and on what."""
    parts = {
        "tutorial": format_tutorial,
        "sizes": format_sizes,
        "digits": format_digits,
        "convolutions": format_convolutions,
    }
    written = [write(results[name]) for name, write in parts.items() if name in results]
    on = results["machine"]
    versions = ", ".join(f"{name} {on[name]}" for name in ("torch", "jax", "ray"))
    written.append(f"Measured on {on['cores']} cores of an {on['cpu']}, with {versions}.")
    return "\n\n".join(written) + "\n"


def format_tutorial(part: Measured) -> str:
    """The tutorial's job."""
    own, shared = part["compiling"]["own"], part["compiling"]["shared"]
    return (
        f"{format_peers(part['rows'])}\n\n"
        f"JAX takes {own:.1f} s to compile the one and {shared:.1f} s the other, which is not in "
        "these figures."
    )


def format_sizes(part: Measured) -> str:
    """The ensemble's cost and memory by the number of runs."""
    lines = ["| runs | µs per run-step | memory at most |", "| --: | --: | --: |"]
    for row in part["rows"]:
        lines.append(
            f"| {row['runs']} | {format_number(row['median'])} | {format_gibibytes(row['peak'])} |"
        )
    asked = format_gibibytes(part["memory"])
    return (
        f"More runs of the same job, and what its processes held while {asked} were allowed:\n\n"
        + "\n".join(lines)
    )


def format_digits(part: Measured) -> str:
    """The wider network."""
    return f"On `digits`, with a 64-64-10 network:\n\n{format_peers(part['rows'])}"


def format_convolutions(part: Measured) -> str:
    """The small network of convolutions."""
    return (
        f"On `digits` with two convolutions and BatchNorm, where `auto` chose the {part['chosen']} "
        f"because {part['reason']}:\n\n{format_peers(part['rows'])}"
    )


def format_peers(rows: Iterable[Measured]) -> str:
    """A table of peers."""
    lines = ["| how | cores | runs | µs per run-step | ratio |", "| --- | --: | --: | --: | --: |"]
    for row in rows:
        cells = (
            row["name"],
            row["cores"],
            row["runs"],
            format_number(row["median"]),
            format_number(row["ratio"]),
        )
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def format_number(number: float) -> str:
    """Two significant digits, or a whole number."""
    return f"{number:.0f}" if number >= 10 else f"{number:.1f}"


def format_gibibytes(number: int) -> str:
    """As memory is named."""
    return f"{number / 2**30:.2f} GiB"
