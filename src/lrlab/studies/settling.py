"""Which engine trains the runs of a study: the one asked for, else one for all of them."""

from dataclasses import replace

from lrlab.errors import StudyError, did_you_mean
from lrlab.studies.kept import Kept
from lrlab.studies.phases import first
from lrlab.studies.places import HERE, Cluster, Machine, Place
from lrlab.studies.plan import Plan
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
    store: Kept,
    among: tuple[Engine, ...],
    place: Place = HERE,
) -> tuple[Engine, str]:
    """The engine for a study, and the sentence that says why.

    Of several, that of a study or of runs that are stored already is kept, so that the runs of one
    study are never of two; where none are, the one is taken that is faster at this very problem.

    Args:
        plan: the study; its own engine is not asked.
        store: where runs of it may be.
        among: see ``candidates``.
        place: where runs will be trained.
    """
    last = among[-1]
    if len(among) == 1:
        return last, "as asked for"
    plans = [replace(plan, engine=engine) for engine in among]
    for begun in plans:
        if store.has(begun.id):
            return begun.engine, "this study was begun with it"
    known = {other.engine: len(store.known(first(other).runs)) for other in plans}
    most = max(known, key=known.__getitem__)
    if known[most]:
        return most, f"{known[most]} of these runs were trained by it"
    machine = HERE if isinstance(place, Cluster) else place
    return probed(plan, last, machine)


def probed(plan: Plan, ensemble: Engine, machine: Machine) -> tuple[Engine, str]:
    """The faster of the loop and an ensemble, and what was measured."""
    runs = list(first(plan).runs.values())
    workers, memory = machine.workers_for(ensemble), machine.bytes
    with one_thread():
        choice = engines.choose(
            plan.problem, runs, ensemble.device, ensemble.compiled, workers, memory
        )
    return choice.engine, choice.reason
