"""The scheduler in Lightning: one line of ``configure_optimizers``, and a callback for logs.

For ``pytorch_lightning``, the older name of the library, use ``lrlab.adapters.pytorch_lightning``:
their trainers refuse each other's callbacks.
"""

from lrlab.adapters._lightning import ScheduleHooks
from lrlab.adapters._lightning import configure_scheduler as configure_scheduler
from lrlab.errors import require_package

with require_package("lightning"):
    from lightning.pytorch import Callback


class ScheduleCallback(ScheduleHooks, Callback):
    """Logs scheduled hyperparameters as used, and passes metrics to metric-driven schedules.

    Every ``log_every_n_steps``, all of the trainer's loggers get the values that
    ``optimizer.step()`` used at that step (``"lr"``, ``"momentum"``, ..., with several parameter
    groups ``"lr/0"`` or ``"lr/head"``). The logs of several schedulers begin with the ``name``
    given to ``configure_scheduler``, or with a number. Other kinds of schedulers are ignored.

    Raises:
        SchedulerError: in training, if the metric that a schedule reads is not logged.

    >>> from lightning.pytorch import Trainer
    >>> trainer = Trainer(callbacks=[ScheduleCallback()], logger=False, barebones=True)
    """
