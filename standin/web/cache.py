"""A small memory of what rarely changes, so that a key or a space costs no query a request."""

import time
from typing import Generic, TypeVar

V = TypeVar("V")


class Cache(Generic[V]):
    """Values by name, each forgotten after `seconds`: other nodes may change what it stands for."""

    def __init__(self, seconds: float, largest: int = 10_000) -> None:
        self._seconds = seconds
        self._largest = largest
        self._values: dict[str, tuple[float, V]] = {}

    def get(self, name: str) -> V | None:
        """Return the value of a name, or None where it is not known or too old."""
        found = self._values.get(name)
        return found[1] if found is not None and found[0] > time.monotonic() else None

    def put(self, name: str, value: V) -> None:
        """Keep a value; a memory that is full starts anew."""
        if len(self._values) >= self._largest:
            self._values.clear()
        self._values[name] = (time.monotonic() + self._seconds, value)

    def clear(self) -> None:
        """Forget everything."""
        self._values.clear()
