"""The file of a trial: written once its checks have judged it, or when it could not be run to its end."""

import time
from pathlib import Path
from typing import Any

import msgspec

from octoload import files
from reports.checks import Check


def judge(folder: Path, content: dict[str, Any], verdicts: list[Check]) -> list[str]:
    """Write `trial.json`; return what makes the trial invalid."""
    faults = [check.message for check in verdicts if check.state == "invalid"]
    content |= {"checks": msgspec.to_builtins(verdicts), "valid": not faults}
    files.write_json(folder / "trial.json", "trial", 1, content)
    return faults


def warnings(folder: Path) -> list[tuple[str, str]]:
    """Return the checks of a trial that warn, each as its name and its message."""
    checks = files.read_json(folder / "trial.json", "trial", 1)["checks"]
    return [(check["name"], check["message"]) for check in checks if check["state"] == "warn"]


def spoil(folder: Path, content: dict[str, Any], started: float, message: str) -> list[str]:
    """Write `trial.json` of a trial that the generator could not finish; return why."""
    check = {"name": "generator", "value": None, "limit": None, "state": "invalid", "message": message}
    times = {"started": started, "measured_from": started, "measured_until": started, "ended": time.time()}
    counts = {"planned": {}, "sent": {}, "recorded": 0, "counted": 0}
    files.write_json(
        folder / "trial.json", "trial", 1, {**content, **times, **counts, "checks": [check], "valid": False}
    )
    return [message]
