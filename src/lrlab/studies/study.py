"""A study with all its results: how its settings were chosen, what the final runs say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lrlab.schedules import Schedule
from lrlab.studies import tables
from lrlab.studies.choosing import Candidate, Selection
from lrlab.studies.defaults import BASELINE
from lrlab.studies.phases import Phase, select_tuned_settings
from lrlab.studies.plan import Plan
from lrlab.studies.scoring import compute_test_score
from lrlab.studies.statistics import Comparison, compare_scores
from lrlab.studies.verdict import write_answer
from lrlab.training import Result, Settings


@dataclass(frozen=True, eq=False)
class StudyResult:
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
    def selections(self) -> dict[Schedule, Selection]:
        """The settings chosen for each schedule."""
        return select_tuned_settings(self.plan, self.phases, self.results)

    @cached_property
    def final_results(self) -> dict[Schedule, list[Result]]:
        """The final runs of each schedule at the settings chosen for it, in the order of the
        seeds.
        """
        return {s: self._final_by_candidate[s, own.settings] for s, own in self.selections.items()}

    @cached_property
    def baseline_results(self) -> dict[Settings, list[Result]]:
        """The final runs of the baseline: at all settings that it was tried with, and halfway
        between neighbouring rates.
        """
        return {settings: own for (s, settings), own in self._final_by_candidate.items() if s == BASELINE}

    @cached_property
    def _final_by_candidate(self) -> dict[Candidate, list[Result]]:
        return self.phases[-1].group_by_candidate(self.results)

    @cached_property
    def comparison(self) -> Comparison:
        """The statistics of the final runs."""
        problem = self.plan.problem
        return compare_scores(
            {schedule: self._compute_scores(own) for schedule, own in self.final_results.items()},
            BASELINE,
            problem.metric,
            problem.test_train_ratio,
            diverged_count={s: sum(r.diverged for r in own) for s, own in self.final_results.items()},
            selections=self.selections if self.plan.is_tuned else {},
            baseline_scores={settings: self._compute_scores(own) for settings, own in self.baseline_results.items()},
        )

    def _compute_scores(self, results: Sequence[Result]) -> NDArray[np.float64]:
        problem, score = self.plan.problem, self.plan.protocol.score
        return np.array([compute_test_score(result, problem, score) for result in results])

    @property
    def answer(self) -> str:
        """What the numbers say, in words."""
        return write_answer(self.comparison)

    @property
    def table(self) -> pd.DataFrame:
        """The comparison: a row for each schedule, by rank."""
        return tables.build_comparison_frame(self)

    @property
    def runs(self) -> pd.DataFrame:
        """A row for each run of all phases."""
        return tables.build_runs_frame(self)

    @property
    def epochs(self) -> pd.DataFrame:
        """A row for each epoch of each run."""
        return tables.build_epochs_frame(self)

    def __repr__(self) -> str:
        return f"Study {self.plan.id} of {self.plan.problem.name}\n{self.answer}"

    def _repr_html_(self) -> str:
        """The answer and the table, for notebooks."""
        return tables.to_html(self)
