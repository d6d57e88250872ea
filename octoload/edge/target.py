"""Where requests go, and the bytes that are the same in all of them."""

import socket
import ssl
from typing import Any, Final
from urllib.parse import urlsplit

from gevent import socket as gevent_socket
from gevent import ssl as gevent_ssl

from octoload.access import AGENT
from octoload.errors import UsageError

#: Requests that are remembered, for each node.
MAX_REMEMBERED: Final = 4_096


class Target:
    """One node's address, and the part of a request that is the same for all."""

    def __init__(self, url: str, api_key: str, *, compression: bool = False) -> None:
        """`url` is the server's base URL, with or without a virtual directory; with `compression` gzip is accepted.

        Raises:
            UsageError: it is no http or https URL, or the key has characters that no header may have.
        """
        parts = urlsplit(url if "://" in url else f"http://{url}")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UsageError(f"{url!r} is no URL of a server", "Write it like http://octopus.example:8065")
        if not api_key.isprintable() or not api_key.isascii():
            raise UsageError("the API key has characters that no HTTP header may have", "Copy it again.")
        self.url = url.rstrip("/")
        self.host = parts.hostname
        self.port = parts.port or (443 if parts.scheme == "https" else 80)
        #: TLS context; None without TLS.
        self.context: Any = trusting() if parts.scheme == "https" else None
        self._prefix = parts.path.rstrip("/").encode()
        self._gets: dict[str, bytes] = {}
        self._addresses: list[tuple[Any, ...]] = []
        self._headers = (
            f" HTTP/1.1\r\nHost: {parts.netloc.rpartition('@')[2]}\r\nAccept: application/json\r\n"
            f"User-Agent: {AGENT}\r\n"
            + (f"X-Octopus-ApiKey: {api_key}\r\n" if api_key else "")
            + ("Accept-Encoding: gzip\r\n" if compression else "")
        ).encode("latin-1")
        self._get = self._headers + b"\r\n"
        self._post = self._headers + b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n"

    def get(self, path: str) -> bytes:
        """Return the bytes of a GET, made once for each path; `path` begins with a slash and is encoded."""
        request = self._gets.get(path)
        if request is None:
            if len(self._gets) >= MAX_REMEMBERED:
                self._gets.clear()
            request = self._gets[path] = b"GET " + self._prefix + path.encode("ascii") + self._get
        return request

    def post(self, path: str, body: bytes) -> bytes:
        """Return the bytes of a POST of JSON."""
        return b"POST " + self._prefix + path.encode("ascii") + self._post % len(body) + body

    def addresses(self) -> list[tuple[Any, ...]]:
        """Return the (family, address) pairs of the host, resolved once.

        Raises:
            OSError: the name cannot be resolved.
        """
        if not self._addresses:
            found = gevent_socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
            self._addresses = [(family, address) for family, _, _, _, address in found]
        return self._addresses


def trusting() -> Any:
    """Return a TLS context that verifies certificate and host name.

    It trusts the system's authorities, and those in the files that SSL_CERT_FILE and SSL_CERT_DIR name (OpenSSL,
    SSL_CTX_load_verify_locations).
    """
    context = gevent_ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_default_certs()
    return context
