"""Strategies for random schedules of nearly every kind, to be exported."""

from hypothesis import strategies as st

from lrlab.schedules import (
    Absolute,
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
    PiecewiseConstant,
    PiecewiseInterpolate,
    Polynomial,
    PolynomialCycle,
    Power,
    Rex,
    Schedule,
    Sigmoid,
    Step,
    Tanh,
    Warmup,
)

BASE = 0.5
STEPS = 150

factors = st.one_of(st.floats(0, 2), st.sampled_from([0.0, 1.0]))
heights = st.floats(0.01, 2)
levels = st.one_of(factors, st.builds(Absolute, st.floats(0, 1)))
lengths = st.integers(1, 60)
spans = st.one_of(lengths, st.floats(0.5, 60))
powers = st.one_of(st.just(1.0), st.floats(0.25, 3))
gammas = st.floats(0.5, 1.0, exclude_min=True)
curves = st.one_of(
    st.sampled_from(["linear", "cosine", "sqrt", "square", "mirror", "halving"]), powers
)


@st.composite
def staircases(draw: st.DrawFn) -> Schedule:
    at = sorted(draw(st.lists(st.integers(0, 80), min_size=1, max_size=4)))
    if draw(st.booleans()):
        return MultiStep(at, draw(gammas))
    if draw(st.booleans()):
        return PiecewiseConstant(at, [draw(levels) for _ in range(len(at) + 1)])
    return PiecewiseInterpolate(at, [draw(levels) for _ in at], curve=draw(curves))


def ramps(level: st.SearchStrategy) -> st.SearchStrategy[Schedule]:
    return st.one_of(
        st.builds(Constant, level, over=lengths),
        st.builds(Linear, level, level, over=lengths),
        st.builds(Cosine, lengths, end=level),
        st.builds(Cosine, lengths, start=level, end=level, power=powers, k=powers),
        st.builds(Polynomial, powers, over=lengths),
        st.builds(Polynomial, powers, over=lengths, start=level, end=level, k=powers),
        st.builds(Geometric, heights, heights, over=lengths),
        st.builds(Rex, lengths, start=level, end=level, beta=st.floats(0, 1.9)),
        st.builds(Tanh, lengths, start=level, end=level),
        st.builds(Warmup, lengths),
        st.builds(Warmup, lengths, start=level, curve=curves),
        st.builds(Warmup, lengths, curve=curves),
        st.builds(Cooldown, lengths, start=level, end=level, curve=curves),
        st.builds(Formula, st.sampled_from(["(1 - p)**2", "min(t, T, 3) / T"]), over=lengths),
    )


endless = st.one_of(
    st.builds(Constant, factors),
    st.builds(Exponential, gammas, every=spans),
    st.builds(InverseTime, st.floats(0.001, 2), every=spans),
    st.builds(InverseSqrt, spans),
    st.builds(Power, powers, after=spans),
    st.builds(Sigmoid, st.floats(0.01, 20), at=lengths),
    st.builds(Step, lengths, gammas),
    st.builds(LogWarmup, lengths),
    st.builds(ExponentialWarmup, spans),
    st.builds(CosineWave, spans, high=heights, low=factors),
    st.builds(PolynomialCycle, powers, period=lengths),
    st.builds(Formula, st.sampled_from(["1 / (1 + 0.01*t)", "0.5 * (2 < t < 10) + 0.5"])),
    st.builds(lambda a, n: a.repeat(n), ramps(factors), st.one_of(st.none(), st.integers(1, 3))),
    st.builds(lambda n, k: Cosine(n).repeat(growth=k), lengths, st.integers(1, 3)),
    staircases(),
)


def _transform_parts(parts: st.SearchStrategy[Schedule]) -> st.SearchStrategy[Schedule]:
    return st.one_of(
        st.builds(lambda a, b: a * b, parts, st.one_of(endless.filter(_is_relative), heights)),
        st.builds(lambda a, b: a + b, parts, st.one_of(parts, heights)),
        st.builds(lambda a, n: a.until(n), parts, lengths),
        st.builds(lambda a, n: a.shift(n), parts, st.integers(-20, 20)),
        st.builds(lambda a, k: a.stretch(k), parts, st.sampled_from([0.5, 2.0, 2.5])),
        st.builds(lambda a, n: a.staircase(n), parts, lengths),
        st.builds(lambda a, low: a.clip(low, 1.5), parts, st.floats(0, 1)),
        st.builds(lambda a, k: a.affine(k, 0.1), parts, st.floats(0, 2)),
        st.builds(
            lambda a, n, b: a.until(n).then(b, join="continue"),
            parts.filter(_is_relative),
            lengths,
            parts,
        ),
    )


def _is_relative(schedule: Schedule) -> bool:
    return schedule.is_relative


def _build_sequentials(parts: st.SearchStrategy[Schedule]) -> st.SearchStrategy[Schedule]:
    first = st.one_of(ramps(levels), st.builds(lambda a, n: a.until(n), parts, lengths))
    return st.builds(lambda a, b: a >> b, first, parts)


primitives = st.one_of(ramps(levels), endless)
primitives_of_factors = st.one_of(ramps(factors), endless)
products = st.builds(
    lambda a, b: a * b, primitives_of_factors, primitives_of_factors.filter(_is_relative)
)
schedules = st.one_of(
    primitives,
    products,
    _transform_parts(primitives),
    _build_sequentials(primitives),
    _build_sequentials(_build_sequentials(st.one_of(primitives, products))),
)
