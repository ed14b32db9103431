"""Traced programs without what does nothing: views to the same shape, there and back again."""

from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch.fx import GraphModule, Node

_aten = torch.ops.aten
_RESHAPES = {_aten.view.default, _aten._unsafe_view.default, _aten.expand.default}


def clean(program: GraphModule) -> GraphModule:
    """The same program with fewer operations, each of which would cost about a microsecond."""
    graph = program.graph
    for node in graph.nodes:
        source = _same_as(node)
        if source is not None:
            node.replace_all_uses_with(source)
    graph.eliminate_dead_code()
    program.recompile()
    return program


def _same_as(node: Node) -> Node | None:
    """An earlier node that is the very same tensor."""
    if node.op != "call_function" or not isinstance(node.args[0] if node.args else None, Node):
        return None
    source = node.args[0]
    assert isinstance(source, Node)
    if node.target in _RESHAPES and _shape(node) == _shape(source):
        return source
    if node.target is _aten.transpose.int and source.target is _aten.transpose.int:
        first = source.args[0]
        if _axes(node) == _axes(source) and isinstance(first, Node):
            return first
    return None


def _shape(node: Node) -> tuple[int, ...]:
    return tuple(node.meta["val"].shape)


def _axes(transposition: Node) -> set[Any]:
    dimensions: list[Any] = list(transposition.args[1:])
    return {axis % len(_shape(transposition)) for axis in dimensions}


def size(tensors: Iterable[torch.Tensor]) -> int:
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
        held += _new_bytes(node)
        most = max(most, held)
        held -= sum(_new_bytes(source) for source in ends.get(node, []))
    return most


def _new_bytes(node: Node) -> int:
    if node.op != "call_function" or any(_views(node)):
        return 0
    values = node.meta["val"]
    tensors = values if isinstance(values, tuple | list) else (values,)
    return size(tensor for tensor in tensors if isinstance(tensor, torch.Tensor))


def _views(node: Node) -> Iterator[bool]:
    """Whether what a node returns lies in memory that was there before."""
    schema = getattr(node.target, "_schema", None)
    for value in schema.returns if schema else ():
        yield value.alias_info is not None
