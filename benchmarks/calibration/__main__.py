"""Runs the cells of the calibration and writes docs/calibration.md; every run that was made is listed there.

python -m benchmarks.calibration            all cells (about two and a half hours on two cores)
python -m benchmarks.calibration alarms     one cell
python -m benchmarks.calibration --page     the page anew, from the runs that were made
"""

import argparse
import datetime as dt
import json
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from benchmarks.calibration import laws, page, queues, standin, verdicts
from benchmarks.calibration.rows import Row
from benchmarks.calibration.seeds import SEEDS

CELLS: dict[str, Callable[[int], list[Row]]] = {
    "alarms": verdicts.alarms,
    "alarms-again": verdicts.alarms_again,
    "coverage": verdicts.coverage,
    "few-pairs": verdicts.few_pairs,
    "looks": verdicts.planned_looks,
    "endpoints": verdicts.endpoints,
    "gate": verdicts.gates,
    "warm-up": laws.warm_up,
    "scaling": laws.scale,
    "depth": laws.depths,
    "task-capacity": queues.task_capacity,
    "paired-drains": queues.paired_drains,
    "api-capacity": queues.api_capacity,
    "queue-formula": queues.queue_formula,
    "correlation": laws.correlate,
    "trend": laws.trends,
    "standin-alarms": standin.alarms,
    "standin-more-work": standin.more_work,
}
_DOCS = Path(__file__).parents[2] / "docs"
RUNS = _DOCS / "calibration-runs.jsonl"
PAGE = _DOCS / "calibration.md"


def main() -> None:
    """Run cells, add each to the list of runs, write the page."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("cells", nargs="*", metavar="CELL", help=", ".join(CELLS))
    options.add_argument("--page", action="store_true", help="write the page only")
    chosen = options.parse_args()
    if unknown := sorted(set(chosen.cells) - set(CELLS)):
        options.error(f"there is no cell {', '.join(unknown)}; there are {', '.join(CELLS)}")
    for name in [] if chosen.page else (chosen.cells or CELLS):
        began = time.monotonic()
        rows = CELLS[name](SEEDS[name])
        run = {
            "cell": name,
            "seed": SEEDS[name],
            "at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            "seconds": round(time.monotonic() - began),
            "rows": [asdict(row) for row in rows],
        }
        with RUNS.open("a", encoding="utf-8") as file:
            file.write(json.dumps(run) + "\n")
        print(f"{name}: {len(rows)} figures in {run['seconds']} s", flush=True)
    made = [json.loads(line) for line in RUNS.read_text(encoding="utf-8").splitlines()] if RUNS.exists() else []
    PAGE.write_text(page.render(made, CELLS), encoding="utf-8")


if __name__ == "__main__":
    main()
