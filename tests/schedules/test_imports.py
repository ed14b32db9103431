"""What an import of schedules, or help, does not cost."""

import subprocess
import sys

import pytest

HEAVY = ("torch", "pandas", "matplotlib", "scipy", "sklearn")


@pytest.mark.parametrize(
    "code",
    [
        "import lrlab.schedules",
        "import lrlab.dialects",
        "import lrlab",
        "from lrlab.cli.app import app; app(['--help'], standalone_mode=False)",
        "from lrlab.cli.app import app; app(['compare', '--help'], standalone_mode=False)",
        "from lrlab.studies import Catalog, Entry",
        "import lrlab.cli.status, lrlab.views.studies_table",
    ],
)
def test_nothing_heavy_is_imported(code: str) -> None:
    listing = f"import sys\n{code}\nprint([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", listing], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"
