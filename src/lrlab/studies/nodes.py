"""The nodes of a connected Ray cluster: what they have, and whether they are as this machine."""

from dataclasses import dataclass
from typing import Any

from lrlab.errors import StudyError, require_package
from lrlab.problems.tables import pluralize
from lrlab.studies.connecting import is_reachable
from lrlab.studies.places import Machine

with require_package("'lrlab[ray]'"):
    import ray
    from ray.exceptions import RayError
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

Node = dict[str, Any]


@dataclass(frozen=True)
class BlockResources:
    """What a block needs of a node: a core, and GPUs or parts of one."""

    gpus: float = 0.0
    cpus: int = 1

    def count_blocks(self, node: Node) -> int:
        """How many blocks the node can train at a time."""
        has = node["Resources"]
        cores = int(has.get("CPU", 0)) // self.cpus
        return min(cores, int(has.get("GPU", 0) / self.gpus)) if self.gpus else cores


def count_slots(resources: BlockResources) -> int:
    """How many blocks all nodes can train at a time.

    Raises:
        StudyError: the cluster was lost, or none of its nodes has what a block needs.
    """
    slots = sum(map(resources.count_blocks, _list_alive_nodes()))
    if not slots:
        what = f"a core and {resources.gpus:g} of a GPU" if resources.gpus else "a core"
        raise StudyError(
            f"a block needs {what}, and no node of the Ray cluster has that; add one with `ray "
            "start --address=...` and repeat the command: runs that ended are kept."
        )
    return slots


def describe_cluster() -> str:
    """Which cluster this process is connected to, and how large it is."""
    nodes, cores = len(_list_alive_nodes()), count_slots(BlockResources())
    address = ray.get_runtime_context().gcs_address
    return f"the Ray cluster at {address}: {pluralize(nodes, 'node')}, {pluralize(cores, 'core')}"


def pool_nodes(memory: int | None) -> Machine:
    """All nodes as one machine, its memory being so many times the share of the poorest core.

    Args:
        memory: bytes for all cores together; what Ray counts for tasks when left out.
    """
    workers = count_slots(BlockResources())
    memory_per_core = [
        node["Resources"].get("memory", 0) / BlockResources().count_blocks(node)
        for node in _list_alive_nodes()
        if BlockResources().count_blocks(node)
    ]
    return Machine(workers, memory or int(workers * min(memory_per_core)))


def check_versions() -> None:
    """That the nodes have torch and lrlab as this machine; Ray itself compares Python and Ray.

    Raises:
        StudyError: one of them has another version, or none.
    """

    # Sent as it is, being no function of a module: a node may not have lrlab.
    def get_versions() -> dict[str, str]:
        from importlib import import_module, metadata

        found = {"torch": "none", "lrlab": "none"}
        try:
            found["torch"] = metadata.version("torch").partition("+")[0]
            found["lrlab"] = import_module("lrlab").__version__
        except (metadata.PackageNotFoundError, ImportError):
            pass
        return found

    own_versions = get_versions()
    for node, node_versions in _run_on_nodes(get_versions).items():
        for name in own_versions:
            if node_versions[name] != own_versions[name]:
                raise StudyError(
                    f"{name} must be the same everywhere, for results to be: this machine has "
                    f"{own_versions[name]}, the node {node} has {node_versions[name]}; install the same there."
                )


def _run_on_nodes(function: Any) -> dict[str, dict[str, str]]:
    """The answers of all nodes that live to give one, by their addresses."""
    node_addresses = {}
    for node in _list_alive_nodes():
        if BlockResources().count_blocks(node):
            strategy = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
            task = ray.remote(num_cpus=0, scheduling_strategy=strategy)(function)
            node_addresses[task.remote()] = node["NodeManagerAddress"]
    answers = {}
    for reference, address in node_addresses.items():
        try:
            answers[address] = ray.get(reference)
        except RayError:  # gone meanwhile
            continue
    return answers


def _list_alive_nodes() -> list[Node]:
    """The nodes that live.

    Ray itself waits a minute for a lost head, and then ends this process.
    """
    if not is_reachable(ray.get_runtime_context().gcs_address):
        raise StudyError(
            "the Ray cluster was lost; the runs that ended are kept: repeat the command to do the "
            "others."
        )
    return [node for node in ray.nodes() if node["Alive"]]
