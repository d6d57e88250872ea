"""What a client asks for in the query string: names without regard to case, lists, pages, dates, truth values."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlencode

from standin.web.refusals import bad_request

#: "all" in Octopus' clients: the largest 32-bit integer
ALL = 2_147_483_647

#: an unescaped `+` before an offset arrives as a blank
_LOST_PLUS = re.compile(r" (\d\d:?\d\d)$")
_TRUE = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


@dataclass(frozen=True, slots=True)
class Window:
    """The part of a list that one page shows."""

    #: items before the page
    skip: int
    #: items on the page, at most
    take: int


class Query:
    """A query string, read without regard to the case of its names."""

    __slots__ = ("_values",)

    def __init__(self, raw: bytes) -> None:
        self._values: dict[str, list[str]] = {}
        if raw:
            for name, value in parse_qsl(raw.decode("latin-1"), keep_blank_values=True):
                self._values.setdefault(name.lower(), []).append(value)

    def text(self, name: str) -> str | None:
        """Return the first value that is not blank, or None."""
        return next((value for value in self._values.get(name, ()) if value.strip()), None)

    def many(self, *names: str) -> list[str] | None:
        """Return the values of a list given repeatedly or joined with commas, or None where none is given."""
        found = [part.strip() for name in names for value in self._values.get(name, ()) for part in value.split(",")]
        return [part for part in found if part] or None

    def number(self, name: str, default: int | None = None) -> int | None:
        """Return a whole number.

        Raises:
            Rejected: 400, the value is no whole number of 64 bits.
        """
        value = self.text(name)
        if value is None:
            return default
        try:
            number = int(value)
        except ValueError:
            raise bad_request(f"The value '{value[:50]}' of '{name}' is not a whole number.") from None
        if abs(number) >= 2**63:
            raise bad_request(f"The value of '{name}' is too large.")
        return number

    def flag(self, name: str) -> bool | None:
        """Return a truth value, or None where it is not given.

        Raises:
            Rejected: 400, the value is neither true nor false.
        """
        value = self.text(name)
        if value is None:
            return None
        if value.lower() not in _TRUE:
            raise bad_request(f"The value '{value[:50]}' of '{name}' is neither true nor false.")
        return _TRUE[value.lower()]

    def time(self, name: str) -> datetime | None:
        """Return a moment, in either form that clients send.

        Raises:
            Rejected: 400, the value is no date.
        """
        value = self.text(name)
        return None if value is None else parse_time(value, name)

    def window(self, default_take: int = 30) -> Window:
        """Return the page asked for.

        Raises:
            Rejected: 400, `skip` or `take` is negative, too large or no number.
        """
        skip, take = self.number("skip", 0) or 0, self.number("take", default_take)
        for name, value in (("skip", skip), ("take", take)):
            if value is None or not 0 <= value <= ALL:
                raise bad_request(f"'{name}' must be between 0 and {ALL}.")
        return Window(skip, take if take is not None else default_take)

    def filters(self) -> str:
        """Return the query without its paging and its key, for the links of a page."""
        kept = [(name, v) for name, vs in self._values.items() if name not in {"skip", "take", "apikey"} for v in vs]
        return "&" + urlencode(kept) if kept else ""


def parse_time(value: str, name: str) -> datetime:
    """Read ISO 8601 with `T`, or with a blank as Python prints it; a date without an offset is in UTC.

    Raises:
        Rejected: 400, the value is no date.
    """
    try:
        moment = datetime.fromisoformat(_LOST_PLUS.sub(r"+\1", value.strip()) if ":" in value[:-6] else value.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise bad_request(f"The value '{value[:50]}' of '{name}' is not a date.") from None
