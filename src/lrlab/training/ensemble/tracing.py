"""Traces the step, the outputs and the criteria of all runs into programs, cached per process.

A program is a flat list of torch's operations. In order: the programs a block gets, the functions
that are traced, how they are traced and simplified, and how much memory a program takes.
"""

import operator
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import torch
from torch import Tensor, nn
from torch._decomp import get_decompositions
from torch.func import grad_and_value, vjp, vmap
from torch.fx import Graph, GraphModule, Node
from torch.fx.experimental.proxy_tensor import make_fx
from torch.overrides import TorchFunctionMode

from lrlab.errors import TrainingError
from lrlab.training.ensemble.network import (
    Criterion,
    IdentityKey,
    Network,
    Shapes,
    get_shapes,
    make_zeros,
)
from lrlab.training.ensemble.optimizers import OptimizerSpec, UpdateRule, clip_gradients


class Program:
    """A traced function of tensors.

    ``run`` computes ``graph`` for tensors of the shapes it was traced with, a fifth faster than the
    graph's own code.
    """

    def __init__(self, graph: GraphModule, torch_compile: bool = False) -> None:
        self.graph = graph
        self.run: Callable[..., Any] = _generate_function(graph.graph)
        if torch_compile:
            self.run = torch.compile(graph, dynamic=False)


_MAX_CACHED_PROGRAMS = 64


@dataclass(frozen=True)
class StepSpec:
    """What the program of a step depends on, beside the network and the shapes of its tensors.

    Args:
        optimizer: what the optimizers of the runs share.
        coefficient_names: names of the coefficients of a step, in order.
        torch_compile: whether steps use ``torch.compile``.
    """

    optimizer: OptimizerSpec
    coefficient_names: tuple[str, ...]
    torch_compile: bool

    def get_program(self, network: Network, loss: Criterion, tensors: Sequence[Tensor]) -> Program:
        """Return the program of one step, for arguments like these.

        Raises:
            TrainingError: the network cannot be trained in the ensemble.
        """
        return _trace_step(self, network, IdentityKey(loss), get_shapes(tensors))


def get_outputs_program(network: Network, tensors: Sequence[Tensor]) -> Program:
    """Return the program of the outputs in evaluation mode, for arguments like these.

    Raises:
        TrainingError: the network cannot be evaluated in the ensemble.
    """
    return _trace_outputs(network, get_shapes(tensors))


def get_criterion_program(criterion: Criterion, tensors: Sequence[Tensor]) -> Program:
    """Return the program of a loss or a metric of all runs.

    Args:
        criterion: the loss or the metric.
        tensors: outputs like (seeds, runs per seed, rows, ...), and targets of each seed.

    Raises:
        TrainingError: the function cannot be computed for many runs at once.
    """
    shapes = get_shapes(tensors)
    return _trace_criterion(
        IdentityKey(criterion),
        shapes,
        str(tensors[0].device),
        _fingerprint_criterion(criterion, shapes),
    )


# The blocks of a study are alike, so that each process traces only those of its first block.


@lru_cache(_MAX_CACHED_PROGRAMS)
def _trace_step(spec: StepSpec, network: Network, loss: IdentityKey, shapes: Shapes) -> Program:
    network.module.train()
    step = make_step_function(
        network, loss.function, spec.optimizer.create_update_rule(), spec.coefficient_names
    )
    return _create_program(step, shapes, network.device, spec.torch_compile)


@lru_cache(_MAX_CACHED_PROGRAMS)
def _trace_outputs(network: Network, shapes: Shapes) -> Program:
    network.module.eval()
    return _create_program(make_outputs_function(network), shapes, network.device)


@lru_cache(_MAX_CACHED_PROGRAMS)
def _trace_criterion(
    criterion_key: IdentityKey, shapes: Shapes, device: str, fingerprint: str
) -> Program:
    return _create_program(vectorize_criterion(criterion_key.function), shapes, device)


def _fingerprint_criterion(criterion: Criterion, shapes: Shapes) -> str:
    """Return text that changes if the function behaves differently, as when globals change."""
    (outputs, outputs_dtype), (targets, targets_dtype) = shapes
    sample_outputs = torch.linspace(0, 1, outputs[2:].numel(), dtype=outputs_dtype).reshape(
        outputs[2:]
    )
    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
        warnings.simplefilter("ignore")  # a metric may warn about targets that are all 0
        try:
            return repr(
                float(criterion(sample_outputs, torch.zeros(targets[1:], dtype=targets_dtype)))
            )
        except (RuntimeError, ValueError, TypeError):
            return ""


