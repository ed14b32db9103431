"""Other libraries' schedules by their own names and arguments, read as lrlab's schedules."""

from lrlab.dialects import torch as torch
from lrlab.dialects.names import parse as parse
