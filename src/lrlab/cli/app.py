"""The app: all commands by name, and the options of ``lrlab`` itself."""

from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

import lrlab
from lrlab.cli import console
from lrlab.cli.compare import compare
from lrlab.cli.delete import delete
from lrlab.cli.export import export
from lrlab.cli.gallery import gallery
from lrlab.cli.plan import plan
from lrlab.cli.results import results
from lrlab.cli.resume import resume
from lrlab.cli.show import show
from lrlab.cli.status import status
from lrlab.cli.studies import studies
from lrlab.cli.study_options import add_study_options
from lrlab.cli.train import train


class _Command(TyperCommand):
    """A command whose help has no ``<bool>`` after flags and no braces in the usage line."""

    def get_params(self, ctx: Any) -> list[Any]:
        params = super().get_params(ctx)
        for param in params:
            if getattr(param, "is_flag", False):
                param.metavar = ""
        return params

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        return [
            piece.replace("{", "").replace("}", "") for piece in super().collect_usage_pieces(ctx)
        ]


app = typer.Typer(
    name="lrlab",
    help="A laboratory for learning-rate schedules in PyTorch.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command(cls=_Command)(train)
app.command(cls=_Command)(add_study_options(compare))
app.command(cls=_Command)(add_study_options(plan))
app.command(cls=_Command)(resume)
app.command(cls=_Command)(results)
app.command(cls=_Command)(show)
app.command(cls=_Command)(gallery)
app.command(cls=_Command)(studies)
app.command(cls=_Command)(status)
app.command(cls=_Command)(export)
app.command(cls=_Command)(delete)


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


_group = get_command(app)
assert isinstance(_group, TyperGroup)
console.register_options(_group.commands.values())
