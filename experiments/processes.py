"""Programs that a run starts: each with a log, each gone when the run is."""

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from octoload.errors import ServerError

#: Seconds that a program gets to stop cleanly before it is killed.
STOP_WITHIN = 15.0


class Program:
    """A child process: lines in, lines out, errors to a log file.

    It learns its parent's process id from `OCTOLOAD_PARENT` and stops by itself when that is gone, so that nothing
    outlives a run that is killed.
    """

    def __init__(self, name: str, module: Sequence[str], log: Path, env: Mapping[str, str] | None = None) -> None:
        """Start `python -m MODULE…`; `log` takes its standard error."""
        self.name = name
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        self._log = log.open("ab")
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._process: subprocess.Popen[str] = subprocess.Popen(
            [sys.executable, "-m", *module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env={**os.environ, **(env or {}), "OCTOLOAD_PARENT": str(os.getpid()), "PYTHONUNBUFFERED": "1"},
            text=True,
            encoding="utf-8",
            **_own_group(),
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line.rstrip("\r\n"))
        self._lines.put(None)

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def send(self, line: str) -> None:
        """Write one line to its standard input.

        Raises:
            ServerError: it has ended.
        """
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
        except OSError as exc:
            raise self.ended() from exc

    def heard(self) -> Iterator[str]:
        """Yield what it has said on standard output so far, without waiting."""
        with contextlib.suppress(queue.Empty):
            while (line := self._lines.get_nowait()) is not None:
                yield line

    def lines(self, within: float) -> Iterator[str]:
        """Yield what it says on standard output.

        Raises:
            ServerError: it ended, or said nothing for `within` seconds.
        """
        while True:
            try:
                line = self._lines.get(timeout=within)
            except queue.Empty:
                message = f"{self.name} said nothing for {within:.0f} s"
                raise ServerError(message, f"Its log is {self.log}") from None
            if line is None:
                raise self.ended()
            yield line

    def wait_for(self, prefix: str, within: float) -> str:
        """Return the rest of the first line that begins with `prefix`."""
        deadline = time.monotonic() + within
        for line in self.lines(within):
            if line.startswith(prefix):
                return line[len(prefix) :].strip()
            if time.monotonic() > deadline:
                break
        raise ServerError(f"{self.name} was not ready within {within:.0f} s", f"Its log is {self.log}")

    def finish(self, within: float) -> list[str]:
        """Let it end by itself and return all its lines.

        Raises:
            ServerError: it failed; the message is the last it said.
        """
        lines: list[str] = []
        with contextlib.suppress(ServerError):
            lines.extend(self.lines(within))
        try:
            code = self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.stop()
            raise ServerError(f"{self.name} took longer than {within:.0f} s", f"Its log is {self.log}") from None
        if code != 0:
            raise self.ended()
        return lines

    def ended(self) -> ServerError:
        """Say that it ended, and what it said last: a message, and indented below it the cure."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=5)
        message, cure = last_words(self.log)
        code = self._process.poll()
        return ServerError(f"{self.name} ended (exit code {code}): {message}", f"{cure} Its log is {self.log}".strip())

    def stop(self) -> None:
        """End it: close its input, ask, and after a while insist."""
        with contextlib.suppress(OSError, ValueError):
            assert self._process.stdin is not None
            self._process.stdin.close()
        if self.alive:
            with contextlib.suppress(OSError):
                self._process.send_signal(_STOP_SIGNAL)
            try:
                self._process.wait(timeout=STOP_WITHIN)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._reader.join(STOP_WITHIN)
        if self._process.stdout and not self._reader.is_alive():  # else somebody has inherited it, and may still write
            self._process.stdout.close()
        self._log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def last_words(log: Path) -> tuple[str, str]:
    """Return the last message in a log and the indented lines below it, its cure."""
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    lines = [line for line in text.splitlines() if line.strip()]
    cure: list[str] = []
    for line in reversed(lines):
        if not line[0].isspace():
            return line.strip(), " ".join(cure)
        cure.insert(0, line.strip())
    return " ".join(cure) or "it said nothing", ""


if sys.platform == "win32":
    _STOP_SIGNAL = signal.CTRL_BREAK_EVENT

    def _own_group() -> dict[str, Any]:
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
else:
    _STOP_SIGNAL = signal.SIGTERM

    def _own_group() -> dict[str, Any]:
        # Ctrl-C reaches the run alone, which then stops its programs in the right order.
        return {"start_new_session": True}
