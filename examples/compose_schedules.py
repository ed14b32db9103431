"""Schedules are values: combine them, look at their rates, check them, and plot them.

python examples/compose_schedules.py
"""

from matplotlib.figure import Figure

import lrlab
from lrlab.dialects import torch as torch_schedules
from lrlab.dialects.export import to_code

# A warm-up over 5 epochs, then a cosine until the training ends; the floor is a rate of its own.
schedule = lrlab.Warmup("5ep") >> lrlab.Cosine(end=lrlab.Absolute(1e-5))
print(schedule)

# The text is the schedule: in configuration files, on the command line, in checkpoints.
assert lrlab.parse(str(schedule)) == schedule

# Rates of a training of 50 epochs with 20 steps each, at any step.
bound = schedule.bind(total_steps=1000, steps_per_epoch=20)
print(bound([0, 50, 100, 550, 999], base=0.1).round(5))

# What may be a mistake: this one ends long before the training does.
for finding in lrlab.lint(lrlab.Linear(1.0, 0.0, over=300), total_steps=1000):
    print(f"warning: {finding}")

# Schedules of other libraries, and code for them.
print(torch_schedules.CosineAnnealingLR(T_max=50))
print(to_code(lrlab.Warmup(5) >> lrlab.Cosine(45), "torch"))

figure = Figure(figsize=(8, 4), layout="constrained")
axes = figure.subplots()
lrlab.plot([bound, lrlab.wsd().bind(total_steps=1000)], axes, base=0.1)
figure.savefig("schedules.png")
