"""The registry: which classes texts may call, and which names are taken."""

import importlib.util
import sys
from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lrlab
from lrlab.errors import ScheduleError
from lrlab.schedules import Decay, Primitive, Ramp, Schedule, combinators
from lrlab.schedules.core import BUILDERS, is_builtin
from lrlab.schedules.fields import DurationOrRemaining, Level, Period, Positive
from lrlab.testing import check_schedule
from lrlab.views.gallery import list_examples, render_gallery
from tests.raising import raises
from tests.schedules.builders import BUILTIN_BUILDERS
from tests.schedules.definitions import DEFINITION
from tests.schedules.strategies import finite, make_trees, primitives


@dataclass(frozen=True, repr=False)
class Hyperbola(Primitive):
    """A user's primitive."""

    scale: Positive

    def evaluate(self, t, base):
        return base / (1 + t / self.scale)


@dataclass(frozen=True, repr=False)
class Quartic(Ramp):
    """A user's ramp."""

    over: DurationOrRemaining = None
    start: Level = 1.0
    end: Level = 0.0

    def decay(self, remaining):
        return remaining**4


@dataclass(frozen=True, repr=False)
class Halving(Decay):
    """A user's decay."""

    every: Period = 1

    def evaluate(self, t, base):
        return base * np.exp2(-self.to_units(t))


users_own = st.one_of(
    st.builds(Hyperbola, st.floats(0.1, 100)),
    st.builds(Halving, st.integers(1, 50)),
    st.builds(Quartic, st.integers(0, 100), st.floats(0, 10), st.floats(0, 10)),
)


@given(
    schedule=st.one_of(
        users_own,
        st.builds(lambda a, b: a >> b, finite, users_own),
        st.builds(lambda a, n, b: a.until(n) >> b, users_own, st.integers(0, 99), primitives),
        st.builds(lambda a, b: a * b, users_own, make_trees(3)),
        st.builds(lambda a, b: (a + b).clip(0.1), make_trees(3), users_own),
        st.builds(lambda a, k: a.stretch(k).shift(3), users_own, st.floats(0.1, 5)),
    )
)
def test_texts_with_a_users_class_parse_back(schedule: Schedule) -> None:
    text = lrlab.to_text(schedule)
    assert lrlab.parse(text) == lrlab.schedules.parse(text) == schedule


def test_a_users_class_passes_the_checks_for_users() -> None:
    for schedule in (Hyperbola(3), Quartic("30%") >> Halving("2ep"), "Hyperbola(3) * Cosine()"):
        check_schedule(schedule)


@pytest.mark.parametrize("rates", [None, np.ones((2, 2)), [0.5, 0.5]])
def test_a_users_class_must_give_a_rate_for_each_step(rates: object) -> None:
    class Wrong(Primitive):
        def evaluate(self, t, base):
            return rates

    with raises(ScheduleError, "Wrong()", "evaluate"):
        Wrong()([0, 1, 2])


EXAMPLES = [
    builder.gallery_example for name, builder in BUILTIN_BUILDERS.items() if name != "Custom"
]


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_schedule_of_lrlab_passes_the_checks_for_users(example: str) -> None:
    check_schedule(example)


def test_operators_and_methods_are_not_called_by_name() -> None:
    for name in combinators.__all__:
        assert name not in BUILDERS
        with raises(ScheduleError, "unknown schedule", name):
            lrlab.parse(f"{name}(3)")


def test_a_class_with_abstract_methods_is_not_registered() -> None:
    class Base(Primitive):
        @abstractmethod
        def height(self) -> float: ...

        def evaluate(self, t, base):
            return np.full_like(t, self.height() * base)

    assert not {"Base", "Primitive", "Schedule", "Ramp", "Decay"} & set(BUILDERS)

    @dataclass(frozen=True, repr=False)
    class _Private(Base):
        def height(self) -> float:
            return 0.5

    assert lrlab.parse("_Private()") == _Private()


@pytest.mark.parametrize("name", ["Cosine", "Absolute", "one_cycle", "Custom"])
def test_the_names_of_lrlab_are_taken(name: str) -> None:
    with raises(ScheduleError, name, "lrlab", "rename"):
        exec(DEFINITION.replace("MyDecay", name), {"__name__": "user_module"})
    assert is_builtin(BUILDERS[name])


