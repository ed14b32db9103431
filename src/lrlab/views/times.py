"""Times as people read them."""

from datetime import datetime

_TIME_UNITS = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))


def format_duration(seconds: float) -> str:
    """How long, with two digits or more: people do not plan by the second.

    >>> [format_duration(s) for s in (0.2, 59.6, 100, 600, 5400, 200_000)]
    ['< 1 s', '60 s', '1.7 min', '10 min', '1.5 h', '2.3 d']
    """
    for unit, size in _TIME_UNITS:
        if seconds >= size:
            count = seconds / size
            return f"{count:.0f} {unit}" if count >= 10 or size == 1 else f"{count:.2g} {unit}"
    return "< 1 s"


def format_timestamp(timestamp: datetime) -> str:
    """When, by the clock of this machine."""
    return f"{timestamp.astimezone():%Y-%m-%d %H:%M}"
