"""Going on with a run: only as it began."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from experiments import commands, plan
from experiments.experiment import load
from experiments.plan import Generator
from octoload import files
from octoload.errors import UsageError
from seeders.history import History

pytestmark = pytest.mark.unit

SOURCE = Path(__file__).parents[2] / "experiments" / "retention.yaml"


def decided(history: History, generator: Generator) -> dict[str, Any]:
    return plan.write_up(load(SOURCE), history, generator)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run that has begun."""
    shutil.copyfile(SOURCE, tmp_path / "experiment.yaml")
    files.write_json(tmp_path / "plan.json", "plan", 1, decided(History(projects=20), Generator(2)))
    return tmp_path


def test_a_run_goes_on_as_it_began(folder: Path) -> None:
    """The same file, history, processes and version are accepted."""
    commands._same(folder, SOURCE, decided(History(projects=20), Generator(2)))


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        (decided(History(projects=21), Generator(2)), "history"),
        (decided(History(projects=20), Generator(3)), "generator"),
        ({**decided(History(projects=20), Generator(2)), "octoload": "0.0.1"}, "version"),
        ({**decided(History(projects=20), Generator(2)), "workload": {"trace": "a.csv"}}, "workload"),
        ({**decided(History(projects=20), Generator(2)), "design": {"pairs": 2}}, "design"),
    ],
)
def test_a_run_does_not_go_on_otherwise(folder: Path, changed: dict[str, Any], word: str) -> None:
    """Trials with another history file, number of processes, version or design would not be comparable."""
    with pytest.raises(UsageError, match=word) as caught:
        commands._same(folder, SOURCE, changed)
    assert caught.value.cure


def test_another_experiment_file_is_refused(folder: Path, tmp_path: Path) -> None:
    """One byte more in the experiment's file is another experiment."""
    other = tmp_path / "other.yaml"
    other.write_bytes(SOURCE.read_bytes() + b"\n")
    with pytest.raises(UsageError, match="changed"):
        commands._same(folder, other, decided(History(projects=20), Generator(2)))
