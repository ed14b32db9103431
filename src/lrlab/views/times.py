"""Times as people read them."""

from datetime import datetime

_UNITS = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))


def duration(seconds: float) -> str:
    """How long, with two digits or more: people do not plan by the second.

    >>> [duration(s) for s in (0.2, 59.6, 100, 600, 5400, 200_000)]
    ['< 1 s', '60 s', '1.7 min', '10 min', '1.5 h', '2.3 d']
    """
    for unit, size in _UNITS:
        if seconds >= size:
            many = seconds / size
            return f"{many:.0f} {unit}" if many >= 10 or size == 1 else f"{many:.2g} {unit}"
    return "< 1 s"


def moment(time: datetime) -> str:
    """When, by the clock of this machine."""
    return f"{time.astimezone():%Y-%m-%d %H:%M}"
