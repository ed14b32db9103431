"""Traced programs that write over tensors they need no more: less memory to walk through."""

import operator
from typing import Any

import torch
from torch.fx import GraphModule, Node

_aten = torch.ops.aten
_OVER: dict[Any, tuple[Any, str]] = {
    _aten.add.Tensor: (_aten.add.out, "out"),
    _aten.sub.Tensor: (_aten.sub.out, "out"),
    _aten.mul.Tensor: (_aten.mul.out, "out"),
    _aten.div.Tensor: (_aten.div.out, "out"),
    _aten.sqrt.default: (_aten.sqrt.out, "out"),
    _aten.relu.default: (_aten.relu.out, "out"),
    _aten.tanh.default: (_aten.tanh.out, "out"),
    _aten.sigmoid.default: (_aten.sigmoid.out, "out"),
    _aten.threshold_backward.default: (_aten.threshold_backward.grad_input, "grad_input"),
    _aten.tanh_backward.default: (_aten.tanh_backward.grad_input, "grad_input"),
    _aten.sigmoid_backward.default: (_aten.sigmoid_backward.grad_input, "grad_input"),
}
"""Operations on each number alone, and how each is told where to write."""

_VIEWS_UNTOLD = {
    operator.getitem,
    _aten._unsafe_view.default,
    _aten.unsafe_split.Tensor,
    _aten.unsafe_split_with_sizes.default,
}
"""What gives views without saying so in its schema."""


def reuse(program: GraphModule) -> GraphModule:
    """The same program, whose operations write over their first argument where they may.

    They may where the program has made that memory itself, where nothing that follows reads it by
    whatever view, and where it has the layout of what is written.
    """
    nodes = list(program.graph.nodes)
    memory: dict[Node, Node] = {}  # the node that has made the memory in which a node lies
    last: dict[Node, int] = {}  # the last place where memory is read
    for i, node in enumerate(nodes):
        memory[node] = memory[node.all_input_nodes[0]] if is_view(node) else node
        last |= {memory[source]: i for source in node.all_input_nodes}
    for i, node in enumerate(nodes):
        source = node.args[0] if node.target in _OVER else None
        if not isinstance(source, Node) or not _alike(node, source):
            continue
        made = memory[source]
        beside = [other for other in node.all_input_nodes if memory[other] is made]
        if made.op != "call_function" or last[made] > i or beside != [source]:
            continue
        node.target, where = _OVER[node.target]
        node.kwargs = {**node.kwargs, where: source}
        last[made] = last.get(node, i)
        memory |= {other: made for other, own in memory.items() if own is node}
    program.recompile()
    return program


def is_view(node: Node) -> bool:
    """Whether a node lies in the memory of its first argument."""
    if node.target in _VIEWS_UNTOLD:
        return True
    schema = getattr(node.target, "_schema", None)
    return schema is not None and any(value.alias_info for value in schema.returns)


def _alike(node: Node, source: Node) -> bool:
    """Whether both have one shape, type and layout, no number lying in the place of another."""
    one, other = node.meta["val"], source.meta["val"]
    same = one.shape == other.shape and one.dtype == other.dtype
    return same and one.stride() == other.stride() and _dense(other)


def _dense(tensor: Any) -> bool:
    expected = 1
    for stride, size in sorted(zip(tensor.stride(), tensor.shape, strict=True)):
        if size > 1 and stride != expected:
            return False
        expected *= size
    return True
