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

    def __init__(self, graph: GraphModule, torch_compile: bool = False) -> None:
        self.graph = graph
        self.run: Callable[..., Any] = _generate_function(graph.graph)
        if torch_compile:
            self.run = torch.compile(graph, dynamic=False)


def _generate_function(graph: Graph) -> Callable[..., Any]:
    """The function ``run(*placeholders)`` of a graph."""
    namespace: dict[str, Any] = {}  # what the code names beside its own variables

    def to_source(argument: Any) -> str:
        if isinstance(argument, Node):
            return argument.name
        if isinstance(argument, tuple | list):
            return f"[{', '.join(map(to_source, argument))}]"
        if argument is None or type(argument) in (bool, int, str):
            return repr(argument)
        namespace[f"value_{len(namespace)}"] = argument
        return f"value_{len(namespace) - 1}"

    last_use = {source: node for node in graph.nodes for source in node.all_input_nodes}
    freed_after: dict[Node, list[str]] = {}
    for source, node in last_use.items():
        freed_after.setdefault(node, []).append(source.name)
    lines = []
    for node in graph.nodes:
        if node.op == "output":
            lines.append(f"return {to_source(node.args[0])}")
        elif node.op == "call_function":
            function = f"function_{len(namespace)}"
            namespace[function] = getattr(node.target, "_op", node.target)
            arguments = [to_source(one) for one in node.args]
            arguments += [f"{name}={to_source(one)}" for name, one in node.kwargs.items()]
            lines.append(f"{node.name} = {function}({', '.join(arguments)})")
            # As soon as may be, so that the memory is there for what follows.
            unused = [] if node in last_use else [node.name]
            if freed := freed_after.get(node, []) + unused:
                lines.append(f"del {', '.join(freed)}")
        elif node.op == "get_attr":
            namespace[f"value_{len(namespace)}"] = getattr(graph.owning_module, str(node.target))
            lines.append(f"{node.name} = value_{len(namespace) - 1}")
    inputs = ", ".join(node.name for node in graph.nodes if node.op == "placeholder")
    body = "\n    ".join(lines)
    exec(f"def run({inputs}):\n    {body}", namespace)
    run: Callable[..., Any] = namespace["run"]
    return run
