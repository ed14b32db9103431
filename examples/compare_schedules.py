"""Compare schedules from Python: the answer, the best schedule, the tables and the plots.

    python examples/compare_schedules.py

The runs are stored in wine.db: if you stop the program, start it again and it continues.
"""

import lrlab


def main() -> None:
    """Compare three schedules with the constant rate on scikit-learn's wine data."""
    study = lrlab.compare(
        "wine",
        ["wsd()", lrlab.Warmup(2) >> lrlab.Cosine(), lrlab.Linear(1.0, 0.0)],
        lr=[0.03, 0.1, 0.3],
        momentum=0.9,
        epochs=10,
        seeds=10,
        tuning_seeds=5,
        db="wine.db",
    )
    print(study.answer)

    best = study.best
    print(f"\nUse {best.schedule} at learning rate {best.lr:g}, momentum {best.momentum:g}")
    print(study.table[["mean", "difference", "verdict"]].round(4).to_string())

    study.plot("differences").savefig("wine-differences.png")
    study.plot("tuning").savefig("wine-tuning.png")

    # At any later time, or on another machine, the database is enough.
    stored = lrlab.load_study("wine", "wine.db")
    print(f"\n{len(stored.runs)} runs, {len(stored.epochs)} epochs, {stored.id}")


if __name__ == "__main__":
    main()
