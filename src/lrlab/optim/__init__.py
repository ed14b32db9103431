"""Schedules on torch optimizers: ``LRScheduler`` and ``count_steps``."""

from lrlab.optim.counting import count_steps as count_steps
from lrlab.optim.scheduler import LRScheduler as LRScheduler
