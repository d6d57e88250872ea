"""Hooks: commands around an arm's trials, undone whatever happens, at the latest by `octoload restore`."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import psutil
import pytest

from experiments import hooks
from experiments.experiment import Arm, load
from experiments.hooks import Hooks
from experiments.journal import Journal
from octoload.errors import ServerError, UsageError
from tests.octopus_server import until

pytestmark = pytest.mark.unit

HOUSE = Path(__file__).parents[2]


def python(script: str) -> list[str]:
    return [sys.executable, "-c", script]


def writes(file: Path, word: str) -> list[str]:
    return python(f"open({str(file)!r}, 'a').write('{word} ')")


@pytest.fixture
def made(tmp_path: Path) -> Hooks:
    return Hooks(Journal(tmp_path / "journal.jsonl"), tmp_path / "logs")


def test_an_arm_is_undone_after_its_trial(made: Hooks, tmp_path: Path) -> None:
    """`before` runs first and `after` last; then nothing is left to restore."""
    said = tmp_path / "said"
    arm = Arm(before=writes(said, "before"), after=writes(said, "after"))
    with made.around("b", arm):
        with said.open("a") as file:
            file.write("trial ")
        assert [(one.where, one.command) for one in made.left()] == [("b", arm.after)]
    assert said.read_text() == "before trial after "
    assert made.left() == []


def test_an_arm_is_undone_after_a_trial_that_failed(made: Hooks, tmp_path: Path) -> None:
    """What breaks off a trial, Ctrl-C too, does not keep its `after` from running, nor is it hidden by it."""
    said = tmp_path / "said"
    with pytest.raises(KeyboardInterrupt), made.around("b", Arm(after=writes(said, "after"))):
        raise KeyboardInterrupt
    assert said.read_text() == "after "


def test_a_command_that_fails_ends_the_run_with_its_last_words(made: Hooks, tmp_path: Path) -> None:
    """The message names arm, exit code and what the command said; its undoing stays for `octoload restore`."""
    failing = python("import sys; sys.exit('the node is not there')")
    with pytest.raises(ServerError) as caught, made.around("b", Arm(before=failing, after=failing)):
        pytest.fail("the trial must not begin")
    assert "hook after b" in caught.value.message
    assert "exit code 1" in caught.value.message
    assert "the node is not there" in caught.value.message
    assert "octoload restore" in caught.value.cure
    assert len(made.left()) == 1


def test_a_command_that_takes_too_long_is_ended(made: Hooks, tmp_path: Path) -> None:
    """After its time it is gone with all that it started, and the message says so."""
    script = f"import os, time; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    with (
        pytest.raises(ServerError, match="took longer than 1 s"),
        made.around("b", Arm(before=python(script), within=1)),
    ):
        pytest.fail("the trial must not begin")
    assert not psutil.pid_exists(int((tmp_path / "pid").read_text()))


def test_what_a_killed_run_left_is_undone_once(made: Hooks, tmp_path: Path) -> None:
    """The last begun is undone first; a second time there is nothing to do."""
    said = tmp_path / "said"
    for name in ("a", "b"):
        made.begin(hooks.Undo("hook", name, writes(said, name), 10), [])
    again = Hooks(Journal(tmp_path / "journal.jsonl"), tmp_path / "logs")
    assert len(again.restore()) == 2
    assert said.read_text() == "b a "
    assert again.restore() == []


@pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9")
def test_no_command_outlives_a_run_that_is_killed(tmp_path: Path) -> None:
    """A kill -9 of the run ends the command that it waits for."""
    hook = f"import os, time; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    run = (
        "import sys; from pathlib import Path; from experiments.experiment import Arm\n"
        "from experiments.hooks import Hooks; from experiments.journal import Journal\n"
        f"folder = Path({str(tmp_path)!r})\n"
        f"arm = Arm(before=[sys.executable, '-c', {hook!r}])\n"
        "with Hooks(Journal(folder / 'journal.jsonl'), folder).around('b', arm): pass"
    )
    with subprocess.Popen(python(run), cwd=HOUSE) as process:
        pid = until(lambda: (tmp_path / "pid").read_text() if (tmp_path / "pid").exists() else "", bool)
        command = psutil.Process(int(pid))
        os.kill(process.pid, signal.SIGKILL)
    _, alive = psutil.wait_procs([command], timeout=15)
    assert alive == []
    assert [one.where for one in Hooks(Journal(tmp_path / "journal.jsonl"), tmp_path).left()] == ["b"]


def test_a_command_that_is_not_there_is_told_before_anything_begins(tmp_path: Path) -> None:
    """The arm and the command are named."""
    retention = load(HOUSE / "experiments" / "retention.yaml")
    arms = {**retention.arms, "keep-3": Arm(before=["no-such-program", "x"])}
    with pytest.raises(UsageError, match="'keep-3': there is no command 'no-such-program'"):
        hooks.check(msgspec.structs.replace(retention, arms=arms))
