"""The way in, for Python and for the command line: plan, run, load and list studies.

Names are imported on first use, so that reading a database does not wait for torch.
"""

from typing import TYPE_CHECKING

from lrlab.lazy import enable_lazy_imports

if TYPE_CHECKING:
    from lrlab.lab.inputs import ProblemSource as ProblemSource
    from lrlab.lab.planned_study import PlannedStudy as PlannedStudy
    from lrlab.lab.planned_study import check_target_score as check_target_score
    from lrlab.lab.planned_study import compare as compare
    from lrlab.lab.planned_study import plan_study as plan_study
    from lrlab.lab.planned_study import reopen_study as reopen_study
    from lrlab.lab.planned_study import resume_study as resume_study
    from lrlab.lab.stored_studies import Deletion as Deletion
    from lrlab.lab.stored_studies import delete_study as delete_study
    from lrlab.lab.stored_studies import find_study as find_study
    from lrlab.lab.stored_studies import list_studies as list_studies
    from lrlab.lab.stored_studies import measure_runs_per_second as measure_runs_per_second
    from lrlab.lab.stored_studies import preview_deletion as preview_deletion
    from lrlab.lab.stored_studies import read_epochs as read_epochs
    from lrlab.lab.stored_studies import read_runs as read_runs
    from lrlab.lab.study import Study as Study
    from lrlab.lab.study import load_study as load_study
    from lrlab.lab.train import Epoch as Epoch
    from lrlab.lab.train import PlannedTraining as PlannedTraining
    from lrlab.lab.train import plan_training as plan_training

_EXPORTS = {
    "inputs": ("ProblemSource",),
    "planned_study": (
        "PlannedStudy",
        "check_target_score",
        "compare",
        "plan_study",
        "reopen_study",
        "resume_study",
    ),
    "stored_studies": (
        "Deletion",
        "delete_study",
        "find_study",
        "list_studies",
        "measure_runs_per_second",
        "preview_deletion",
        "read_epochs",
        "read_runs",
    ),
    "study": ("Study", "load_study"),
    "train": ("Epoch", "PlannedTraining", "plan_training"),
}
"""The public names of each module."""

enable_lazy_imports(__name__, _EXPORTS)
