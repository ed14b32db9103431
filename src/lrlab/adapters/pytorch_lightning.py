"""The scheduler in Lightning under its older name; all as in ``lrlab.adapters.lightning``."""

from lrlab.adapters._lightning import Hooks
from lrlab.adapters._lightning import config as config
from lrlab.errors import needs

with needs("pytorch-lightning"):
    from pytorch_lightning import Callback


class ScheduleCallback(Hooks, Callback):
    """``lrlab.adapters.lightning.ScheduleCallback``, for ``pytorch_lightning.Trainer``."""
