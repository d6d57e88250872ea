"""The capacity table that Octopus publishes, against the replay of a full queue (octopus-facts §1.4)."""

import numpy as np
import pytest

from reports import drains, queueing
from reports.drains import Drain

pytestmark = pytest.mark.unit

HOUR = 3600.0
#: Task cap, hours of the window, minutes of a deployment, deployments that the table prints.
PRINTED = [
    (5, 2, 10, 60), (5, 2, 15, 40), (5, 2, 30, 20),
    (5, 24, 10, 720), (5, 24, 15, 480),
    (160, 24, 10, 23_040), (160, 24, 15, 15_360), (160, 24, 30, 7_680),
]  # fmt: skip
#: Two cells are misprints: what they print, and what cap x window ÷ duration gives.
MISPRINTS = [(5, 24, 30, 320, 240), (10, 24, 30, 640, 480)]


def worked_off(cap: int, hours: float, minutes: float) -> int:
    """Replay a queue that never runs dry; count what ends within the window."""
    services = np.full(round(1.5 * cap * hours * 60 / minutes), minutes * 60.0)
    ends = queueing.waits(np.zeros(services.size), services, cap) + services
    return int((ends <= hours * HOUR).sum())


@pytest.mark.parametrize(("cap", "hours", "minutes", "printed"), PRINTED)
def test_a_full_queue_is_worked_off_as_the_table_says(cap: int, hours: int, minutes: int, printed: int) -> None:
    """Cap x window ÷ duration, to the task."""
    assert worked_off(cap, hours, minutes) == printed == cap * hours * 60 // minutes


@pytest.mark.parametrize(("cap", "hours", "minutes", "printed", "right"), MISPRINTS)
def test_two_cells_of_the_table_are_misprints(cap: int, hours: int, minutes: int, printed: int, right: int) -> None:
    """The replay and the rule agree on another number than the table prints; it is not quoted anywhere."""
    assert worked_off(cap, hours, minutes) == right == cap * hours * 60 // minutes
    assert printed != right


@pytest.mark.parametrize("cap", [5, 10, 20])
def test_a_drain_finds_the_tables_rate_within_its_interval(cap: int) -> None:
    """Of deployments that vary by 0.3 of their mean, 40 a slot: within 5 % in 9 of 10 drains, bias -5 to +2 %.

    Those are the figures of statistics §4.3 for this spread.
    """
    dice, rates = np.random.default_rng(cap), []
    for _ in range(40):
        services = dice.lognormal(np.log(600) - 0.045, 0.3, 40 * cap)
        starts = queueing.waits(np.zeros(services.size), services, cap)
        found = drains.measure(starts, starts + services, cap)
        assert isinstance(found, Drain)
        rates.append(found.per_minute / (cap / 10))
    assert np.mean(np.abs(np.array(rates) - 1) < 0.05) >= 0.9
    assert -0.05 < np.mean(rates) - 1 < 0.02
