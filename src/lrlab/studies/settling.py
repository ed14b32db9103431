"""Which engine trains the runs of a study: the one asked for, else one for all of them."""

from dataclasses import replace

import torch

from lrlab.errors import StudyError, TrainingError, did_you_mean
from lrlab.studies.execution import MEMORY
from lrlab.studies.plan import Plan
from lrlab.studies.store import Store
from lrlab.training import engines
from lrlab.training.engines import Choice, Engine

KINDS = ("auto", "loop", "ensemble")
DEVICES = ("cpu", "cuda")


def check_engine(kind: str, device: str, compiled: bool) -> None:
    """Refuses what no engine can do here.

    Raises:
        StudyError: there is no such engine or device, or it does not compile.
    """
    for name, value, known in (("engine", kind, KINDS), ("device", device, DEVICES)):
        if value not in known:
            hint = did_you_mean(value, known)
            raise StudyError(f"the {name} must be one of {', '.join(known)}, got {value}{hint}.")
    if compiled and kind == "loop":
        raise StudyError("the loop is never compiled; leave out --compile, or the --engine.")
    if device == "cuda" and not torch.cuda.is_available():
        raise StudyError("the device is cuda, but torch finds none here; leave out --device.")


def settle(
    plan: Plan,
    store: Store,
    kind: str = "auto",
    device: str = "cpu",
    compiled: bool = False,
    memory: int = MEMORY,
) -> Choice:
    """The engine for a study, and the sentence that says why.

    ``"auto"`` keeps the engine of the runs that are stored already, so that those of one study are
    never of two; where none are, it takes the one that is faster at this very problem.

    Args:
        plan: the study; its own engine is not asked.
        store: where runs of it may be.
        kind: ``"auto"``, ``"loop"`` or ``"ensemble"``.
        device: where they are trained, by torch's name.
        compiled: whether the ensemble's steps go through ``torch.compile``.
        memory: bytes that the ensemble may fill.

    Raises:
        StudyError: see ``check_engine``.
    """
    check_engine(kind, device, compiled)
    loop, ensemble = Engine("loop", device), Engine("ensemble", device, compiled)
    if kind != "auto":
        return Choice(loop if kind == "loop" else ensemble, "as asked for")
    for engine, stored in _most_first(plan, store, (loop, ensemble)):
        if stored:
            return Choice(engine, f"it trained {stored} of these runs before")
    try:
        return engines.choose(plan.problem, list(plan.runs.values()), device, compiled, memory)
    except TrainingError as error:
        return Choice(loop, f"the ensemble cannot train this: {error}")


def _most_first(
    plan: Plan, store: Store, candidates: tuple[Engine, ...]
) -> list[tuple[Engine, int]]:
    stored = [
        (engine, len(store.known(replace(plan, engine=engine).runs))) for engine in candidates
    ]
    return sorted(stored, key=lambda pair: -pair[1])