def _create_program(
    function: Callable[..., Any], shapes: Shapes, device: str, torch_compile: bool = False
) -> Program:
    try:
        with torch.random.fork_rng(devices=[]):
            program = Program(trace_program(function, *make_zeros(shapes, device)), torch_compile)
            if torch_compile:
                program.run(*make_zeros(shapes, device))  # torch compiles at the first call
        return program
    except Exception as error:  # if the network itself is at fault, the loop shows it
        raise TrainingError(
            f"this network cannot be trained in the ensemble, because {_explain_failure(error)}; "
            'use `engine="loop"`.'
        ) from error


def _explain_failure(error: Exception) -> str:
    message = str(error).strip().partition("\n")[0].rstrip(".").replace(";", ",")
    if "random" in message:
        return "it draws random numbers, as dropout does"
    if ".item()" in message or "control flow" in message:
        return "its operations, or those of its loss, depend on the values of tensors"
    return f"torch reports: {message[:300]}"


def make_step_function(
    network: Network, loss: Criterion, update_rule: UpdateRule, coefficient_names: Sequence[str]
) -> Callable[..., Any]:
    """Make the function of one step of all runs.

    It takes the tensors of a stack, which it changes in place, inputs and targets of a batch, and
    the named coefficients (``max_grad_norm`` is one if gradients are clipped). It returns the loss
    of every run and whether its outputs were all finite, of shape (seeds, runs per seed).
    """

    def compute_gradients(
        trainable: list[Tensor], non_trainable: list[Tensor], y: Tensor, x: Tensor
    ) -> tuple[list[Tensor], list[Tensor], Tensor, Tensor]:
        vjp_result: Any = vjp(
            lambda parameters: network.call(parameters, non_trainable, x), trainable, has_aux=True
        )
        outputs, backward, non_trainable = vjp_result
        finite = (outputs - outputs).sum() == 0  # NaN if an output is NaN or infinite
        # Some losses raise on such outputs, which would end the other runs, too.
        output_gradient, loss_value = grad_and_value(loss)(torch.where(finite, outputs, 0), y)
        return backward(output_gradient)[0], non_trainable, loss_value, finite

    compute_all_gradients = _vmap_over_runs(compute_gradients, shared_args=1, per_run_args=3)

    def step(*tensors: Tensor) -> tuple[Tensor, Tensor]:
        trainable, non_trainable, optimizer_state, (x, y, *rest) = network.split_tensors(
            tensors, update_rule.state_count
        )
        step_coefficients = dict(zip(coefficient_names, rest, strict=True))
        gradients, new_non_trainable, losses, finite = compute_all_gradients(
            trainable, non_trainable, expand_targets(y, trainable[0]), x
        )
        if "max_grad_norm" in step_coefficients:
            gradients = clip_gradients(gradients, step_coefficients["max_grad_norm"])
        for parameter, gradient, state in zip(trainable, gradients, optimizer_state, strict=True):
            update_rule.update(parameter, gradient, state, step_coefficients)
        for old, new in zip(non_trainable, new_non_trainable, strict=True):
            old.copy_(new)
        return losses, finite

    return step


def make_outputs_function(network: Network) -> Callable[..., Tensor]:
    """Make the function of the outputs of all runs, of shape (seeds, runs per seed, rows, ...).

    It takes the parameters and buffers of a stack, and inputs.
    """

    def compute_run_outputs(
        trainable: list[Tensor], non_trainable: list[Tensor], x: Tensor
    ) -> Tensor:
        return network.call(trainable, non_trainable, x)[0]

    compute_all_outputs = _vmap_over_runs(compute_run_outputs, shared_args=1, per_run_args=2)

    def compute_outputs(*tensors: Tensor) -> Any:
        trainable, non_trainable, _, (x,) = network.split_tensors(tensors, 0)
        return compute_all_outputs(trainable, non_trainable, x)

    return compute_outputs


def vectorize_criterion(criterion: Criterion) -> Callable[[Tensor, Tensor], Tensor]:
    """Make a loss or a metric work on outputs of all runs and the targets of each seed.

    Outputs have shape (seeds, runs per seed, rows, ...).
    """

    def compute_all(outputs: Tensor, targets: Tensor) -> Tensor:
        values: Tensor = _vmap_over_runs(criterion, shared_args=0, per_run_args=2)(
            outputs, expand_targets(targets, outputs)
        )
        return values

    return compute_all


def expand_targets(targets: Tensor, stacked: Tensor) -> Tensor:
    """Expand the targets of each seed to its runs, without a copy.

    Torch's batching rules for losses need targets per run.
    """
    return targets[:, None].expand(*stacked.shape[:2], *targets.shape[1:])


def _vmap_over_runs(
    function: Callable[..., Any], shared_args: int, per_run_args: int
) -> Callable[..., Any]:
    """Map over runs; arguments per run come first, then those that the runs of a seed share."""
    return vmap(vmap(function, in_dims=(*[0] * per_run_args, *[None] * shared_args)))


