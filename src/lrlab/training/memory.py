"""How much memory tensors and traced programs take."""

import operator
from collections.abc import Iterable

import torch
from torch import Tensor
from torch.fx import Node

from lrlab.training.program import Program


def count_bytes(tensors: Iterable[Tensor]) -> int:
    """Bytes of tensors."""
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def estimate_peak_bytes(program: Program) -> int:
    """The memory that a call takes at most beside its arguments, in bytes."""
    nodes = list(program.graph.graph.nodes)
    owner: dict[Node, Node] = {}  # of the memory in which a node lies, which lasts as its views do
    last_use: dict[Node, Node] = {}
    for node in nodes:
        owner[node] = owner[node.all_input_nodes[0]] if _is_view(node) else node
        last_use |= {owner[source]: node for source in node.all_input_nodes}
    freed_after: dict[Node, list[Node]] = {}
    for source, node in last_use.items():
        freed_after.setdefault(node, []).append(source)
    current = peak = 0
    for node in nodes:
        current += _count_allocated_bytes(node)
        peak = max(peak, current)
        current -= sum(_count_allocated_bytes(source) for source in freed_after.get(node, []))
    return peak


def _count_allocated_bytes(node: Node) -> int:
    """Bytes that a node makes for what it returns."""
    if node.op != "call_function" or _is_view(node):
        return 0
    values = node.meta["val"]
    return count_bytes(
        t for t in (values if isinstance(values, tuple | list) else (values,)) if t is not None
    )


def _is_view(node: Node) -> bool:
    """Whether what a node returns lies in the memory of its first argument."""
    if node.target in (operator.getitem, torch.ops.aten._unsafe_view.default):
        return True
    schema = getattr(node.target, "_schema", None)
    return schema is not None and any(value.alias_info for value in schema.returns)
