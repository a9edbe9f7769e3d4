"""How long the command takes to start, beside a Python that imports typer and rich alone. Run by `make bench`."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

TARGET = 1.5
"""How many times the bare imports are still good."""

POLICY = Path(__file__).parents[1] / "docs" / "refusals" / "role.json"
RUNS = 15


def seconds(*command: str) -> float:
    """The best of several runs."""
    times = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(RUNS):
            started = time.perf_counter()
            subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
            times.append(time.perf_counter() - started)
    return min(times)


def main() -> int:
    command = str(Path(sys.executable).with_name("esc-oidc"))
    seconds(command, "--help")  # the first run writes byte code
    bare = seconds(sys.executable, "-c", "import typer, rich.console")
    good = True
    for arguments in (["--help"], ["lint", str(POLICY)]):
        ratio = seconds(command, *arguments) / bare
        good = good and ratio <= TARGET
        name = "esc-oidc " + " ".join(Path(each).name for each in arguments)
        print(
            f"{'ok' if ratio <= TARGET else 'SLOW':6} {name}: {ratio:.2f} times typer and rich alone (target {TARGET})"
        )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
