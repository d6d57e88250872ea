"""`make calibrate`: the long checks, one after the other in processes of their own; at the end a line for each."""

import argparse
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
PYTEST = ("pytest", "-q", "--timeout", "3600")


@dataclass(frozen=True, slots=True)
class Part:
    """One long check."""

    #: how it is named on the command line
    name: str
    #: what it shows
    shows: str
    #: the module that Python runs, with its arguments
    command: tuple[str, ...]
    #: environment variables that make it long
    size: dict[str, str] = field(default_factory=dict)


PARTS = (
    Part("clients", "clients of others work against the stand-in", (*PYTEST, "-m", "clients", "tests/clients")),
    Part(
        "seeding",
        "killed and disturbed seedings end as undisturbed ones",
        (*PYTEST, "tests/integration/test_seeding_disturbed.py"),
        {"OCTOLOAD_KILLED_SEEDINGS": "20"},
    ),
    Part(
        "soak",
        "a cluster whose nodes come and go loses no task",
        (*PYTEST, "tests/integration/test_standin_soak.py"),
        {"OCTOLOAD_SOAK_ROUNDS": "20", "OCTOLOAD_SOAK_TASKS": "1000"},
    ),
    Part("mutants", "a handler that is changed turns a test of the contract red", ("benchmarks.mutants",)),
    Part("alarms", "how often this machine sees a difference where there is none", ("experiments", "calibrate")),
)


def main() -> int:
    """Run the long checks; 0 when all of them passed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.calibrate", description=main.__doc__)
    names = [part.name for part in PARTS]
    parser.add_argument("part", nargs="*", help=f"only these: {', '.join(names)} (default: all)")
    wanted = parser.parse_args().part
    if unknown := sorted(set(wanted) - set(names)):
        parser.error(f"there is no {', '.join(unknown)}; there are {', '.join(names)}")
    lines, failed = [], False
    for part in PARTS:
        if not wanted or part.name in wanted:
            code, seconds = run(part)
            failed = failed or code != 0
            lines.append(f"{'ok' if code == 0 else f'FAILED ({code})':12} {seconds:6.0f} s  {part.name}: {part.shows}")
    print("\n" + "\n".join(lines))
    return 1 if failed else 0


def run(part: Part) -> tuple[int, float]:
    """Run a part, its words on this terminal; return its exit code and its seconds."""
    print(f"== {part.name}: {part.shows}", flush=True)
    started = time.monotonic()
    environment = {**os.environ, **part.size}
    done = subprocess.run([sys.executable, "-m", *part.command], cwd=ROOT, env=environment, check=False)
    return done.returncode, time.monotonic() - started


if __name__ == "__main__":
    sys.exit(main())