def trace_program(function: Callable[..., Any], *arguments: Tensor) -> GraphModule:
    """Trace a function into its list of operations, for arguments of these shapes.

    Raises:
        RuntimeError: the function draws random numbers, depends on the values of tensors, or has
            an operation that torch cannot map over runs.
    """
    with _WideLinearMode(), _ignore_slow_vmap_warnings():
        graph = make_fx(function, decomposition_table=_get_softmax_decompositions())(*arguments)
    return simplify_graph(graph)


@cache
def _get_softmax_decompositions() -> Mapping[Any, Callable[..., Any]]:
    """Return the decompositions of operations that are faster in parts.

    The classes of stacked outputs are not adjacent in memory, so softmax reads one number after the
    other; its parts read rows, which makes a step of the digits a fifth faster.
    """
    softmax = torch.ops.aten._log_softmax
    backward = torch.ops.aten._log_softmax_backward_data
    decompositions: Mapping[Any, Callable[..., Any]] = get_decompositions([softmax, backward])
    return decompositions


@contextmanager
def _ignore_slow_vmap_warnings() -> Iterator[None]:
    """Ignore torch's warning that an operation without a batching rule runs once per run.

    The speed of the ensemble is measured before it is selected.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*batching rule.*", UserWarning)
        yield


class _WideLinearMode(TorchFunctionMode):
    """Rewrites linear layers so that runs with the same inputs make one wide product.

    With W of shape (runs, outputs, inputs) and x of shape (rows, inputs), W x^T is one product of a
    matrix of runs * outputs rows; x W^T would be a small one for every run.
    """

    def __torch_function__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        if function is nn.functional.linear and not kwargs and args[0].dim() == 2:
            x, weight, *bias = args
            product = weight @ x.mT
            if bias and bias[0] is not None:
                product = product + bias[0][:, None]
            return product.mT
        return function(*args, **(kwargs or {}))


_aten = torch.ops.aten
_RESHAPE_OPS = {_aten.view.default, _aten._unsafe_view.default, _aten.expand.default}


def simplify_graph(module: GraphModule) -> GraphModule:
    """Remove operations without effect; each would cost about a microsecond."""
    graph = module.graph
    for node in graph.nodes:
        source = _find_identical_node(node)
        if source is not None:
            node.replace_all_uses_with(source)
    graph.eliminate_dead_code()
    module.recompile()
    return module


def _find_identical_node(node: Node) -> Node | None:
    """Return an earlier node with the identical tensor, if any."""
    if node.op != "call_function" or not isinstance(node.args[0] if node.args else None, Node):
        return None
    source = node.args[0]
    assert isinstance(source, Node)
    if node.target in _RESHAPE_OPS and _get_shape(node) == _get_shape(source):
        return source
    if node.target is _aten.transpose.int and source.target is _aten.transpose.int:
        first = source.args[0]
        if _get_axes(node) == _get_axes(source) and isinstance(first, Node):
            return first
    return None


def _get_shape(node: Node) -> tuple[int, ...]:
    return tuple(node.meta["val"].shape)


def _get_axes(transposition: Node) -> set[Any]:
    dimensions: list[Any] = list(transposition.args[1:])
    return {axis % len(_get_shape(transposition)) for axis in dimensions}


def _generate_function(graph: Graph) -> Callable[..., Any]:
    """Generate the Python function ``run(*placeholders)`` of a graph."""
    namespace: dict[str, Any] = {}  # the functions and constants of the code

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
            arguments = [to_source(argument) for argument in node.args]
            arguments += [f"{name}={to_source(value)}" for name, value in node.kwargs.items()]
            lines.append(f"{node.name} = {function}({', '.join(arguments)})")
            # Free memory as early as possible, so that the next operations reuse it.
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


def count_bytes(tensors: Iterable[Tensor]) -> int:
    """Return the bytes of tensors."""
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def estimate_peak_bytes(program: Program) -> int:
    """Return the peak memory of a call beside its arguments, in bytes."""
    nodes = list(program.graph.graph.nodes)
    owner: dict[Node, Node] = {}  # the node that allocated the memory, which its views share
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
    """Return the bytes that a node allocates for its results."""
    if node.op != "call_function" or _is_view(node):
        return 0
    values = node.meta["val"]
    return count_bytes(
        t for t in (values if isinstance(values, tuple | list) else (values,)) if t is not None
    )


def _is_view(node: Node) -> bool:
    """Return whether the result of a node shares the memory of its first argument."""
    if node.target in (operator.getitem, torch.ops.aten._unsafe_view.default):
        return True
    schema = getattr(node.target, "_schema", None)
    return schema is not None and any(value.alias_info for value in schema.returns)
