"""What a server's no means, or its silence: foreign errors turned into octoload's, with their cures."""

import socket
import ssl
from urllib.parse import urlsplit, urlunsplit

import httpx
import msgspec

from octoload.errors import (
    AccessDeniedError,
    BusyError,
    NotOctopusError,
    RejectedError,
    ServerError,
    UnreachableError,
)

_HIDDEN = "<hidden>"


def refusal(method: str, where: str, answer: httpx.Response, key: str) -> ServerError:
    """Turn an answer that says no into the error that it stands for (octopus-api §B.4).

    `where` is the address without secrets; `key` is blotted out of what the server says.
    """
    said = _words(answer).replace(key, _HIDDEN)
    if answer.status_code in (401, 403):
        return _denied(method, where, answer.status_code, said)
    if answer.status_code in (429, 503):
        return _busy(where, answer, said)
    if answer.is_redirect:
        target = shown(answer.headers.get("Location", ""))
        return NotOctopusError(f"{where} redirects to {target}", "Name the address that it redirects to.")
    if answer.status_code == 404 and not said:
        return NotOctopusError(f"{where} answers 404, not in Octopus' words", "Check the address and its path.")
    return RejectedError(
        f"the server refused {method} {where} ({answer.status_code}): {said or answer.reason_phrase}",
        "Its log says more: Configuration, Diagnostics." if answer.is_server_error else "Correct what it names.",
        answer.status_code,
    )


def unreachable(where: str, exc: httpx.RequestError) -> UnreachableError:
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
    return UnreachableError(
        f"{where} broke off ({type(exc).__name__}: {exc})", "See whether the server still runs, and try again."
    )


def retry_after(answer: httpx.Response) -> float | None:
    """Return the seconds of a `Retry-After` header; its other form, a date, is not used by Octopus."""
    try:
        return max(0.0, float(answer.headers["Retry-After"]))
    except (KeyError, ValueError):
        return None


def media_type(answer: httpx.Response) -> str:
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


def _busy(where: str, answer: httpx.Response, said: str) -> BusyError:
    if answer.status_code == 429:
        what, cure = "limits the rate of requests", "Switch rate limiting off on your test instance."
    else:
        what, cure = "is not available", "Wait until the server has started or left maintenance mode."
    return BusyError(f"{where} {what} ({answer.status_code}): {said}", cure, retry_after(answer))


def _words(answer: httpx.Response) -> str:
    """Return what the server says, `ErrorMessage` and `Errors`; nothing when the body is not Octopus'."""
    try:
        said = msgspec.json.decode(answer.content)
    except msgspec.DecodeError:
        return ""
    if not isinstance(said, dict):
        return ""
    errors = said.get("Errors")
    return " ".join(map(str, filter(None, [said.get("ErrorMessage"), *(errors if isinstance(errors, list) else [])])))
