"""The scheduler in Lightning: in one line of ``configure_optimizers``, and in the logs.

For the older name of the same library, ``pytorch_lightning``, there is
``lrlab.adapters.pytorch_lightning``: their trainers refuse each other's callbacks.
"""

from lrlab.adapters._lightning import ScheduleHooks
from lrlab.adapters._lightning import configure_scheduler as configure_scheduler
from lrlab.errors import require_package

with require_package("lightning"):
    from lightning.pytorch import Callback


class ScheduleCallback(ScheduleHooks, Callback):
    """Logs every scheduled hyperparameter as used, and hands metrics to schedules that read one.

    What is logged at a step is what ``optimizer.step()`` used in it (``"lr"``, ``"momentum"``, ...,
    with several parameter groups ``"lr/0"`` or ``"lr/head"``). It goes to all of the trainer's
    loggers, every ``log_every_n_steps``. Several schedulers are told apart by the ``name`` given to
    ``config``, or else by their number. Other kinds of schedulers are left alone.

    Raises:
        SchedulerError: in training, where the metric that a schedule reads is not logged.

    >>> from lightning.pytorch import Trainer
    >>> trainer = Trainer(callbacks=[ScheduleCallback()], logger=False, barebones=True)
    """
