"""Which engine trains the runs of a study: the one asked for, else one for all of them."""

from dataclasses import replace

from lrlab.errors import StudyError, format_suggestion
from lrlab.studies.execution.backends import THIS_MACHINE, Backend, Machine, RayCluster
from lrlab.studies.plan.phases import plan_first_phase
from lrlab.studies.plan.plan import Plan
from lrlab.studies.store.reader import ReadableStore
from lrlab.training import engines
from lrlab.training.engines import Engine, use_one_thread

AUTO_ENGINE = "auto"


def list_engines(kind: str, device: str = "cpu", torch_compile: bool = False) -> tuple[Engine, ...]:
    """The engines that a kind leaves to choose from: both for ``"auto"``.

    Raises:
        StudyError: there is no such kind.
        TrainingError: this machine has no such device, or an engine cannot be compiled.

    >>> list_engines("auto")
    (Engine(kind='loop', device='cpu', torch_compile=False), \
Engine(kind='ensemble', device='cpu', torch_compile=False))
    """
    kinds = (AUTO_ENGINE, *engines.ENGINE_KINDS)
    if kind not in kinds:
        hint = format_suggestion(kind, kinds)
        raise StudyError(f"the engine must be one of {', '.join(kinds)}, got {kind}{hint}.")
    is_auto = kind == AUTO_ENGINE
    loop = () if kind == "ensemble" else (Engine("loop", device, torch_compile and not is_auto),)
    return loop if kind == "loop" else (*loop, Engine("ensemble", device, torch_compile))


def select_engine(
    plan: Plan,
    store: ReadableStore,
    allowed_engines: tuple[Engine, ...],
    backend: Backend = THIS_MACHINE,
) -> tuple[Engine, str]:
    """The engine for a study, and the sentence that says why.

    Of several, that of a study or of runs that are stored already is kept, so that the runs of one
    study are never of two; where none are, the one is taken that is faster at this very problem.

    Args:
        plan: the study; its own engine is not asked.
        store: where runs of it may be.
        allowed_engines: see ``list_engines``.
        backend: where runs will be trained.
    """
    last_engine = allowed_engines[-1]
    if len(allowed_engines) == 1:
        return last_engine, "as asked for"
    plans = [replace(plan, engine=engine) for engine in allowed_engines]
    for candidate_plan in plans:
        if store.has_study(candidate_plan.id):
            return candidate_plan.engine, "this study was begun with it"
    stored_counts = {
        other.engine: len(store.find_stored_runs(plan_first_phase(other).runs)) for other in plans
    }
    best_stored = max(stored_counts, key=stored_counts.__getitem__)
    if stored_counts[best_stored]:
        return best_stored, f"{stored_counts[best_stored]} of these runs were trained by it"
    machine = THIS_MACHINE if isinstance(backend, RayCluster) else backend
    return probe_engines(plan, last_engine, machine)


def probe_engines(plan: Plan, ensemble_engine: Engine, machine: Machine) -> tuple[Engine, str]:
    """The faster of the loop and an ensemble, and what was measured."""
    runs = list(plan_first_phase(plan).runs.values())
    workers, memory = machine.count_workers(ensemble_engine), machine.memory_bytes
    with use_one_thread():
        choice = engines.select_faster_engine(
            plan.problem,
            runs,
            ensemble_engine.device,
            ensemble_engine.torch_compile,
            workers,
            memory,
        )
    return choice.engine, choice.reason
