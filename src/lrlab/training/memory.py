"""How much memory tensors and traced programs take."""

from collections.abc import Iterable

from torch import Tensor
from torch.fx import GraphModule, Node

from lrlab.training.reuse import is_view


def size(tensors: Iterable[Tensor]) -> int:
    """Bytes of tensors."""
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def most_bytes(program: GraphModule) -> int:
    """The memory that a call takes at most beside its arguments, in bytes."""
    last = {source: node for node in program.graph.nodes for source in node.all_input_nodes}
    ends: dict[Node, list[Node]] = {}
    for source, node in last.items():
        ends.setdefault(node, []).append(source)
    held = most = 0
    for node in program.graph.nodes:
        held += _made(node)
        most = max(most, held)
        held -= sum(_made(source) for source in ends.get(node, []))
    return most


def _made(node: Node) -> int:
    """Bytes that a node makes for what it returns."""
    if node.op != "call_function" or is_view(node):
        return 0
    values = node.meta["val"]
    return size(
        t for t in (values if isinstance(values, tuple | list) else (values,)) if t is not None
    )
