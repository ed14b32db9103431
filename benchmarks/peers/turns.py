"""Peers taking turns, and what comes of it: one row of the table for each."""

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

from lrlab.problems import Problem

from .jobs import Peer, check_finals, count_run_steps, shorten, train_in_loop


@dataclass(frozen=True)
class Row:
    """What was measured of a peer.

    Args:
        name, cores: the peer's.
        runs: how many runs it trains.
        turns: how many times it did.
        median, lowest, highest: microseconds per run-step.
        ratio: to the first of the peers, the median over the turns both took.
    """

    name: str
    cores: int
    runs: int
    turns: int
    median: float
    lowest: float
    highest: float
    ratio: float


def measure_in_turns(problem: Problem, peers: Sequence[Peer]) -> list[Row]:
    """Every peer's row, after its turns.

    A turn before the others warms up; those that take a single one are long enough without. What
    a peer trained is compared with the loop in every turn.
    """
    (epochs,) = {run.settings.epochs for peer in peers for run in peer.runs}
    runs, rows = shorten(problem, epochs), len(problem.split(0).x_test)
    right = dict(zip(runs, train_in_loop(problem, runs)(), strict=True))
    times: list[list[float]] = [[] for _ in peers]
    for turn in range(max(peer.turns for peer in peers) + 1):
        for peer, taken in zip(peers, times, strict=True):
            if turn > peer.turns or (turn == 0 and peer.turns == 1):
                continue
            started = time.perf_counter()
            finals = peer.job()
            seconds = time.perf_counter() - started
            check_finals(peer, finals, right, rows)
            if turn:
                taken.append(1e6 * seconds / count_run_steps(problem, peer.runs))
                print(f"{taken[-1]:8.2f}  {peer.name}, {len(peer.runs)} runs", flush=True)
    return [make_row(peer, taken, times[0]) for peer, taken in zip(peers, times, strict=True)]


def make_row(peer: Peer, times: list[float], first: list[float]) -> Row:
    """The row of a peer, from its times and the first peer's."""
    return Row(
        peer.name,
        peer.cores,
        len(peer.runs),
        len(times),
        statistics.median(times),
        min(times),
        max(times),
        statistics.median(a / b for a, b in zip(times, first, strict=False)),
    )
