"""Runs one command of somebody else's to its end, and ends it when the run that asked for it is gone."""

import os
import signal
import subprocess
import sys
from types import FrameType

import psutil

#: Seconds between two looks at the parent, and seconds that a command gets to end when it is asked to.
LOOK, PATIENCE = 0.25, 5.0
#: Exit code of a command that is not there (that of a shell).
NOT_THERE = 127


def main(command: list[str]) -> int:
    """Run a command with its output on standard error; return its exit code.

    Commands know nothing of `OCTOLOAD_PARENT`, so this process, a child of the run, watches for them.
    """
    for name in ("SIGTERM", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), _interrupt)
    parent = os.getppid()
    try:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sys.stderr)
    except OSError as exc:
        sys.stderr.write(f"{command[0]} cannot be started: {exc.strerror}\n")
        return NOT_THERE
    try:
        return _watch(process, parent)
    except KeyboardInterrupt:
        return 130
    finally:
        _end(psutil.Process(), PATIENCE)


def _watch(process: "subprocess.Popen[bytes]", parent: int) -> int:
    """Wait for the command; end the wait when the parent is gone."""
    # Elsewhere an orphan gets another parent at once, and so no zombie passes for a living one.
    while psutil.pid_exists(parent) if sys.platform == "win32" else os.getppid() == parent:
        try:
            return process.wait(LOOK)
        except subprocess.TimeoutExpired:
            continue
    return 1


def _end(process: psutil.Process, within: float) -> None:
    """End all that a process has started."""
    family = process.children(recursive=True)
    for insist in (False, True):
        for one in family:
            try:
                one.kill() if insist else one.terminate()
            except psutil.NoSuchProcess:
                continue
        _, family = psutil.wait_procs(family, timeout=within)


def _interrupt(number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt(number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
