"""Measures how long ``lrlab --help`` and the import of schedules take.

Prints medians of whole processes; imports are without the time of NumPy.
"""

import os
import statistics
import subprocess
import sys
import time

RUNS = 9

# Write bytecode, as for an installed package.
ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


def time_process(*arguments: str) -> float:
    started = time.perf_counter()
    command = [sys.executable, *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=ENVIRONMENT)
    return time.perf_counter() - started


def main() -> None:
    beyond_numpy = {
        "import lrlab": "import lrlab",
        "import lrlab.schedules": "import lrlab.schedules",
    }
    helps, imports = [], {name: [] for name in beyond_numpy}
    for _ in range(RUNS + 1):
        helps.append(time_process("-m", "lrlab", "--help"))
        numpy = time_process("-c", "import numpy")
        for name, code in beyond_numpy.items():
            imports[name].append(time_process("-c", f"import numpy\n{code}") - numpy)
    # The first round wrote the bytecode.
    print(f"lrlab --help                             {format_milliseconds(helps)}")
    for name, times in imports.items():
        print(f"{name:26} beyond numpy  {format_milliseconds(times)}")


def format_milliseconds(times: list[float]) -> str:
    return f"{1e3 * statistics.median(times[1:]):6.1f} ms"


if __name__ == "__main__":
    main()
