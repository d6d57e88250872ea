"""Which project somebody looks at: few are busy, most are quiet."""

from bisect import bisect
from itertools import accumulate

from octoload.edge.scenario import Named

#: Exponent of Zipf's law: the most popular of 100 projects then gets every fifth visit.
ZIPF = 1.0


class Popularity:
    """Turns a uniform number into a project; the first ones in the list come up most."""

    def __init__(self, projects: list[Named]) -> None:
        self._projects = projects
        self._edges = list(accumulate((rank + 1) ** -ZIPF for rank in range(len(projects))))

    def choose(self, draw: float) -> Named:
        """Return the project for a number in [0, 1)."""
        index = bisect(self._edges, draw * self._edges[-1])
        return self._projects[min(index, len(self._projects) - 1)]
