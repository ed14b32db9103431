"""How long people wait before anything happens: help, and the import of schedules.

Prints medians of whole processes, the import's beyond that of NumPy alone.
"""

import statistics
import subprocess
import sys
import time

RUNS = 9


def seconds(*arguments: str) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def main() -> None:
    helps, imports = [], []
    for _ in range(RUNS):
        helps.append(seconds("-m", "lrlab", "--help"))
        imports.append(seconds("-c", "import lrlab.schedules") - seconds("-c", "import numpy"))
    print(f"lrlab --help                        {1e3 * statistics.median(helps):6.0f} ms")
    print(f"import lrlab.schedules beyond numpy {1e3 * statistics.median(imports):6.0f} ms")


if __name__ == "__main__":
    main()
