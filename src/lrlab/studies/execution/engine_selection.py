"""Selects the engine of a study: the requested one, or the faster one for its problem."""

from dataclasses import replace

from lrlab.errors import StudyError, format_suggestion
from lrlab.studies.execution.backends import THIS_MACHINE, Backend, Machine
from lrlab.studies.plan.phases import plan_first_phase
from lrlab.studies.plan.plan import Plan
from lrlab.studies.store.reader import ReadableStore
from lrlab.training import probing
from lrlab.training.engines import (
    ENGINES,
    Engine,
    EnsembleEngine,
    LoopEngine,
    create_engine,
    use_one_thread,
)
from lrlab.training.probing import EngineChoice, EngineReason

AUTO_ENGINE = "auto"


def list_engines(kind: str, device: str = "cpu", torch_compile: bool = False) -> tuple[Engine, ...]:
    """Return the engines of a kind: both for ``"auto"``.

    Raises:
        StudyError: the kind does not exist.
        TrainingError: this machine has no such device, or the engine cannot be compiled.

    >>> list_engines("auto")
    (LoopEngine(device='cpu'), EnsembleEngine(device='cpu', torch_compile=False))
    """
    kinds = (AUTO_ENGINE, *ENGINES)
    if kind not in kinds:
        hint = format_suggestion(kind, kinds) or "."
        raise StudyError(f"`engine` must be {', '.join(kinds)} or ray, got {kind}{hint}")
    engines = (
        (LoopEngine(device), EnsembleEngine(device, torch_compile))
        if kind == AUTO_ENGINE
        else (create_engine(kind, device, torch_compile),)
    )
    for engine in engines:
        engine.check_available()
    return engines


def select_engine(
    plan: Plan,
    store: ReadableStore,
    allowed_engines: tuple[Engine, ...],
    backend: Backend = THIS_MACHINE,
) -> EngineChoice:
    """Return the engine for a study, and why; its time per step if it was measured.

    If the study or some of its runs are stored already, their engine is selected, so that one
    engine trains all runs of a study. Otherwise it is the faster one for this problem.

    Args:
        plan: the study; its own engine is ignored.
        store: where its runs may be stored.
        allowed_engines: see ``list_engines``.
        backend: where the runs will be trained.
    """
    last_engine = allowed_engines[-1]
    if len(allowed_engines) == 1:
        return EngineChoice(last_engine, EngineReason.REQUESTED)
    plans = [replace(plan, engine=engine) for engine in allowed_engines]
    for candidate_plan in plans:
        if store.has_study(candidate_plan.id):
            return EngineChoice(candidate_plan.engine, EngineReason.STUDY_BEGAN)
    stored_counts = {
        other.engine: len(store.find_stored_runs(plan_first_phase(other).runs)) for other in plans
    }
    best_stored = max(stored_counts, key=stored_counts.__getitem__)
    if stored_count := stored_counts[best_stored]:
        return EngineChoice(best_stored, EngineReason.RUNS_STORED, stored_count=stored_count)
    return probe_engines(plan, last_engine, backend.driver)


def probe_engines(plan: Plan, engine: Engine, machine: Machine) -> EngineChoice:
    """Return the faster of the loop and another engine, with the measurement."""
    runs = list(plan_first_phase(plan).runs.values())
    workers, memory = machine.count_workers(engine), machine.memory_bytes
    with use_one_thread():
        return probing.select_faster_engine(plan.problem, runs, engine, workers, memory)
