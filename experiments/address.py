"""A host and a port, as options name them."""

import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from octoload.access import is_loopback
from octoload.errors import UsageError

#: The port on which Locust's masters listen unless told otherwise.
PORT = 5557


@dataclass(frozen=True, slots=True)
class Address:
    """Where a run leads its workers."""

    host: str = "127.0.0.1"
    port: int = PORT

    def __str__(self) -> str:
        return f"{self.bracketed}:{self.port}"

    @property
    def bracketed(self) -> str:
        """The host as it stands before a port."""
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def open(self) -> bool:
        """Whether other machines may reach it."""
        return not is_loopback(self.host)


def parse(text: str, option: str, usual: int | None = PORT) -> Address:
    """Read HOST:PORT, or HOST where there is a usual port; an IPv6 address with a port stands in brackets.

    Raises:
        UsageError: it is neither; `option` is named.
    """
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname, usual if parts.port is None else parts.port
    except ValueError:
        host, port = None, 0
    if not host or not port or parts.path or "@" in text:
        raise UsageError(f"{option} {text!r} is no HOST:PORT", f"Write it like 10.0.0.5:{PORT}.")
    return Address(host, port)


def here(text: str, option: str) -> Address:
    """Read PORT, of this machine only, or HOST:PORT.

    Raises:
        UsageError: it is neither, or no port; `option` is named.
    """
    return parse(f"{Address().host}:{text}" if text.isdecimal() else text, option, usual=None)


def check_free(address: Address, what: str, option: str) -> None:
    """Refuse an address that this machine does not have, or a port that is taken; say `what` cannot be there.

    Raises:
        UsageError: which, and why.
    """
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(place)
    except OSError as exc:
        raise UsageError(
            f"{what} at {address}: {exc.strerror or exc}",
            f"Another run may hold the port: choose one with {option} HOST:PORT, HOST an address of this machine.",
        ) from exc


def check_known(address: Address) -> None:
    """Refuse a host that has no address.

    Raises:
        UsageError: it cannot be resolved.
    """
    try:
        socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except OSError as exc:
        raise UsageError(f"the host {address.host!r} is unknown: {exc.strerror or exc}", "Check --master.") from exc


def free_port() -> int:
    """Return a port of this machine that nobody uses."""
    with socket.create_server((Address().host, 0)) as server:
        port: int = server.getsockname()[1]
    return port
