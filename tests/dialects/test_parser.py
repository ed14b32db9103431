"""parse: texts with other libraries' names, and their errors."""

import subprocess
import sys
from importlib import import_module

import pytest

from lrlab.dialects import DIALECTS, export, parse
from lrlab.errors import ScheduleError
from tests.raising import raises


def test_texts_have_torchs_names() -> None:
    text = "torch.LinearLR(start_factor=1.0, end_factor=0.5, total_iters=30)"
    assert repr(parse(text)) == "Linear(1.0, 0.5, over=30)"
    assert repr(parse("torch.StepLR(30)")) == "Step(30)"
    with raises(ScheduleError, "torch.LinerLR", "torch.LinearLR?"):
        parse("torch.LinerLR()")
    for text in ("LinearLR()", "torch.optim.lr_scheduler.LinearLR()"):
        with raises(ScheduleError, text.removesuffix("()"), "torch.LinearLR?"):
            parse(text)
    with raises(ScheduleError, "torch.Something", "torch.StepLR"):
        parse("torch.Something()")
    with raises(ScheduleError, "torch has torch.", "torch.StepLR"):
        parse("torch.Foo()")
    with raises(ScheduleError, "unknown schedule foo.Bar", "prefixes are", "timm", "torch"):
        parse("foo.Bar()")
    with raises(ScheduleError, "lr_lambda", "got '0.1'", "Formula("):
        parse("torch.LambdaLR('0.1')")
    with raises(ScheduleError, "Python function", "Formula("):
        parse("torch.LambdaLR(lambda epoch: 0.95 ** epoch)")


def test_a_dialect_is_imported_when_a_text_uses_it() -> None:
    code = (
        "import sys; from lrlab import dialects; dialects.parse('Cosine(5)'); "
        "loaded = [d for d in dialects.DIALECTS if f'lrlab.dialects.{d}' in sys.modules]; "
        "dialects.parse('torch.StepLR(5)'); "
        "print(loaded, [d for d in dialects.DIALECTS if f'lrlab.dialects.{d}' in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout == "[] ['torch']\n", result.stderr


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect_lists_its_functions(dialect: str) -> None:
    module = import_module(f"lrlab.dialects.{dialect}")
    assert all(callable(getattr(module, name)) for name in module.__all__)


@pytest.mark.parametrize("library", export.LIBRARIES)
def test_every_library_of_export_has_a_writer(library: str) -> None:
    assert callable(import_module(f"lrlab.dialects.export.{library}").to_code)
