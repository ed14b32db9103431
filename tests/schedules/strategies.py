"""Random schedules for property-based tests."""

from hypothesis import strategies as st

from lrlab.schedules import (
    Constant,
    Cosine,
    Exponential,
    Formula,
    InverseTime,
    Linear,
    Rate,
    Schedule,
    Step,
    Warmup,
)

levels = st.floats(0, 10)
lengths = st.integers(0, 300)
periods = st.one_of(st.integers(1, 300), st.floats(0.5, 300))
gammas = st.floats(0.5, 1.0, exclude_min=True)

finite = st.one_of(
    st.builds(Constant, levels, over=lengths),
    st.builds(Linear, levels, levels, over=lengths),
    st.builds(Cosine, lengths, start=levels, end=levels),
    st.builds(Warmup, lengths),
    st.builds(Warmup, lengths, start=st.floats(0, 1)),
    st.builds(
        Formula, st.sampled_from(["(1 - p)**2", "1 / (1 + t)", "max(p, T / (T + 1))"]), over=lengths
    ),
)
endless = st.one_of(
    st.builds(Constant, levels),
    st.builds(Exponential, gammas, every=periods),
    st.builds(InverseTime, st.floats(0.001, 10), every=periods),
    st.builds(Step, periods, gammas),
    # No part of a sequence: clocks that start between steps round as they are grouped.
    st.builds(Cosine, st.floats(0.5, 300)),
    st.builds(Formula, st.sampled_from(["1 / (1 + 0.01*t)", "0.5 * (t < 10) + 0.5"])),
)
absolute = st.one_of(
    st.builds(Constant, st.builds(Rate, levels)),
    st.builds(Cosine, lengths, end=st.builds(Rate, levels)),
    st.builds(Linear, st.builds(Rate, levels), levels, over=lengths),
)
shapes = st.one_of(finite, endless)


def _grown(parts: st.SearchStrategy[Schedule]) -> st.SearchStrategy[Schedule]:
    return st.one_of(
        st.builds(lambda a, n, b: a.until(n) >> b, parts, lengths, parts),
        st.builds(lambda a, b: a >> b, finite, parts),
        st.builds(lambda a, b: a * b, parts, parts),
        st.builds(lambda a, b: a * b, st.floats(0, 2), parts),
        st.builds(lambda a, n: a.until(n), parts, lengths),
    )


relative = st.recursive(shapes, _grown, max_leaves=8)
schedules = st.one_of(relative, absolute, st.builds(lambda a, b: a * b, relative, absolute))
steps = st.lists(st.one_of(st.integers(0, 1000), st.floats(0, 1000)), min_size=1, max_size=40)
