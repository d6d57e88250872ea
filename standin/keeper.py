"""The keeper: a small process that starts PostgreSQL, and stops it when its own parent goes away, however that happens.

Run as `python -m standin.keeper DATA PORT keep|remove`; `remove` deletes the folder at the end. It says one line of
JSON on standard output: `dsn`, or `message`, `cure` and `code`. It stops on SIGTERM, on Ctrl-C, when its standard input
ends, and when its parent is gone.
"""

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from standin.errors import FailureError, StandinError, UsageError
from standin.parent import Parent, as_parent
from standin.postgres import Postgres

#: Seconds that the nodes get to end when the supervisor has died.
LAST_WORDS = 1.0


class Keeper:
    """PostgreSQL behind a keeper process; a context manager that starts it and stops it."""

    def __init__(self, data: Path, port: int = 0, *, temporary: bool = False) -> None:
        self._temporary = temporary
        ending = "remove" if temporary else "keep"
        self._command = [sys.executable, "-m", "standin.keeper", str(data), str(port), ending]
        self._process: subprocess.Popen[bytes] | None = None
        #: folder of the instance
        self.data = data
        self._log = data / "PostgreSQL.log"
        #: DSN of the database `postgres`
        self.dsn = ""

    def __enter__(self) -> Self:
        """Start it.

        Raises:
            UsageError, FailureError: as `Postgres.start` says.
        """
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=as_parent(), start_new_session=True
        )
        assert self._process.stdout is not None
        try:
            line = self._process.stdout.readline()
        except KeyboardInterrupt:
            self._abandon()
            raise
        if not line:
            raise FailureError("the process that keeps PostgreSQL has died", f"Look at {self._log}.")
        said = msgspec.json.decode(line)
        if "dsn" not in said:
            self._process.wait()
            raise (UsageError if said["code"] == UsageError.exit_code else FailureError)(said["message"], said["cure"])
        self.dsn = said["dsn"]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it; returns when PostgreSQL has ended."""
        self._end()

    def _abandon(self) -> None:
        """Stop it in the middle of its start."""
        assert self._process is not None
        if sys.platform != "win32":  # where it would kill: there it starts to the end, then finds its input ended
            self._process.terminate()
        self._end()
        if self._temporary:  # it may have had no time to learn what to do at its end
            shutil.rmtree(self.data, ignore_errors=True)

    def _end(self) -> None:
        if self._process is not None:
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._process.stdin.close()
            self._process.wait()
            self._process.stdout.close()

    def pids(self) -> list[int]:
        """Return the process id of the keeper."""
        return [self._process.pid] if self._process is not None else []

    def check(self) -> None:
        """Make sure that PostgreSQL still runs.

        Raises:
            FailureError: it has ended.
        """
        if self._process is not None and self._process.poll() is not None:
            assert self._process.stdout is not None
            line = self._process.stdout.readline()
            said = msgspec.json.decode(line) if line else {"message": "PostgreSQL's keeper was killed", "cure": ""}
            raise FailureError(said["message"], said["cure"])


def keep(postgres: Postgres, stop: threading.Event) -> bool:
    """Wait until `stop` is set, the parent is gone or PostgreSQL has ended, then stop it; False in the last case."""
    parent = Parent()
    try:
        while postgres.alive():
            if stop.wait(0.1):
                return True
            if parent.is_gone():
                # The nodes have lost the same parent: they get a moment to write down what they were doing.
                stop.wait(LAST_WORDS)
                return True
        return False
    finally:
        postgres.stop()


def stop_on_signals() -> threading.Event:
    """Return an event that Ctrl-C, SIGTERM and a closed terminal set."""
    stop = threading.Event()
    _handle(stop.set)
    return stop


def interrupt_on_signals() -> None:
    """Let the first Ctrl-C, SIGTERM or closed terminal raise KeyboardInterrupt, for slow steps that look at no event.

    Those that follow are ignored: what is being put in order stays undisturbed.
    """

    def interrupt() -> None:
        stop_on_signals()
        raise KeyboardInterrupt

    _handle(interrupt)


def _handle(action: Callable[[], None]) -> None:
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"):  # the last is Windows' only
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: action())


def _main() -> int:
    interrupt_on_signals()
    data, port, ending = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    try:
        return _keep(Postgres(data, port))
    finally:
        if ending == "remove":
            shutil.rmtree(data, ignore_errors=True)


def _keep(postgres: Postgres) -> int:
    try:
        dsn = postgres.start()
        stop = stop_on_signals()
    except StandinError as exc:
        _say({"message": exc.message, "cure": exc.cure, "code": exc.exit_code})
        return exc.exit_code
    except KeyboardInterrupt:
        postgres.stop()
        return 130
    _say({"dsn": dsn})

    def read_to_end() -> None:
        os.read(0, 1)
        stop.set()

    threading.Thread(target=read_to_end, daemon=True).start()
    if keep(postgres, stop):
        return 0
    # Said here: the log may be deleted with its folder.
    message = f"PostgreSQL has stopped unexpectedly: {postgres.last_words()}"
    _say({"message": message, "cure": f"Its log is {postgres.log}.", "code": FailureError.exit_code})
    return FailureError.exit_code


def _say(said: dict[str, object]) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(said) + b"\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(_main())
