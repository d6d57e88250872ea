"""What a server's no means, or its silence: foreign errors turned into octoload's, with their cures."""

import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import msgspec

from octoload.errors import (
    AccessDeniedError,
    BusyError,
    LostAnswerError,
    NotOctopusError,
    RejectedError,
    ServerError,
    UnreachableError,
)

_HIDDEN = "<hidden>"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, whichever client received it."""

    status: int
    #: The words after the status.
    reason: str
    #: By name, whatever its case.
    headers: Mapping[str, str]
    content: bytes

    @property
    def is_success(self) -> bool:
        """Whether it says yes."""
        return 200 <= self.status < 300


def refusal(method: str, where: str, answer: Answer, key: str) -> ServerError:
    """Turn an answer that says no into the error that it stands for (octopus-api §B.4).

    `where` is the address without secrets; `key` is blotted out of what the server says.
    """
    said = _words(answer).replace(key, _HIDDEN)
    if answer.status in (401, 403):
        return _denied(method, where, answer.status, said)
    if answer.status in (429, 503):
        return _busy(where, answer, said)
    if 300 <= answer.status < 400:
        target = shown(answer.headers.get("Location", ""))
        return NotOctopusError(f"{where} redirects to {target}", "Name the address that it redirects to.")
    if answer.status == 404 and not said:
        return NotOctopusError(f"{where} answers 404, not in Octopus' words", "Check the address and its path.")
    return RejectedError(
        f"the server refused {method} {where} ({answer.status}): {said or answer.reason}",
        "Its log says more: Configuration, Diagnostics." if answer.status >= 500 else "Correct what it names.",
        answer.status,
    )


def unreachable(where: str, exc: Exception) -> UnreachableError:
    """Say what kept a request from its answer, from the first cause that tells."""
    cause: BaseException | None = exc
    while cause is not None:
        if isinstance(cause, socket.gaierror):
            return UnreachableError(f"the host of {where} is not known (DNS)", "Check the name of the host.")
        if isinstance(cause, ssl.SSLCertVerificationError):
            return UnreachableError(
                f"{where} has a certificate that is not trusted: {cause.verify_message}",
                "Name the file of its authority in SSL_CERT_FILE.",
            )
        if isinstance(cause, ConnectionRefusedError):
            return UnreachableError(
                f"{where} refuses connections", "Is the server running? Check the address and the port."
            )
        cause = cause.__cause__ or cause.__context__
    return LostAnswerError(
        f"{where} broke off ({type(exc).__name__}: {exc})", "See whether the server still runs, and try again."
    )


def retry_after(answer: Answer) -> float | None:
    """Return the seconds of a `Retry-After` header; its other form, a date, is not used by Octopus."""
    try:
        return max(0.0, float(answer.headers["Retry-After"]))
    except (KeyError, ValueError):
        return None


def media_type(answer: Answer) -> str:
    """Return the type of a body, for a message."""
    return str(answer.headers.get("Content-Type", "")).partition(";")[0] or "something"


def shown(url: str) -> str:
    """Return a URL without user name, password and query: what may be shown."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment=""))


def _denied(method: str, where: str, status: int, said: str) -> AccessDeniedError:
    if status == 401:
        return AccessDeniedError(f"{where} refuses the API key (401): {said}", "Set OCTOPUS_API_KEY to a valid key.")
    return AccessDeniedError(
        f"the API key may not {method} {where} (403): {said}", "Use the key of a user with that permission."
    )


def _busy(where: str, answer: Answer, said: str) -> BusyError:
    if answer.status == 429:
        what, cure = "limits the rate of requests", "Switch rate limiting off on your test instance."
    else:
        what, cure = "is not available", "Wait until the server has started or left maintenance mode."
    return BusyError(f"{where} {what} ({answer.status}): {said}", cure, retry_after(answer))


def _words(answer: Answer) -> str:
    """Return what the server says, `ErrorMessage` and `Errors`; nothing when the body is not Octopus'."""
    try:
        said = msgspec.json.decode(answer.content)
    except msgspec.DecodeError:
        return ""
    if not isinstance(said, dict):
        return ""
    errors = said.get("Errors")
    return " ".join(map(str, filter(None, [said.get("ErrorMessage"), *(errors if isinstance(errors, list) else [])])))