@pytest.mark.parametrize("name", ["Sequential", "torch"])
def test_other_names_are_free(name: str) -> None:
    exec(DEFINITION.replace("MyDecay", name), {"__name__": "user_module"})
    assert repr(lrlab.parse(f"{name}(2)")) == f"{name}(2.0)"


def test_a_class_that_is_defined_again_takes_its_place() -> None:
    """As in a cell of a notebook, in a script run again, in a module loaded again."""
    for _ in range(2):
        definition = {"__name__": "__main__"}
        exec(DEFINITION.replace("MyDecay", "Again"), definition)
        assert type(lrlab.parse("Again(2)")) is definition["Again"]


def test_another_class_of_the_same_name_is_refused() -> None:
    definition = {"__name__": "first_module"}
    exec(DEFINITION.replace("MyDecay", "Twice"), definition)
    with raises(ScheduleError, "Twice", "first_module", "rename"):
        exec(DEFINITION.replace("MyDecay", "Twice"), {"__name__": "second_module"})
    assert type(lrlab.parse("Twice(2)")) is definition["Twice"]


def define_first() -> type[Schedule]:
    class Local(Primitive):
        def evaluate(self, t, base):
            return np.full_like(t, base)

    return Local


def define_second() -> type[Schedule]:
    class Local(Primitive):
        def evaluate(self, t, base):
            return np.full_like(t, 0.5 * base)

    return Local


def test_a_class_in_a_function_gives_its_name_to_any_other() -> None:
    for define in (define_first, define_second, define_second):
        latest = define()
        assert type(lrlab.parse("Local()")) is latest
    exec(DEFINITION.replace("MyDecay", "Local"), {"__name__": "user_module"})
    with raises(ScheduleError, "Local", "user_module"):
        define_first()


def test_a_script_may_be_imported_by_the_name_of_its_file(
    scripts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A study of ``my_script.py:problem`` imports the script that started it."""
    file = scripts / "own_script.py"
    file.write_text(DEFINITION.replace("MyDecay", "InScript"))
    main = ModuleType("__main__")
    main.__file__ = str(file)
    monkeypatch.setitem(sys.modules, "__main__", main)
    exec(file.read_text(), vars(main))
    monkeypatch.syspath_prepend(scripts)
    module = importlib.import_module("own_script")
    assert type(lrlab.parse("InScript(2)")) is module.InScript


def test_an_unknown_class_is_named_with_the_nearest_and_the_remedy() -> None:
    with raises(ScheduleError, "unknown schedule Hyperbole", "Hyperbola?", "`import my_schedules`"):
        lrlab.parse("Warmup(3) >> Hyperbole(3)")


def test_a_new_primitive_of_lrlab_is_one_class(tmp_path: Path) -> None:
    """What a contributor writes into a module of lrlab.schedules is all that a primitive needs."""
    (tmp_path / "sawteeth.py").write_text(DEFINITION.replace("MyDecay", "Sawtooth"))
    spec = importlib.util.spec_from_file_location(
        "lrlab.schedules.sawteeth", tmp_path / "sawteeth.py"
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
        assert lrlab.parse("Warmup(5) >> Sawtooth(0.3)") == lrlab.Warmup(5) >> module.Sawtooth(0.3)
        check_schedule("Sawtooth(0.3)")
        assert "Sawtooth(0.1)" in [example.text for example in list_examples()["sawteeth"]]
        with raises(ScheduleError, "Sawteeth", "Sawtooth?"):
            lrlab.parse("Sawteeth(0.3)")
    finally:
        del sys.modules[spec.name]


def test_a_users_class_with_an_example_is_in_the_gallery() -> None:
    exec(DEFINITION, {"__name__": "my_schedules"})
    section, examples = list(list_examples().items())[-1]
    assert section.startswith("my_schedules")
    assert [example.name for example in examples] == ["MyDecay"]
    lines = [line.plain for line in render_gallery(80)]
    assert any(line.endswith("MyDecay(scale)") for line in lines)
