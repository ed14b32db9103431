"""Random schedules for property-based tests."""

from hypothesis import strategies as st

from lrlab.schedules import (
    Absolute,
    Chebyshev,
    Constant,
    Cooldown,
    Cosine,
    CosineWave,
    Exponential,
    ExponentialWarmup,
    Formula,
    Geometric,
    InverseSqrt,
    InverseTime,
    Linear,
    LogWarmup,
    MultiStep,
    Noise,
    PiecewiseConstant,
    PiecewiseInterpolate,
    Polynomial,
    PolynomialCycle,
    Power,
    Primitive,
    RadamWarmup,
    Rex,
    Schedule,
    Sigmoid,
    Step,
    Tanh,
    Warmup,
    parse,
)
from tests.schedules.builders import BUILTIN_BUILDERS

levels = st.floats(0, 10)
heights = st.floats(0.001, 10)
lengths = st.integers(0, 300)
periods = st.one_of(st.integers(1, 300), st.floats(0.5, 300))
gammas = st.floats(0.5, 1.0, exclude_min=True)
powers = st.floats(0.2, 4)
curves = st.one_of(
    st.sampled_from(["linear", "cosine", "sqrt", "square", "mirror", "halving"]), powers
)
milestones = st.lists(lengths, min_size=1, max_size=5).map(sorted)

ends = {"start": levels, "end": levels}
ramps = st.one_of(
    st.builds(Linear, levels, levels, over=lengths),
    st.builds(Cosine, lengths, **ends, power=powers, k=powers),
    st.builds(Polynomial, powers, over=lengths, **ends, k=powers),
    st.builds(Geometric, heights, heights, over=lengths),
    st.builds(Rex, lengths, **ends, beta=st.floats(0, 1.99)),
    st.builds(Cooldown, lengths, **ends, curve=curves),
    st.builds(Warmup, lengths, curve=curves),
    st.builds(Warmup, lengths, start=st.floats(0, 1), curve=curves),
)
"""Primitives with exact levels at their start and end."""

finite = st.one_of(
    ramps,
    st.builds(Constant, levels, over=lengths),
    st.builds(Tanh, lengths, **ends),
    st.builds(LogWarmup, lengths),
    st.builds(
        Formula, st.sampled_from(["(1 - p)**2", "1 / (1 + t)", "max(p, T / (T + 1))"]), over=lengths
    ),
    milestones.flatmap(
        lambda at: st.builds(
            PiecewiseInterpolate,
            st.just(at),
            st.lists(levels, min_size=len(at), max_size=len(at)),
            curve=curves,
        )
    ),
    st.builds(Chebyshev, st.sampled_from([1, 2, 8, 64]), st.floats(1, 100)),
)
endless = st.one_of(
    st.builds(Constant, levels),
    st.builds(Exponential, gammas, every=periods),
    st.builds(InverseTime, st.floats(0.001, 10), every=periods),
    st.builds(InverseSqrt, periods),
    st.builds(Power, powers, after=periods),
    st.builds(Sigmoid, st.floats(0.001, 10), at=lengths),
    st.builds(Step, periods, gammas),
    st.builds(MultiStep, milestones, gammas),
    milestones.flatmap(
        lambda at: st.builds(
            PiecewiseConstant,
            st.just(at),
            st.lists(levels, min_size=len(at) + 1, max_size=len(at) + 1),
        )
    ),
    st.builds(ExponentialWarmup, periods),
    st.builds(RadamWarmup, st.floats(0.9, 0.999)),
    st.builds(CosineWave, periods, high=levels, low=levels),
    st.builds(PolynomialCycle, powers, period=periods, **ends),
    st.builds(Noise, st.floats(0.01, 1), seed=st.integers(0, 99)),
    st.builds(Noise, st.floats(0.01, 1), std=st.floats(0.1, 2)),
    # Never a part of a sequence: clocks that start between steps round differently when grouped.
    st.builds(Cosine, st.floats(0.5, 300)),
    st.builds(Formula, st.sampled_from(["1 / (1 + 0.01*t)", "0.5 * (t < 10) + 0.5"])),
)


def _bind_examples() -> list[Schedule]:
    """Return what the gallery draws of each registered primitive, so that none is left out."""
    texts = [
        builder.gallery_example
        for name, builder in BUILTIN_BUILDERS.items()
        if isinstance(builder, type) and issubclass(builder, Primitive) and name != "Custom"
    ]
    bound = [parse(text).bind(total_steps=100, steps_per_epoch=10) for text in texts]
    return [schedule for schedule in bound if not schedule.needs_metric]


primitives = st.one_of(finite, endless, st.sampled_from(_bind_examples()))
absolute = st.one_of(
    st.builds(Constant, st.builds(Absolute, levels)),
    st.builds(Cosine, lengths, end=st.builds(Absolute, levels)),
    st.builds(Linear, st.builds(Absolute, levels), levels, over=lengths),
)


