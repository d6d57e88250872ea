"""A search for the API's capacity: a ramp of short trials, then six around the rate that is looked for.

The steps are trials of the engine like any other; which rate comes next follows from those before (statistics §4.3).
"""

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from experiments import workload
from reports import ramp, searches, summaries

#: Runs one trial of the engine: command in, facts out.
Engine = Callable[[dict[str, Any]], dict[str, Any]]
#: Told before each step: its number, and the rate in sessions a second.
Step = Callable[[int, float], None]


class Search:
    """One search on one arm."""

    def __init__(self, engine: Engine, command: Mapping[str, Any], wanted: workload.Search) -> None:
        """`command` is that of a trial on this arm, with the mix whose rates are multiplied."""
        self._engine = engine
        self._command = dict(command)
        self._wanted = wanted
        self._mix: dict[str, float] = command["mix"]

    def run(self, folder: Path, step: Step) -> dict[str, Any]:
        """Search; leave each step's requests under `steps/`; return the facts of the whole as a trial.

        Raises:
            InvalidRunError: the generator was at fault in a step.
        """
        trials: list[ramp.RampTrial] = []
        parts: list[dict[str, Any]] = []
        usual = sum(self._mix.values())
        while isinstance(rate := ramp.next_rate(trials, usual * self._wanted.guess), float):
            number = len(trials) + 1
            step(number, rate)
            place = folder / "steps" / f"{number:02d}"
            place.mkdir(parents=True)
            parts.append(self._engine(self._order(number, rate / usual, place)))
            samples = summaries.read(place / "requests.parquet")
            trials.append(searches.reduce(samples, rate, self._wanted.objective, parts[-1]["measured_until"]))
        return {**_together(parts), "search": msgspec.to_builtins(trials)}

    def _order(self, number: int, factor: float, place: Path) -> dict[str, Any]:
        return {
            **self._command,
            "mix": {name: rate * factor for name, rate in self._mix.items()},
            "warm_up": self._wanted.warm_up,
            "seconds": self._wanted.seconds,
            "seed": self._command["seed"] * 100 + number,
            "folder": str(place.resolve()),
        }


def _together(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """Put the facts of all steps together as one trial's; the generator's are those of its busiest step."""
    counts = {name: dict(sum((Counter(part[name]) for part in parts), Counter())) for name in ("planned", "sent")}
    sums = {name: sum(part[name] for part in parts) for name in ("recorded", "counted", "failures")}
    busiest = max(parts, key=lambda part: float(part["generator"]["cpu"]))
    return {
        **{name: parts[0][name] for name in ("started", "measured_from")},
        **{name: parts[-1][name] for name in ("measured_until", "ended")},
        **counts,
        **sums,
        "generator": busiest["generator"],
        "log": [line for part in parts for line in part["log"]],
    }
