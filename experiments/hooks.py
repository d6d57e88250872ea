"""Hooks: commands that put an arm in force and undo it where no API can; what was begun is journalled until undone."""

import contextlib
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from experiments.experiment import Arm, Experiment
from experiments.journal import Journal
from experiments.processes import Program
from octoload.errors import ServerError, UsageError


class Undo(msgspec.Struct, frozen=True):
    """What puts back something that was begun."""

    #: What was begun: `hook` or `outage`.
    what: str
    #: Name of the arm.
    where: str
    #: Command and arguments; empty when there is nothing to do.
    command: list[str]
    #: Seconds that it may take.
    within: float


class Hooks:
    """Runs commands, each without a shell and with a time limit, and knows which are still to be undone."""

    def __init__(self, journal: Journal, logs: Path) -> None:
        """`logs` is the folder for what the commands say."""
        self._journal = journal
        self._logs = logs

    @contextlib.contextmanager
    def around(self, name: str, arm: Arm) -> Iterator[None]:
        """Run an arm's `before`, yield, and run its `after`, whatever came between.

        Raises:
            ServerError: one of them failed; an `after` that was not run, or failed, is left to `octoload restore`.
        """
        if not arm.before and not arm.after:
            yield
            return
        undo = Undo("hook", name, arm.after, arm.within)
        try:
            self.begin(undo, arm.before)
            yield
        finally:
            self.undo(undo)

    def begin(self, undo: Undo, command: Sequence[str]) -> None:
        """Note how to undo something, and then do it."""
        self._journal.note("begun", **msgspec.to_builtins(undo), doing=list(command))
        self._run(f"{undo.what} before {undo.where}", command, undo.within)

    def undo(self, undo: Undo) -> None:
        """Undo something, and note that it is done."""
        self._run(f"{undo.what} after {undo.where}", undo.command, undo.within)
        self._journal.note("undone", what=undo.what, where=undo.where)

    def left(self) -> list[Undo]:
        """Return what was begun and not undone, the last first."""
        open_ones: dict[tuple[str, str], Undo] = {}
        for entry in self._journal.entries():
            if entry["kind"] == "begun":
                undo = msgspec.convert(entry, Undo)
                open_ones.pop((undo.what, undo.where), None)
                open_ones[undo.what, undo.where] = undo
            elif entry["kind"] == "undone":
                open_ones.pop((entry["what"], entry["where"]), None)
        return list(reversed(open_ones.values()))

    def restore(self) -> list[str]:
        """Undo all that a run left when it was cut off; return what was done."""
        left = self.left()
        for undo in left:
            self.undo(undo)
        return [f"{undo.what} of {undo.where}: {' '.join(undo.command)}" for undo in left if undo.command]

    def _run(self, name: str, command: Sequence[str], within: float) -> None:
        if not command:
            return
        log = self._logs / f"{name.replace(' ', '-')}.log"
        log.unlink(missing_ok=True)  # the last words of a command are to be its own
        with Program(f"the {name}", ["experiments.supervisor", *command], log) as program:
            try:
                program.finish(within)
            except ServerError as exc:
                cure = f"Command: {' '.join(command)}. {exc.cure}\n  What was begun is undone by: octoload restore"
                raise ServerError(exc.message, cure) from exc


def check(experiment: Experiment) -> None:
    """See that the commands of all arms are there, before anything is begun.

    Raises:
        UsageError: one is not.
    """
    for name, arm in experiment.arms.items():
        struck = (arm.outage.strike, arm.outage.mend) if arm.outage else ()
        for command in (arm.before, arm.after, *struck):
            if command and shutil.which(command[0]) is None:
                raise UsageError(
                    f"arm {name!r}: there is no command {command[0]!r}",
                    "Give a program and its arguments as a list; for shell words: [sh, -c, '…'].",
                )
