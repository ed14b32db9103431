"""The ensemble beside its peers, all in one run, as microseconds per run-step.

A run-step is a step of the optimizer of one run: wall time / (runs x steps of each). Peers take
turns, times are medians over the turns, ratios medians of the turns' ratios. Each trains with
lrlab's rows, initial weights and batches, works out loss and test accuracy after every epoch, and
is compared with the loop. Peers that are written out start from data that is stacked already;
lrlab's times have the splits, initial weights and the curves' way back to this process in them.

Writes ``benchmarks/results/ensemble.json`` and the tables of ``docs/performance.md``, unless only some parts
are run:

    LRLAB_DATA=folder-of-ionosphere.csv python benchmarks/ensemble.py [tutorial sizes ...]
"""

if __name__ == "__main__":
    # Worker processes import this file too, and are not to load what only peers need.
    from peers.parts import main

    main()
