"""Measures the ensemble and its peers, in microseconds per run-step.

A run-step is a step of the optimizer of one run: its time is wall time / (runs x steps per run).
All take turns in one process; times are medians over the turns, ratios are medians of the ratios of
a turn. All train with lrlab's rows, initial weights and batches, compute loss and test accuracy
after every epoch, and are compared with the loop. Hand-written peers start from stacked data;
lrlab's times include the splits, the initial weights and the transfer of the curves.

Writes ``benchmarks/results/ensemble.json`` and the tables of ``docs/performance.md`` if all parts
are run:

    LRLAB_DATA=folder-of-ionosphere.csv python benchmarks/ensemble.py [tutorial sizes ...]
"""

if __name__ == "__main__":
    # Worker processes import this file, too, but do not need the imports of peers.
    from peers.parts import main

    main()
