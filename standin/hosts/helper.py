"""Helpers: processes that serve this one, an order and an answer a line, and end when it does."""

import contextlib
import subprocess
import sys
from typing import Any, Self

import msgspec
import psutil

from standin.errors import FailureError
from standin.parent import as_parent

#: Seconds that a helper gets to put things in order at its end.
PATIENCE = 5.0


class Helper:
    """A module of the stand-in that runs as a process; a context manager."""

    def __init__(self, module: str, *words: str) -> None:
        self._module = module
        self._command = [sys.executable, "-m", module, *words]
        self._process: subprocess.Popen[bytes] | None = None
        #: what it said first
        self.said: dict[str, Any] = {}

    def __enter__(self) -> Self:
        """Start it, and wait for its first word.

        Raises:
            FailureError: it cannot do its work.
        """
        # A session of its own: Ctrl-C in a terminal does not reach it; it ends when its input does.
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=as_parent(), start_new_session=True
        )
        try:
            self.said = self._answer()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        process = self._process
        if process is None:
            return
        assert process.stdin is not None
        assert process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None
        return self._process.pid

    @property
    def was_killed(self) -> bool:
        """Whether it has ended without having put things in order."""
        return self._process is not None and self._process.returncode not in (None, 0)

    @property
    def cpu_seconds(self) -> float:
        """The CPU time that it has used itself."""
        times = psutil.Process(self.pid).cpu_times()
        return times.user + times.system

    def tell(self, **order: Any) -> dict[str, Any]:
        """Give it an order; return its answer.

        Raises:
            FailureError: it could not be carried out, or the helper has ended.
        """
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(msgspec.json.encode(order) + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError as exc:
            raise self._lost() from exc
        return self._answer()

    def check(self) -> None:
        """Make sure that it still runs.

        Raises:
            FailureError: it has ended.
        """
        if self._process is not None and self._process.poll() is not None:
            raise self._lost()

    def _answer(self) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise self._lost()
        said: dict[str, Any] = msgspec.json.decode(line)
        if "message" in said:
            raise FailureError(said["message"], said.get("cure", ""))
        return said

    def _lost(self) -> FailureError:
        return FailureError(f"the process {self._module} has ended unexpectedly", "What it wrote above says why.")
