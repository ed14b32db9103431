"""The scheduler in Lightning under its older name; all as in ``lrlab.adapters.lightning``."""

from lrlab.adapters._lightning import Hooks
from lrlab.adapters._lightning import config as config
from lrlab.errors import MissingExtra

try:
    from pytorch_lightning import Callback
except ModuleNotFoundError:
    raise MissingExtra(
        "lrlab.adapters.pytorch_lightning needs Lightning, which is not installed: "
        "pip install pytorch-lightning"
    ) from None


class ScheduleCallback(Hooks, Callback):
    """``lrlab.adapters.lightning.ScheduleCallback``, for ``pytorch_lightning.Trainer``."""
