"""What reading an answer costs octoload's own reader, beside the C parser httptools."""

import argparse
import json
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httptools

HOUSE = Path(__file__).parent.parent
sys.path.insert(0, str(HOUSE))

from octoload.edge.answer import AnswerReader  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

#: Answers in a timed loop, and loops of each parser in turn.
ANSWERS, ROUNDS = 20_000, 9
#: Bytes of the body, and how many different heads come in turn: the reader knows a head that came before, up to 1,024.
CASES = ((2_161, 1), (2_161, 500), (2_161, 4_000), (63_542, 1), (63_542, 500))

Answers = list[tuple[bytearray, int]]


class Collected:
    """What httptools tells, kept as octoload's reader keeps it."""

    def __init__(self) -> None:
        self.complete = False
        self.node = b""
        self.size = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep the one header that samples need."""
        if name == b"Octopus-Node":
            self.node = value

    def on_body(self, body: bytes) -> None:
        """Count a piece of the body."""
        self.size += len(body)

    def on_message_complete(self) -> None:
        """Note the end."""
        self.complete = True


def answers(size: int, heads: int) -> Answers:
    """Return answers as a server sends them, each with another number and length."""
    made = []
    for number in range(heads):
        body = b"x" * (size - number % 500)
        head = (
            b"HTTP/1.1 200 OK\r\nServer: Kestrel\r\nDate: Sun, 22 Nov 2026 12:00:00 GMT\r\n"
            b"Content-Type: application/json; charset=utf-8\r\nOctopus-Node: node-1\r\nX-Request: %06d\r\n"
            b"Content-Length: %d\r\n\r\n" % (number, len(body))
        )
        made.append((bytearray(head + body), len(head) + len(body)))
    return made


def own(given: Answers) -> float:
    """Return the seconds that octoload's reader takes for an answer."""
    reader = AnswerReader()
    begin = time.process_time()
    for index in range(ANSWERS):
        data, count = given[index % len(given)]
        reader.keep = False
        assert reader.feed(data, count)
        assert reader.head.node
    return (time.process_time() - begin) / ANSWERS


def in_c(given: Answers) -> float:
    """Return the seconds that httptools takes for an answer, callbacks included."""
    collected = Collected()
    parser = httptools.HttpResponseParser(collected)
    begin = time.process_time()
    for index in range(ANSWERS):
        data, count = given[index % len(given)]
        collected.complete = False
        parser.feed_data(memoryview(data)[:count])
        assert collected.complete
        assert parser.get_status_code() == 200
    return (time.process_time() - begin) / ANSWERS


def measure() -> list[dict[str, Any]]:
    """Run all in turn; return one row for each parser and kind of answer."""
    parsers: dict[str, Callable[[Answers], float]] = {"octoload": own, "httptools": in_c}
    rows = []
    for size, heads in CASES:
        given = answers(size, heads)
        times: dict[str, list[float]] = {name: [] for name in parsers}
        for _ in range(ROUNDS):
            for name, parse in parsers.items():
                times[name].append(parse(given) * 1e6)
        for name, values in times.items():
            spread = {"min": min(values), "median": statistics.median(values), "max": max(values)}
            rows.append({"bytes": size, "heads": heads, "parser": name, "n": ROUNDS, "cpu_us": spread})
    return rows


def main() -> None:
    """Print a table, or JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.parsers", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one object of JSON")
    options = parser.parse_args()
    rows = measure()
    if options.json:
        print(json.dumps(rows, indent=2))
        return
    for row in rows:
        cpu = row["cpu_us"]
        spread = f"{cpu['min']:.2f} {cpu['median']:.2f} {cpu['max']:.2f}"
        print(
            f"{row['bytes']:6} bytes, {row['heads']:4} heads  {row['parser']:10}{spread:>20} µs an answer, n={row['n']}"
        )


if __name__ == "__main__":
    main()
