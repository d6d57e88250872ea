"""What a person sees while a run goes on: bars on a terminal, plain lines elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

#: Seconds between two plain lines about the same step.
PLAIN_EVERY = 10.0

Report = Callable[[int, int, str], None]


class _Rate(ProgressColumn):
    """How many a second."""

    def render(self, task: Task) -> Text:
        """Return the rate of the last seconds, once there is one."""
        return Text(f"{task.speed:,.0f}/s" if task.speed else "")


class Display:
    """Steps with a bar, rate and time left."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def say(self, text: str, style: str = "") -> None:
        """Say one thing, as it is."""
        self.console.print(text, style=style, markup=False, highlight=False)

    @contextmanager
    def step(self, title: str) -> Iterator[Report]:
        """Show a step; the caller reports (done, total, what) as it goes on."""
        started = time.monotonic()
        if self.console.is_terminal:
            with self._bar() as bar:
                task = bar.add_task(escape(title), total=None)

                def report(done: int, total: int, what: str = "") -> None:
                    bar.update(
                        task, completed=done, total=total or None, description=f"{escape(title)} [dim]{escape(what)}"
                    )

                yield report
        else:
            yield self._plain(title)
        self.console.print(f"[green]✓[/] {escape(title)} [dim]({time.monotonic() - started:.1f} s)", highlight=False)

    def _bar(self) -> Progress:
        return Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            _Rate(),
            TimeRemainingColumn(),
            console=self.console,
            transient=True,
        )

    def _plain(self, title: str) -> Report:
        last = time.monotonic()

        def report(done: int, total: int, what: str = "") -> None:
            nonlocal last
            if time.monotonic() - last >= PLAIN_EVERY:
                last = time.monotonic()
                self.say(f"  {title}: {done:,} of {total:,} {what}" if total else f"  {title}: {done:,} {what}")

        return report
