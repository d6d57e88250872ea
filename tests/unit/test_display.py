"""What a person sees while a run goes on: one screen on a terminal, plain lines elsewhere."""

import io
import itertools

import pytest
from rich.console import Console

from experiments import display
from experiments.display import Display

pytestmark = pytest.mark.unit


def seen(*, terminal: bool) -> str:
    """Run two trials, of which the first says a warning; return all that was written."""
    screen = io.StringIO()
    shown = Display(Console(file=screen, force_terminal=terminal, width=160, color_system=None))
    with shown.whole("Trials", 2) as advance:
        for trial in (1, 2):
            with shown.step(f"Trial {trial} of 2, keep-{trial}") as report:
                report(3, 12, "21 requests, p95 180 ms")
                if shown._screen:
                    shown._screen.refresh()
            if trial == 1:
                shown.say("  trial 1 is invalid: the generator was busy")
            shown.warn("steal", f"trial {trial}: the hypervisor took time")
            shown.warn("lag", f"trial {trial}: late")
            advance()
    return screen.getvalue()


def test_a_terminal_shows_the_whole_and_the_step_together() -> None:
    """Both bars stand on one screen with arm, requests and p95; a warning stays above, a step that ended goes."""
    text = seen(terminal=True)
    for fact in ("Trials", "0/2", "2/2", "keep-1", "3/12", "p95 180 ms", "trial 1 is invalid", "✓ Trial 2 of 2"):
        assert fact in text
    last = text.rsplit("✓ Trial 2 of 2", 1)[1]
    assert "Trials, 4 warnings" in last
    assert "keep-1" not in last


def test_a_warning_is_said_once_and_counted() -> None:
    """Only the first of a kind has a line of its own, on a terminal and elsewhere."""
    for terminal in (True, False):
        text = seen(terminal=terminal)
        assert "trial 1: the hypervisor took time" in text
        assert "trial 2: the hypervisor took time" not in text


def test_elsewhere_each_part_says_how_long_the_rest_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a terminal there are no bars; after the first of two trials the rest takes as long as the first did."""
    ticks = itertools.count(0, 30)
    monkeypatch.setattr(display.time, "monotonic", lambda: float(next(ticks)))
    text = seen(terminal=False)
    assert "\x1b" not in text
    (line,) = [line for line in text.splitlines() if "left" in line]
    assert line.strip().startswith("Trials: 1 of 2, about 0:0")
    assert "trial 1 is invalid" in text
    assert line.endswith("left, 2 warnings")
