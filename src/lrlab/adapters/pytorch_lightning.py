"""The scheduler in ``pytorch_lightning``, Lightning's older name; see ``adapters.lightning``."""

from lrlab.adapters._lightning import ScheduleHooks
from lrlab.adapters._lightning import configure_scheduler as configure_scheduler
from lrlab.errors import require_package

with require_package("pytorch-lightning"):
    from pytorch_lightning import Callback


class ScheduleCallback(ScheduleHooks, Callback):
    """``lrlab.adapters.lightning.ScheduleCallback``, for ``pytorch_lightning.Trainer``."""
