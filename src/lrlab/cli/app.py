"""The app: all commands by name, and the options of ``lrlab`` itself."""

from typing import Annotated

import typer

import lrlab
from lrlab.cli.compare import compare
from lrlab.cli.delete import delete
from lrlab.cli.export import export
from lrlab.cli.gallery import gallery
from lrlab.cli.plan import plan
from lrlab.cli.resume import resume
from lrlab.cli.show import show
from lrlab.cli.status import status
from lrlab.cli.studies import studies
from lrlab.cli.study_options import add_study_options
from lrlab.cli.train import train

app = typer.Typer(
    name="lrlab",
    help="A laboratory for learning-rate schedules in PyTorch.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(train)
app.command()(add_study_options(compare))
app.command()(add_study_options(plan))
app.command()(resume)
app.command()(show)
app.command()(gallery)
app.command()(studies)
app.command()(status)
app.command()(export)
app.command()(delete)


def _show_version(value: bool) -> None:
    if value:
        typer.echo(f"lrlab {lrlab.__version__}")
        raise typer.Exit


@app.callback()
def _accept_global_options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    pass
