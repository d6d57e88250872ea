"""Every error that octoload reports, with its cure and its exit code.

OctoloadError
├── UsageError          2  a file, an option or an argument is wrong
├── InvalidRunError     3  the measurement itself was at fault
├── ServerError         5  a server or the network failed
│   ├── UnreachableError     nothing answers there
│   │   └── LostAnswerError      the connection broke: it may have been done
│   ├── NotOctopusError      something else answers there
│   ├── AccessDeniedError    401 or 403
│   ├── BusyError            429 or 503
│   └── RejectedError        any other answer that says no
└── InterruptedRunError 130  the user stopped it; trials are kept
"""


class OctoloadError(Exception):
    """What went wrong and where, in one line; `cure` says what to do about it."""

    exit_code = 5

    def __init__(self, message: str, cure: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.cure = cure

    def __str__(self) -> str:
        return f"{self.message}\n  {self.cure}" if self.cure else self.message


class UsageError(OctoloadError):
    """A file, an option or an argument is wrong."""

    exit_code = 2


class InvalidRunError(OctoloadError):
    """The measurement itself was at fault: its numbers must not be used."""

    exit_code = 3


class ServerError(OctoloadError):
    """A server, a database or the network failed."""

    exit_code = 5


class UnreachableError(ServerError):
    """Nothing answers at the address, or not in time."""


class LostAnswerError(UnreachableError):
    """The connection broke on the way: nobody knows whether what was asked has been done."""


class NotOctopusError(ServerError):
    """Something answers, but it is no Octopus Server."""


class AccessDeniedError(ServerError):
    """The server answered 401 or 403."""


class BusyError(ServerError):
    """The server answered 429 or 503; `retry_after` is in seconds, or None."""

    def __init__(self, message: str, cure: str = "", retry_after: float | None = None) -> None:
        super().__init__(message, cure)
        self.retry_after = retry_after


class RejectedError(ServerError):
    """The server said no for a reason of its own; `status` is the HTTP status."""

    def __init__(self, message: str, cure: str = "", status: int = 400) -> None:
        super().__init__(message, cure)
        self.status = status


class InterruptedRunError(OctoloadError):
    """The user stopped the run; finished trials are kept."""

    exit_code = 130
