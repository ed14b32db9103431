"""A program: a traced function of tensors, written out as one Python function."""

from collections.abc import Callable
from typing import Any

import torch
from torch.fx import Graph, GraphModule, Node


class Program:
    """A list of torch's operations, called without the layers that torch has above them.

    What it computes is ``graph``; ``run`` does so with tensors of the shapes that it was traced
    with, a fifth quicker than the graph's own code.
    """

    def __init__(self, graph: GraphModule, compiled: bool = False) -> None:
        self.graph = graph
        self.run: Callable[..., Any] = _written(graph.graph)
        if compiled:
            self.run = torch.compile(graph, dynamic=False)


def _written(graph: Graph) -> Callable[..., Any]:
    """The function ``run(*placeholders)`` of a graph."""
    values: dict[str, Any] = {}  # what the code names beside its own variables

    def text(argument: Any) -> str:
        if isinstance(argument, Node):
            return argument.name
        if isinstance(argument, tuple | list):
            return f"[{', '.join(map(text, argument))}]"
        if argument is None or type(argument) in (bool, int, str):
            return repr(argument)
        values[f"value_{len(values)}"] = argument
        return f"value_{len(values) - 1}"

    last = {source: node for node in graph.nodes for source in node.all_input_nodes}
    dead: dict[Node, list[str]] = {}
    for source, node in last.items():
        dead.setdefault(node, []).append(source.name)
    lines = []
    for node in graph.nodes:
        if node.op == "output":
            lines.append(f"return {text(node.args[0])}")
        elif node.op == "call_function":
            function = f"function_{len(values)}"
            values[function] = getattr(node.target, "_op", node.target)
            words = [text(one) for one in node.args]
            words += [f"{name}={text(one)}" for name, one in node.kwargs.items()]
            lines.append(f"{node.name} = {function}({', '.join(words)})")
            # As soon as may be, so that the memory is there for what follows.
            unused = [] if node in last else [node.name]
            if gone := dead.get(node, []) + unused:
                lines.append(f"del {', '.join(gone)}")
        elif node.op == "get_attr":
            values[f"value_{len(values)}"] = getattr(graph.owning_module, str(node.target))
            lines.append(f"{node.name} = value_{len(values) - 1}")
    inputs = ", ".join(node.name for node in graph.nodes if node.op == "placeholder")
    body = "\n    ".join(lines)
    exec(f"def run({inputs}):\n    {body}", values)
    run: Callable[..., Any] = values["run"]
    return run
