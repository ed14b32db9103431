"""parse: texts with other libraries' names, and their errors."""

from lrlab.dialects import parse
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
    with raises(ScheduleError, "unknown schedule foo.Bar", "prefixes are", "timm, torch"):
        parse("foo.Bar()")
    with raises(ScheduleError, "lr_lambda", "got '0.1'", "Formula("):
        parse("torch.LambdaLR('0.1')")
    with raises(ScheduleError, "Python function", "Formula("):
        parse("torch.LambdaLR(lambda epoch: 0.95 ** epoch)")
