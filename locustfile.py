"""What `locust` runs: all scenarios behind one schedule of arrivals, and the pollers beside them."""

from octoload.edge.slots import Slot, install
from scenarios import POLLERS, SCENARIOS

__all__ = ["Slot"]

install(SCENARIOS, POLLERS)
