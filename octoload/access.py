"""How a server is reached: its address, the key, and what both clients make of them."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx
import msgspec

import octoload
from octoload import refusals
from octoload.errors import NotOctopusError, ServerError, UsageError

#: By what the events of a server tell octoload's deeds from those of others (octopus-api §B.1).
AGENT = f"octoload/{octoload.__version__} (load-test)"
#: Seconds after which an idle connection is not used again: servers close theirs after 5 s or later, and a request
#: sent into a closing connection is lost.
IDLE = 2.0


@dataclass(frozen=True, slots=True)
class Access:
    """An address and a key that can be one; the key is in no `repr`."""

    #: The server's address, up to and without `/api`.
    url: str
    key: str = field(repr=False)
    #: Seconds that an answer may take.
    timeout: float = 60.0

    @classmethod
    def checked(cls, url: str, key: str, timeout: float) -> "Access":
        """Return the access to a server.

        Raises:
            UsageError: the URL or the key cannot be one.
        """
        if not key.isascii() or not key.isprintable() or " " in key or not key:
            raise UsageError(
                "the API key has characters that no key has, or none at all", "Copy it again from the portal."
            )
        return cls(_checked_url(url), key, timeout)

    @property
    def shown_url(self) -> str:
        """The address without a user name and a password."""
        return refusals.shown(self.url)

    @property
    def headers(self) -> dict[str, str]:
        """What each request carries."""
        return {"X-Octopus-ApiKey": self.key, "Accept": "application/json", "User-Agent": AGENT}

    @property
    def trusts_environment(self) -> bool:
        """Whether a proxy may be used: one on the way to one's own machine is never meant."""
        return not is_loopback(urlsplit(self.url).hostname or "")

    def tls(self) -> ssl.SSLContext:
        """Return the authorities to trust: the system's, or those that SSL_CERT_FILE names."""
        return ssl.create_default_context()

    def decode(self, path: str, answer: refusals.Answer) -> Any:
        """Return the document of an answer, None when it is empty.

        Raises:
            NotOctopusError: it is no JSON.
        """
        if not answer.content:
            return None
        try:
            return msgspec.json.decode(answer.content)
        except msgspec.DecodeError as exc:
            raise NotOctopusError(
                f"{self.shown_url}{path} answers with {refusals.media_type(answer)}, not with JSON",
                "Check the address and the port: is it the Octopus Server, or a proxy before it?",
            ) from exc

    def refusal(self, method: str, path: str, answer: refusals.Answer) -> ServerError:
        """Return the error that an answer which says no stands for."""
        return refusals.refusal(method, self.shown_url + path, answer, self.key)

    def late(self, method: str, path: str) -> tuple[str, str]:
        """Return message and cure for an answer that did not come in time."""
        return (
            f"{self.shown_url} did not answer {method} {path} within {self.timeout:g} s",
            "See whether the server is overloaded or a firewall swallows the packets.",
        )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a host of that name."""
    return host in ("localhost", "::1") or host.startswith("127.")


def route(path: str) -> str:
    """Return a path from `/api` on: one that does not begin so follows it."""
    return path if path.startswith("/api") else f"/api/{path}"


def joined(query: Mapping[str, Any]) -> dict[str, Any]:
    """Return a query whose lists are joined by commas (octopus-api §B.2)."""
    return {name: ",".join(value) if isinstance(value, list) else value for name, value in query.items()}


def following(page: Mapping[str, Any]) -> str | None:
    """Return the path of the page after this one, None after the last (`Page.Next`, octopus-api §B.2).

    It begins with `/api`: a server behind a folder such as `/octopus` has that in its links.
    """
    link = page.get("Links", {}).get("Page.Next")
    return str(link)[max(0, str(link).find("/api/")) :] if link else None


def _checked_url(url: str) -> str:
    cure = "Write it like https://octopus.example.com or http://127.0.0.1:8065."
    try:
        parts = urlsplit(url)
        _ = parts.port
        httpx.URL(url)
    except (ValueError, httpx.InvalidURL) as exc:
        raise UsageError("the address of the server is no URL", cure) from exc
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"{refusals.shown(url)!r} is no address of a server", cure)
    path = parts.path.rstrip("/")
    return urlunsplit((parts.scheme, parts.netloc, path.removesuffix("/api"), "", ""))
