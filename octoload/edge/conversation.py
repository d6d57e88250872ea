"""What the Locust processes of octoload say on standard output: one JSON object a line, and nothing else."""

import os
import sys
from typing import Any

import msgspec

_encode = msgspec.json.Encoder().encode


class Conversation:
    """Standard output, kept for lines of JSON."""

    def __init__(self) -> None:
        """Whatever else is printed goes to standard error from now on."""
        sys.stdout.flush()
        self._output = os.dup(1)
        os.dup2(2, 1)

    def say(self, event: dict[str, Any]) -> None:
        """Write one line.

        Raises:
            OSError: nobody listens any more.
        """
        data = _encode(event) + b"\n"
        while data:
            data = data[os.write(self._output, data) :]