def _combine(
    parts: st.SearchStrategy[Schedule], ending: st.SearchStrategy[Schedule]
) -> st.SearchStrategy[Schedule]:
    """Combine ``parts`` in every way; those in ``ending`` have an end."""
    return st.one_of(
        st.builds(lambda a, n, b: a.until(n) >> b, parts, lengths, parts),
        st.builds(lambda a, b: a >> b, ending, parts),
        st.builds(lambda a, b: a.then(b, join="continue"), ending, parts),
        st.builds(lambda a, b: a * b, parts, parts),
        st.builds(lambda a, b: a * b, st.floats(0, 2), parts),
        st.builds(lambda a, b: a + b, parts, parts),
        st.builds(lambda a, b: a + b, st.floats(0, 2), parts),
        st.builds(lambda a, n: a.until(n), parts, lengths),
        st.builds(lambda a, n: a.shift(n), parts, st.integers(-50, 50)),
        st.builds(lambda a, k: a.stretch(k), parts, st.floats(0.1, 5)),
        st.builds(lambda a, n: a.staircase(n), parts, st.integers(1, 50)),
        st.builds(lambda a, n: a.clip(n, n + 1), parts, st.floats(0, 2)),
        st.builds(lambda a, k: a.affine(k, 0.1), parts, st.floats(0, 2)),
        st.builds(
            lambda a, at, n, g, d: a.until(at).repeat(n, growth=g, decay=d),
            parts,
            st.integers(1, 50),
            st.one_of(st.none(), st.integers(1, 4)),
            st.floats(1, 2),
            st.floats(0.5, 1),
        ),
    )


def make_trees(depth: int) -> st.SearchStrategy[Schedule]:
    """Draw relative schedules nested up to ``depth`` deep."""
    if depth <= 1:
        return primitives
    # Deferred, so that only the drawn branch is built.
    return st.one_of(primitives, st.deferred(lambda: _combine(make_trees(depth - 1), finite)))


durations = st.one_of(
    lengths,
    st.integers(0, 40).map(lambda percentage: f"{percentage}%"),
    st.floats(0, 20).map(lambda epochs: f"{epochs:.2f}ep"),
)
any_levels = st.one_of(levels, st.builds(Absolute, levels))
ending = st.one_of(
    st.builds(Constant, any_levels, over=durations),
    st.builds(Linear, any_levels, any_levels, over=durations),
    st.builds(Cosine, durations, start=any_levels, end=any_levels),
    st.builds(Warmup, durations, start=st.one_of(st.none(), any_levels)),
    st.builds(Cooldown, durations, end=any_levels, curve=curves),
)
unbound_without_end = st.one_of(
    st.builds(Constant, any_levels),
    st.builds(Cosine, end=any_levels),
    st.builds(Exponential, gammas, every=st.sampled_from([3, "1ep", "5%"])),
    st.builds(MultiStep, st.just([10, "60%", "90%"]), gammas),
)
"""Schedules without an end, or with that of the training."""


def _make_unbound(depth: int) -> st.SearchStrategy[Schedule]:
    if depth <= 1:
        return st.one_of(ending, unbound_without_end)
    parts = st.deferred(lambda: _make_unbound(depth - 1))
    return st.one_of(
        st.builds(lambda a, b: a >> b, ending, parts),
        st.builds(lambda a, at, b: a.until(at) >> b, parts, durations, parts),
        st.builds(lambda a, b: a.then(b, join="continue"), ending, parts),
        st.builds(lambda a, b: a * b if a.is_relative or b.is_relative else a + b, parts, parts),
        st.builds(lambda a, b: a + b, parts, parts),
        st.builds(lambda a, n: a.shift(n), parts, st.one_of(durations, st.integers(-50, 50))),
        st.builds(lambda a, k: a.stretch(k), parts, st.floats(0.1, 5)),
        st.builds(lambda a: a.staircase("1ep"), parts),
        st.builds(lambda a, low: a.clip(low), parts, any_levels),
        st.builds(lambda a, k, offset: a.affine(k, offset), parts, st.floats(0, 2), any_levels),
        st.builds(
            lambda a, n, g, d: a.repeat(n, growth=g, decay=d),
            ending,
            st.integers(1, 4),
            st.floats(1, 2),
            st.floats(0.5, 1),
        ),
    )


unbound_schedules = _make_unbound(4)
"""Unbound schedules with durations in every unit and levels of every kind."""

relative = make_trees(4)
schedules = st.one_of(relative, absolute, st.builds(lambda a, b: a * b, relative, absolute))
steps = st.lists(st.one_of(st.integers(0, 1000), st.floats(0, 1000)), min_size=1, max_size=40)
