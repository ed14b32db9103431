"""JAX: ``jit(vmap(lax.scan))`` over stacked models, the whole training in one compiled call.

The tutorial's network and SGD by hand, in float32, the weights donated and laid out as they are
multiplied. An epoch is a scan over its full batches and a step on the short last one; an outer scan
runs over the epochs.
"""

import time
from collections.abc import Sequence

import jax
import jax.numpy as jnp
from jax import lax

from lrlab.problems import Problem
from lrlab.training import Run

from .jobs import Job
from .stacked import Stacked


def apply_network(weights, x):
    """The logit of each row."""
    (w1, b1), (w2, b2) = weights
    return jax.nn.relu(x @ w1 + b1) @ w2 + b2


def compute_loss(weights, x, y):
    """Mean binary cross-entropy."""
    z = apply_network(weights, x)
    return jnp.mean(jax.nn.softplus(z) - y * z)


def train_step(weights, x, y, rate):
    """One step of SGD."""
    value, gradients = jax.value_and_grad(compute_loss)(weights, x, y)
    return jax.tree.map(lambda w, g: w - rate * g, weights, gradients), value


def train(weights, rates, full, short, test):
    """One model's whole training: the loss and the score of every epoch."""
    n, m = full[1].size, short[1].size

    def epoch(weights, rate):
        weights, losses = lax.scan(lambda w, batch: train_step(w, *batch, rate), weights, full)
        weights, last = train_step(weights, *short, rate)
        score = jnp.mean((apply_network(weights, test[0]) > 0) == (test[1] > 0))
        return weights, ((losses.mean() * n + last * m) / (n + m), score)

    return lax.scan(epoch, weights, rates)


def compile_training(
    problem: Problem, runs: Sequence[Run], shared: bool = False
) -> tuple[Job, float]:
    """The job on all cores, and the seconds it took to compile.

    Args:
        problem: the tutorial's.
        runs: what is trained; stacking their data is not part of the job.
        shared: whether the runs of a seed, which then stand side by side, share their batches.
    """
    data, seeds = Stacked.from_runs(problem, runs), len({run.seed for run in runs})
    whole = data.x_train.shape[1] // data.batch * data.batch
    x, y = data.x_train, data.y_train
    full = [t[:, :whole].reshape(len(runs), -1, data.batch, t.shape[2]) for t in (x, y)]
    rows = to_jax((full, [x[:, whole:], y[:, whole:]], [data.x_test, data.y_test]))
    layers = [(data.weights[f"{i}.weight"].mT, data.weights[f"{i}.bias"]) for i in (0, 2)]
    own = to_jax((layers, data.rates))
    many = jax.vmap(train)
    if shared:
        many = jax.vmap(jax.vmap(train, in_axes=(0, 0, None, None, None)))
        own = jax.tree.map(lambda a: a.reshape(seeds, -1, *a.shape[1:]), own)
        rows = jax.tree.map(lambda a: a[:: len(runs) // seeds], rows)
    weights, rates = own
    started = time.perf_counter()
    program = jax.jit(many, donate_argnums=0).lower(weights, rates, *rows).compile()
    seconds = time.perf_counter() - started

    def job():
        _, (losses, scores) = program(jax.tree.map(jnp.copy, weights), rates, *rows)
        last = [each[..., -1].flatten().tolist() for each in (losses, scores)]
        return zip(*last, strict=True)

    return job, seconds


def to_jax(tree):
    """Torch's tensors as JAX's arrays."""
    return jax.tree.map(lambda tensor: jnp.asarray(tensor.contiguous().numpy()), tree)
