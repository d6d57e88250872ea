"""The control of a running stand-in: a small server on the loopback that its own commands talk to, a JSON line each.

Where it listens, and the secret that it wants, stands in `control.json` in the stand-in's folder, for its user only.
"""

import contextlib
import hmac
import os
import secrets
import select
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import msgspec

from standin.errors import FailureError, StandinError, UsageError

FILE = "control.json"
#: Seconds that a command may take to say what it wants, and to be done.
HEARING = 2.0
PATIENCE = 120.0

Answer = dict[str, Any]


class Place(msgspec.Struct, frozen=True):
    """What `control.json` says."""

    #: port on 127.0.0.1
    port: int
    #: what a command must know
    secret: str


class Order(msgspec.Struct, frozen=True):
    """What a command asks for."""

    #: the secret of `control.json`
    secret: str
    #: first and second word of the command: `node`, `kill`
    subject: str
    action: str
    #: the words that follow
    words: list[str] = []


class Control:
    """The server's side; `listen` is called again and again by the process that obeys."""

    def __init__(self, folder: Path) -> None:
        self._place = Place(0, secrets.token_hex(16))
        self._file = folder / FILE
        self._listener = socket.socket()

    def __enter__(self) -> Self:
        """Listen, and say where.

        Raises:
            UsageError: the folder cannot be written to.
        """
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(8)
        place = Place(self._listener.getsockname()[1], self._place.secret)
        try:
            self._file.unlink(missing_ok=True)
            descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as exc:
            raise UsageError(f"{self._file} cannot be written: {exc.strerror}", "Choose another folder.") from exc
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.encode(place))
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        with contextlib.suppress(OSError):
            self._file.unlink(missing_ok=True)

    def listen(self, seconds: float, obey: Callable[[Order], Answer]) -> None:
        """Wait so long for a command, and carry it out; what is wrong with it becomes its answer."""
        if not select.select([self._listener], [], [], seconds)[0]:
            return
        caller, _ = self._listener.accept()
        with caller, contextlib.suppress(OSError):
            caller.settimeout(HEARING)
            caller.sendall(msgspec.json.encode(self._answer(caller, obey)) + b"\n")

    def _answer(self, caller: socket.socket, obey: Callable[[Order], Answer]) -> Answer:
        try:
            order = msgspec.json.decode(_line(caller), type=Order)
        except (OSError, msgspec.DecodeError):
            return _failure(UsageError("this is no command"))
        if not hmac.compare_digest(order.secret.encode(), self._place.secret.encode()):
            return _failure(UsageError("the secret is wrong", f"It stands in {self._file}."))
        try:
            return {"done": obey(order)}
        except StandinError as exc:
            return _failure(exc)


def command(folder: Path, subject: str, action: str, words: list[str]) -> Answer:
    """Have the stand-in that serves a folder carry out a command; return what it answers.

    Raises:
        UsageError: nobody serves the folder, or the command is wrong; FailureError: it could not be carried out.
    """
    try:
        place = msgspec.json.decode((folder / FILE).read_bytes(), type=Place)
        with socket.create_connection(("127.0.0.1", place.port), timeout=PATIENCE) as server:
            server.sendall(msgspec.json.encode(Order(place.secret, subject, action, words)) + b"\n")
            said: Answer = msgspec.json.decode(_line(server))
    except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError) as exc:
        raise UsageError(
            f"no stand-in serves the folder {folder}", "Name the folder that was given to `serve --data`."
        ) from exc
    except (OSError, msgspec.DecodeError) as exc:
        raise FailureError(f"the stand-in of {folder} does not answer: {exc}", "Did it end just now?") from exc
    if "done" in said:
        done: Answer = said["done"]
        return done
    raise (UsageError if said["code"] == UsageError.exit_code else FailureError)(said["message"], said["cure"])


def _line(connection: socket.socket) -> bytes:
    with connection.makefile("rb") as stream:
        return stream.readline(1 << 20)


def _failure(exc: StandinError) -> Answer:
    return {"message": exc.message, "cure": exc.cure, "code": exc.exit_code}
