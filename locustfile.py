"""What `locust` runs: all scenarios behind one schedule of arrivals."""

from octoload.edge.slots import Slot, install
from scenarios import SCENARIOS

__all__ = ["Slot"]

install(SCENARIOS)
