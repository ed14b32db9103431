"""Which engine trains the runs of a study: the one asked for, else one for all of them."""

from dataclasses import replace

from lrlab.errors import StudyError, did_you_mean
from lrlab.studies.places import HERE, Cluster, Machine, Place
from lrlab.studies.plan import Plan
from lrlab.studies.store import Store
from lrlab.training import engines
from lrlab.training.engines import Engine
from lrlab.training.threads import one_thread

AUTO = "auto"


def candidates(kind: str, device: str = "cpu", compiled: bool = False) -> tuple[Engine, ...]:
    """The engines that a kind leaves to choose from: both for ``"auto"``.

    Raises:
        StudyError: there is no such kind.
        TrainingError: this machine has no such device, or an engine cannot be compiled.

    >>> candidates("auto")
    (Engine(kind='loop', device='cpu', compiled=False), \
Engine(kind='ensemble', device='cpu', compiled=False))
    """
    kinds = (AUTO, *engines.KINDS)
    if kind not in kinds:
        hint = did_you_mean(kind, kinds)
        raise StudyError(f"the engine must be one of {', '.join(kinds)}, got {kind}{hint}.")
    both = kind == AUTO
    loop = () if kind == "ensemble" else (Engine("loop", device, compiled and not both),)
    return loop if kind == "loop" else (*loop, Engine("ensemble", device, compiled))


def settle(
    plan: Plan,
    store: Store,
    among: tuple[Engine, ...],
    place: Place = HERE,
) -> tuple[Engine, str]:
    """The engine for a study, and the sentence that says why.

    Of several, that of the runs that are stored already is kept, so that those of one study are
    never of two; where none are, the one is taken that is faster at this very problem.

    Args:
        plan: the study; its own engine is not asked.
        store: where runs of it may be.
        among: see ``candidates``.
        place: where runs will be trained.
    """
    last = among[-1]
    if len(among) == 1:
        return last, "as asked for"
    for engine, stored in _most_first(plan, store, among):
        if stored:
            return engine, f"{stored} of these runs were trained by it"
    runs = list(plan.runs.values())
    machine = Machine() if isinstance(place, Cluster) else place
    with one_thread():
        workers, memory = machine.workers_for(last), machine.bytes
        choice = engines.choose(plan.problem, runs, last.device, last.compiled, workers, memory)
    return choice.engine, choice.reason


def _most_first(plan: Plan, store: Store, among: tuple[Engine, ...]) -> list[tuple[Engine, int]]:
    stored = [(engine, len(store.known(replace(plan, engine=engine).runs))) for engine in among]
    return sorted(stored, key=lambda pair: -pair[1])
