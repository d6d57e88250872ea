"""Every error that the stand-in reports: refusals on the wire, and failures of its own commands.

StandinError
├── Rejected         a request that breaks a rule: HTTP status, message, reasons
├── UsageError    2  an option, a file or a folder is wrong
└── FailureError  5  PostgreSQL, a node or the network failed
"""

from collections.abc import Sequence


class StandinError(Exception):
    """What went wrong and where, in one line; `cure` says what to do about it."""

    exit_code = 5

    def __init__(self, message: str, cure: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.cure = cure

    def __str__(self) -> str:
        return f"{self.message}\n  {self.cure}" if self.cure else self.message


class UsageError(StandinError):
    """An option, a file or a folder is wrong."""

    exit_code = 2


class FailureError(StandinError):
    """PostgreSQL, a node or the network failed."""

    exit_code = 5


class Rejected(StandinError):  # noqa: N818 - it is an answer to a client, not a fault
    """A request breaks a rule; `status` is the HTTP status, `errors` the single reasons, `headers` what else to say."""

    def __init__(
        self, status: int, message: str, errors: Sequence[str] = (), headers: Sequence[tuple[str, str]] = ()
    ) -> None:
        super().__init__(message)
        self.status = status
        self.errors = list(errors)
        self.headers = tuple(headers)


def not_found(identifier: str) -> Rejected:
    """Say that there is no such document (404)."""
    return Rejected(404, f"The resource '{identifier}' was not found.")
