"""The nodes of a connected Ray cluster: what they have, and whether they are as this machine."""

from dataclasses import dataclass
from typing import Any

from lrlab.errors import StudyError, needs
from lrlab.problems.tables import counted
from lrlab.studies.connecting import reachable
from lrlab.studies.places import Machine

with needs("'lrlab[ray]'"):
    import ray
    from ray.exceptions import RayError
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

Node = dict[str, Any]


@dataclass(frozen=True)
class Need:
    """What a block needs of a node: a core, and GPUs or parts of one."""

    gpus: float = 0.0
    cpus: int = 1

    def fits(self, node: Node) -> int:
        """How many blocks the node can train at a time."""
        has = node["Resources"]
        cores = int(has.get("CPU", 0)) // self.cpus
        return min(cores, int(has.get("GPU", 0) / self.gpus)) if self.gpus else cores


def places_for(need: Need) -> int:
    """How many blocks all nodes can train at a time.

    Raises:
        StudyError: the cluster was lost, or none of its nodes has what a block needs.
    """
    places = sum(map(need.fits, _alive()))
    if not places:
        what = f"a core and {need.gpus:g} of a GPU" if need.gpus else "a core"
        raise StudyError(
            f"a block needs {what}, and no node of the Ray cluster has that; add one with `ray "
            "start --address=...` and repeat the command: runs that ended are kept."
        )
    return places


def whereabouts() -> str:
    """Which cluster this process is connected to, and how large it is."""
    nodes, cores = len(_alive()), places_for(Need())
    address = ray.get_runtime_context().gcs_address
    return f"the Ray cluster at {address}: {counted(nodes, 'node')}, {counted(cores, 'core')}"


def as_one(memory: int | None) -> Machine:
    """All nodes as one machine, its memory being so many times the share of the poorest core.

    Args:
        memory: bytes for all cores together; what Ray counts for tasks when left out.
    """
    workers = places_for(Need())
    shares = [
        node["Resources"].get("memory", 0) / Need().fits(node)
        for node in _alive()
        if Need().fits(node)
    ]
    return Machine(workers, memory or int(workers * min(shares)))


def check_versions() -> None:
    """That the nodes have torch and lrlab as this machine; Ray itself compares Python and Ray.

    Raises:
        StudyError: one of them has another version, or none.
    """

    # Sent as it is, being no function of a module: a node may not have lrlab.
    def versions() -> dict[str, str]:
        from importlib import import_module, metadata

        found = {"torch": "none", "lrlab": "none"}
        try:
            found["torch"] = metadata.version("torch").partition("+")[0]
            found["lrlab"] = import_module("lrlab").__version__
        except (metadata.PackageNotFoundError, ImportError):
            pass
        return found

    ours = versions()
    for node, theirs in _asked(versions).items():
        for name in ours:
            if theirs[name] != ours[name]:
                raise StudyError(
                    f"{name} must be the same everywhere, for results to be: this machine has "
                    f"{ours[name]}, the node {node} has {theirs[name]}; install the same there."
                )


def _asked(question: Any) -> dict[str, dict[str, str]]:
    """The answers of all nodes that live to give one, by their addresses."""
    asked = {}
    for node in _alive():
        if Need().fits(node):
            there = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
            task = ray.remote(num_cpus=0, scheduling_strategy=there)(question)
            asked[task.remote()] = node["NodeManagerAddress"]
    answers = {}
    for reference, address in asked.items():
        try:
            answers[address] = ray.get(reference)
        except RayError:  # gone meanwhile
            continue
    return answers


def _alive() -> list[Node]:
    """The nodes that live.

    Ray itself waits a minute for a lost head, and then ends this process.
    """
    if not reachable(ray.get_runtime_context().gcs_address):
        raise StudyError(
            "the Ray cluster was lost; the runs that ended are kept: repeat the command to do the "
            "others."
        )
    return [node for node in ray.nodes() if node["Alive"]]
