"""How long people wait before anything happens: help, and the import of schedules.

Prints medians of whole processes, the import's beyond that of NumPy alone.
"""

import os
import statistics
import subprocess
import sys
import time

RUNS = 9


# Bytecode is kept, as it is wherever lrlab is installed.
ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
EVERYTHING = """
import lrlab.schedules as schedules
for names in schedules.ROOMS.values():
    for name in names:
        getattr(schedules, name)
"""


def seconds(*arguments: str) -> float:
    started = time.perf_counter()
    command = [sys.executable, *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=ENVIRONMENT)
    return time.perf_counter() - started


def main() -> None:
    beyond_numpy = {
        "import lrlab.schedules": "import lrlab.schedules",
        "Warmup(5) >> Cosine(45)": "from lrlab import Cosine, Warmup; Warmup(5) >> Cosine(45)",
        "every shape and combinator": EVERYTHING,
    }
    helps, imports = [], {name: [] for name in beyond_numpy}
    for _ in range(RUNS + 1):
        helps.append(seconds("-m", "lrlab", "--help"))
        numpy = seconds("-c", "import numpy")
        for name, code in beyond_numpy.items():
            imports[name].append(seconds("-c", f"import numpy\n{code}") - numpy)
    # The first round wrote the bytecode.
    print(f"lrlab --help                             {milliseconds(helps)}")
    for name, times in imports.items():
        print(f"{name:26} beyond numpy  {milliseconds(times)}")


def milliseconds(times: list[float]) -> str:
    return f"{1e3 * statistics.median(times[1:]):6.1f} ms"


if __name__ == "__main__":
    main()
