"""``lrlab compare``: every schedule over the same seeds, ranked, with verdicts."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lrlab.cli import options, reading
from lrlab.cli.introduction import introduce
from lrlab.errors import StudyError

if TYPE_CHECKING:
    from lrlab.studies import Plan, Store
    from lrlab.studies.places import Place
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
    target: options.Target = None,
    task: options.Task = None,
    header: options.Header = None,
    file: options.File = None,
    test: options.Test = None,
    metric: options.Metric = None,
    less_is_better: options.LessIsBetter = False,
    percent: options.Percent = False,
    guess: options.Guess = None,
    lr: options.Rates = None,
    momentum: options.Momenta = "0",
    optimizer: options.Optimizer = "sgd",
    weight_decay: options.WeightDecay = None,
    clip: options.Clip = None,
    validation: options.ValidationOfGrid = None,
    epochs: options.Epochs = 50,
    batch_size: options.BatchSize = 24,
    per: options.Per = "epoch",
    shuffle: options.Shuffle = None,
    engine: options.Engine = "auto",
    device: options.Device = "cpu",
    compile: options.Compile = False,
    memory: options.Memory = None,
    workers: options.Workers = None,
) -> None:
    """Train schedules over the same seeds and say which differences are real.

    Runs are stored as they end, and those that train together end together: a command that was
    stopped goes on when it is repeated.
    """
    chosen = [reading.schedule_of(text) for text in schedule or []]
    limit = None if memory is None else reading.size_of(memory)
    problem = reading.problem_of(
        data, target, task, header, file, test, metric, less_is_better, percent, guess
    )
    grid = reading.grid_of(
        problem,
        optimizer,
        lr,
        momentum,
        validation,
        shuffle=shuffle,
        weight_decay=weight_decay,
        clip=clip,
        epochs=epochs,
        batch_size=batch_size,
        per=per,
    )

    from lrlab.studies import BASELINE, Machine, Store, candidates, default_schedules, plan, settle

    place = Machine(workers, limit)
    engines = candidates(engine, device, compile)
    study = plan(problem, chosen or default_schedules(grid[0]), grid, seeds)
    if len(study.schedules) == 1:
        raise StudyError(
            f"there is nothing to compare: {BASELINE} is what others are compared to; name another "
            "with --schedule."
        )
    picture = Path(f"{problem.name}.png") if png is None else png
    _refuse_to_overwrite(picture)
    introduce(problem, grid, chosen)  # those of the default set are as they are meant
    with Store(db) as store:
        settled, why = settle(study, store, engines, place)
        typer.echo(f"engine: {settled} ({why})", err=True)
        study = replace(study, engine=settled)
        results = _carry_out(study, store, place)
    _show(study, results, picture)
    typer.echo(f"wrote {db}, {picture} · more seeds: repeat with --seeds {max(10, 3 * seeds)}")


def _refuse_to_overwrite(picture: Path) -> None:
    """Only a picture may be written over, never a table or a database."""
    if not picture.parent.is_dir() or picture.is_dir():
        raise StudyError(f"{picture} cannot be written: name a file in a folder that is there.")
    if picture.suffix.lower() != ".png":
        raise StudyError(f"the picture is a PNG: name it {picture.stem or 'picture'}.png.")
    if picture.is_file() and picture.read_bytes()[:4] != b"\x89PNG":
        raise StudyError(f"{picture} is there and is no picture; name another file with --png.")


def _carry_out(study: "Plan", store: "Store", place: "Place") -> "dict[str, Result]":
    """Trains what is missing and returns every run of the study by its id."""
    from lrlab.cli.progress import progress
    from lrlab.studies import carry_out
    from lrlab.training.threads import keep_memory

    keep_memory()
    runs = study.runs
    known = store.known(runs)
    if known:
        typer.echo(f"{len(known)} of {len(runs)} runs are in {store.path} already", err=True)
    try:
        with progress([run for id, run in runs.items() if id not in known]) as ended:
            return carry_out(study, store, place, ended)
    except KeyboardInterrupt:
        typer.echo(
            f"stopped with {len(store.known(runs))} of {len(runs)} runs in {store.path}; repeat "
            "the command to go on",
            err=True,
        )
        raise typer.Exit(130) from None


def _show(study: "Plan", results: "dict[str, Result]", picture: Path) -> None:
    from lrlab.studies import BASELINE, answer, tune, varied
    from lrlab.studies import compare as compare_results
    from lrlab.views import curves
    from lrlab.views.table import notes, table, title

    tuned = tune(study, results)
    at_best = {schedule: best.results for schedule, best in tuned.items()}
    comparison = compare_results(at_best, BASELINE, study.problem.metric, tuned)
    typer.echo(
        f"{title(study)}\n{answer(comparison)}\n\n"
        f"{table(comparison, varied(study.settings))}\n\n{notes(study, comparison)}\n"
    )
    curves.save(study, at_best, picture, tuned)
