"""What was measured as Markdown, for the README."""

from collections.abc import Iterable, Mapping
from typing import Any

Measured = Mapping[str, Any]


def text(found: Mapping[str, Measured]) -> str:
    """The parts that were measured, and on what."""
    parts = {"tutorial": tutorial, "sizes": sizes, "digits": digits, "convolutions": convolutions}
    written = [write(found[name]) for name, write in parts.items() if name in found]
    on = found["machine"]
    versions = ", ".join(f"{name} {on[name]}" for name in ("torch", "jax", "ray"))
    written.append(f"Measured on {on['cores']} cores of an {on['cpu']}, with {versions}.")
    return "\n\n".join(written) + "\n"


def tutorial(part: Measured) -> str:
    """The tutorial's job."""
    own, shared = part["compiling"]["own"], part["compiling"]["shared"]
    return (
        f"{peers(part['rows'])}\n\n"
        f"JAX takes {own:.1f} s to compile the one and {shared:.1f} s the other, which is not in "
        "these figures."
    )


def sizes(part: Measured) -> str:
    """The ensemble's cost and memory by the number of runs."""
    lines = ["| runs | µs per run-step | memory at most |", "| --: | --: | --: |"]
    for row in part["rows"]:
        lines.append(f"| {row['runs']} | {figure(row['median'])} | {gibibytes(row['peak'])} |")
    asked = gibibytes(part["memory"])
    return (
        f"More runs of the same job, and what its processes held while {asked} were allowed:\n\n"
        + "\n".join(lines)
    )


def digits(part: Measured) -> str:
    """The wider network."""
    return f"On `digits`, with a 64-64-10 network:\n\n{peers(part['rows'])}"


def convolutions(part: Measured) -> str:
    """The small network of convolutions."""
    return (
        f"On `digits` with two convolutions and BatchNorm, where `auto` chose the {part['chosen']} "
        f"because {part['reason']}:\n\n{peers(part['rows'])}"
    )


def peers(rows: Iterable[Measured]) -> str:
    """A table of peers."""
    lines = ["| how | cores | runs | µs per run-step | ratio |", "| --- | --: | --: | --: | --: |"]
    for row in rows:
        cells = (
            row["name"],
            row["cores"],
            row["runs"],
            figure(row["median"]),
            figure(row["ratio"]),
        )
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def figure(number: float) -> str:
    """Two significant digits, or a whole number."""
    return f"{number:.0f}" if number >= 10 else f"{number:.1f}"


def gibibytes(number: int) -> str:
    """As memory is named."""
    return f"{number / 2**30:.2f} GiB"
