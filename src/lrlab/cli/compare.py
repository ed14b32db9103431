"""``lrlab compare``: every schedule over the same seeds, ranked, with verdicts."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lrlab.cli import options
from lrlab.errors import StudyError

if TYPE_CHECKING:
    from lrlab.studies import Plan, Store
    from lrlab.training import Result


def compare(
    data: options.Data,
    schedule: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SPEC",
            help="A schedule to compare, as often as you like; a constant rate is always among "
            "them. A default set when left out.",
        ),
    ] = None,
    seeds: Annotated[int, typer.Option(help="Runs of each schedule, in pairs.")] = 10,
    db: Annotated[Path, typer.Option(help="Where runs are stored.")] = Path("lrlab.db"),
    png: Annotated[
        Path | None, typer.Option(help="Where the picture goes.", show_default="DATA.png")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes.", show_default="one per core")
    ] = None,
    target: options.Target = None,
    task: options.Task = None,
    header: options.Header = None,
    file: options.File = None,
    lr: options.Rate = None,
    momentum: options.Momentum = 0.0,
    optimizer: options.Optimizer = "sgd",
    epochs: options.Epochs = 50,
    batch_size: options.BatchSize = 24,
    per: options.Per = "epoch",
    shuffle: options.Shuffle = None,
) -> None:
    """Train schedules over the same seeds and say which differences are real.

    Every run is stored as it ends: a command that was stopped goes on when it is repeated.
    """
    chosen = [options.schedule_of(text) for text in schedule or []]
    problem = options.problem_of(data, target, task, header, file)
    settings = options.settings_of(
        problem, lr, momentum, optimizer, epochs, batch_size, per, shuffle
    )

    from lrlab.studies import BASELINE, Store, default_schedules, plan

    study = plan(problem, chosen or default_schedules(settings), settings, seeds)
    if len(study.schedules) == 1:
        raise StudyError(
            f"there is nothing to compare: {BASELINE} is what others are compared to; name another "
            "with --schedule."
        )
    picture = Path(f"{problem.name}.png") if png is None else png
    _refuse_to_overwrite(picture)
    options.introduce(problem, settings, chosen)  # those of the default set are as they are meant
    with Store(db) as store:
        results = _carry_out(study, store, workers)
    _show(study, results, picture)
    typer.echo(f"wrote {db}, {picture} · more seeds: repeat with --seeds {3 * seeds}")


def _refuse_to_overwrite(picture: Path) -> None:
    """Only a picture may be written over, never a table or a database."""
    if not picture.parent.is_dir() or picture.is_dir():
        raise StudyError(f"{picture} cannot be written: name a file in a folder that is there.")
    if picture.suffix.lower() != ".png":
        raise StudyError(f"the picture is a PNG: name it {picture.stem or 'picture'}.png.")
    if picture.is_file() and picture.read_bytes()[:4] != b"\x89PNG":
        raise StudyError(f"{picture} is there and is no picture; name another file with --png.")


def _carry_out(study: "Plan", store: "Store", workers: int | None) -> "dict[str, Result]":
    """Trains what is missing and returns every run of the study by its id."""
    from lrlab.cli.progress import progress
    from lrlab.studies import carry_out

    runs = study.runs
    known = store.known(runs)
    if known:
        typer.echo(f"{len(known)} of {len(runs)} runs are in {store.path} already", err=True)
    try:
        with progress([run for id, run in runs.items() if id not in known]) as ended:
            return carry_out(study, store, workers, ended)
    except KeyboardInterrupt:
        typer.echo(
            f"stopped with {len(store.known(runs))} of {len(runs)} runs in {store.path}; repeat "
            "the command to go on",
            err=True,
        )
        raise typer.Exit(130) from None


def _show(study: "Plan", results: "dict[str, Result]", picture: Path) -> None:
    from lrlab.studies import BASELINE, answer
    from lrlab.studies import compare as compare_results
    from lrlab.views import curves
    from lrlab.views.table import notes, table, title

    metric = study.problem.task.metric
    by_schedule = study.by_schedule(results)
    comparison = compare_results(by_schedule, BASELINE, metric)
    typer.echo(
        f"{title(study)}\n{answer(comparison)}\n\n{table(comparison)}\n\n"
        f"{notes(study, comparison)}\n"
    )
    curves.save(study, by_schedule, picture)
