"""A study with all its results: how its settings were chosen, what the final runs say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lrlab.schedules import Schedule
from lrlab.studies import tables
from lrlab.studies.choosing import Candidate, Tuned
from lrlab.studies.defaults import BASELINE
from lrlab.studies.phases import Phase, tuned_by
from lrlab.studies.plan import Plan
from lrlab.studies.scoring import score_of
from lrlab.studies.statistics import Comparison, judge
from lrlab.studies.verdict import answer
from lrlab.training import Result, Settings


@dataclass(frozen=True, eq=False)
class Study:
    """A study with all its results.

    Args:
        plan: what was compared, and how.
        phases: those it had, the final runs last.
        results: of every run by id.
    """

    plan: Plan
    phases: tuple[Phase, ...]
    results: Mapping[str, Result]

    @cached_property
    def tuned(self) -> dict[Schedule, Tuned]:
        """The settings chosen for each schedule."""
        return tuned_by(self.plan, self.phases, self.results)

    @cached_property
    def finals(self) -> dict[Schedule, list[Result]]:
        """The final runs of each schedule at the settings chosen for it, in the order of the
        seeds.
        """
        return {s: self._final[s, own.settings] for s, own in self.tuned.items()}

    @cached_property
    def rivals(self) -> dict[Settings, list[Result]]:
        """The final runs of the baseline: at all settings that it was tried with, and halfway
        between neighbouring rates.
        """
        return {settings: own for (s, settings), own in self._final.items() if s == BASELINE}

    @cached_property
    def _final(self) -> dict[Candidate, list[Result]]:
        return self.phases[-1].by_candidate(self.results)

    @cached_property
    def comparison(self) -> Comparison:
        """The statistics of the final runs."""
        problem = self.plan.problem
        return judge(
            {schedule: self._scores(own) for schedule, own in self.finals.items()},
            BASELINE,
            problem.metric,
            problem.overlap,
            diverged={s: sum(r.diverged for r in own) for s, own in self.finals.items()},
            tuned=self.tuned if self.plan.tuned else {},
            rivals={settings: self._scores(own) for settings, own in self.rivals.items()},
        )

    def _scores(self, results: Sequence[Result]) -> NDArray[np.float64]:
        problem, score = self.plan.problem, self.plan.protocol.score
        return np.array([score_of(result, problem, score) for result in results])

    @property
    def answer(self) -> str:
        """What the numbers say, in words."""
        return answer(self.comparison)

    @property
    def table(self) -> pd.DataFrame:
        """The comparison: a row for each schedule, by rank."""
        return tables.comparison_frame(self)

    @property
    def runs(self) -> pd.DataFrame:
        """A row for each run of all phases."""
        return tables.runs_frame(self)

    @property
    def epochs(self) -> pd.DataFrame:
        """A row for each epoch of each run."""
        return tables.epochs_frame(self)

    def __repr__(self) -> str:
        return f"Study {self.plan.id} of {self.plan.problem.name}\n{self.answer}"

    def _repr_html_(self) -> str:
        """The answer and the table, for notebooks."""
        return tables.html(self)
