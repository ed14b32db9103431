"""``lrlab shapes``: every schedule there is, with an example of each."""


def shapes() -> None:
    """List every shape, recipe and combinator: its picture, its arguments and an example."""
    from rich.console import Console

    from lrlab.views.listing import listing
    from lrlab.views.pieces import coloured, wrapped

    console = Console(highlight=False)
    how = (
        "Pictures: 100 steps, from 0 to the base rate, or to the peak if that is higher. Names of "
        "other libraries work too, such as torch.StepLR(30). Look closer: lrlab show "
        "'Warmup(5) >> Cosine(45)'"
    )
    rows = [*listing(console.width), *wrapped(how, console.width, indent=0)]
    console.print(coloured(rows), soft_wrap=True)
