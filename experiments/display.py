"""What a person sees while a run goes on: one screen with bars on a terminal, plain lines elsewhere."""

import datetime as dt
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

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
#: How many a second are told by the minute below.
FAST = 10.0

Report = Callable[[int, int, str], None]


class _Rate(ProgressColumn):
    """How many a second, or a minute where they are few; nothing where the steps are seconds or trials."""

    def render(self, task: Task) -> Text:
        """Return the rate of the last seconds, once there is one."""
        if not task.speed or task.fields.get("timed"):
            return Text("")
        return Text(f"{task.speed:,.0f}/s" if task.speed >= FAST else f"{task.speed * 60:,.0f}/min")


class _Left(ProgressColumn):
    """Time left: of steps by their rate of late, of seconds and trials by the mean of what is done."""

    def __init__(self) -> None:
        super().__init__()
        self._by_rate = TimeRemainingColumn()

    def render(self, task: Task) -> Text:
        """Return the time left, once something can be said of it."""
        if not task.fields.get("timed"):
            return self._by_rate.render(task)
        if not task.completed or task.elapsed is None or task.remaining is None:
            return Text("-:--:--", style="progress.remaining")
        left = task.elapsed / task.completed * task.remaining
        return Text(str(dt.timedelta(seconds=round(left))), style="progress.remaining")


class Display:
    """Steps with a bar, rate and time left, below the bar of the whole where there is one."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._screen: Progress | None = None
        self._retitle: Callable[[], None] = lambda: None
        #: How often each kind of warning was heard.
        self.warned: Counter[str] = Counter()

    @contextmanager
    def whole(self, title: str, total: int) -> Iterator[Callable[[], None]]:
        """Show how much of a whole is done and how long the rest takes; call what is given after each part.

        Without a terminal, each part is a line with the time left.
        """
        started, done = time.monotonic(), 0
        with self._bar() if self.console.is_terminal else nullcontext() as bar:
            task = bar.add_task(escape(title), total=total, timed=True) if bar else None
            self._screen = bar

            def retitle() -> None:
                if bar and task is not None:
                    bar.update(task, description=f"{escape(title)}[yellow]{self._doubts()}")

            def advance() -> None:
                nonlocal done
                done += 1
                if bar and task is not None:
                    bar.advance(task)
                elif done < total:
                    left = (time.monotonic() - started) / done * (total - done)
                    self.say(
                        f"  {title}: {done} of {total}, about {dt.timedelta(seconds=round(left))} left{self._doubts()}"
                    )

            self._retitle = retitle
            try:
                yield advance
            finally:
                self._screen, self._retitle = None, lambda: None

    def say(self, text: str, style: str = "") -> None:
        """Say one thing, as it is."""
        self.console.print(text, style=style, markup=False, highlight=False)

    def warn(self, kind: str, text: str) -> None:
        """Say a warning, the first of its kind; the others are counted beside the bar of the whole."""
        self.warned[kind] += 1
        if self.warned[kind] == 1:
            self.say(f"  {text}", style="yellow")
        self._retitle()

    def _doubts(self) -> str:
        count = self.warned.total()
        return f", {count} warning{'s' * (count > 1)}" if count else ""

    @contextmanager
    def step(self, title: str, *, timed: bool = False) -> Iterator[Report]:
        """Show a step; the caller reports (done, total, what) as it goes on; parts that are `timed` last alike."""
        started = time.monotonic()
        if self.console.is_terminal:
            with nullcontext(self._screen) if self._screen else self._bar() as bar:
                task = bar.add_task(escape(title), total=None, timed=timed)

                def report(done: int, total: int, what: str = "") -> None:
                    bar.update(
                        task, completed=done, total=total or None, description=f"{escape(title)} [dim]{escape(what)}"
                    )

                try:
                    yield report
                finally:
                    bar.remove_task(task)
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
            _Left(),
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
