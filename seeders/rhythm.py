"""When people deploy: the hours of a week, and how a history's length is filled by them."""

import bisect
from array import array
from collections.abc import Sequence
from itertools import accumulate
from random import Random

_HOUR = 3600.0
_WEEK = 7 * 24

#: Monday 00:00 UTC, 5 January 1970, in Unix seconds.
_A_MONDAY = 4 * 86400

#: Relative activity of the hours of a working day: lunch is felt, evenings and nights are not quite dead.
_WORKING_DAY = [0.2] * 6 + [0.5, 2, 6, 10, 11, 9, 5, 8, 10, 10, 8, 4, 1.5] + [0.8] * 3 + [0.4] * 2
_WORKING_HOUR = 10.0
#: Relative activity of a whole weekend day against an average working day.
_WEEKEND = 0.08


def end_of_last_week(now: float) -> float:
    """Return the last midnight from Sunday to Monday, UTC; a history ends there, so that its weekends are weekends."""
    return now - (now - _A_MONDAY) % (_WEEK * _HOUR)


class Rhythm:
    """The working hours between the start of a history and its end, in seconds before that end."""

    def __init__(self, days: int) -> None:
        """`days` is how long the history is; it ends at midnight from Sunday to Monday."""
        hours = days * 24
        weights = (_weight(hour) for hour in range(-hours, 0))
        #: Activity from the start to the end of each hour.
        self._sums = [0.0, *accumulate(weights)]
        self.start = -hours * _HOUR

    def draw(self, random: Random, count: int, since: float) -> Sequence[float]:
        """Return `count` moments after `since`, in order; an hour draws as many as it is busy.

        Args:
            random: where chance comes from.
            count: how many.
            since: seconds relative to the end of the history, negative.
        """
        low = self._activity(max(since, self.start))
        high = self._sums[-1]
        return array("d", sorted(self._moment(low + (high - low) * random.random()) for _ in range(count)))

    def after(self, moment: float, hours: float) -> float:
        """Return the moment when so many working hours have passed; nights and weekends hardly count as any."""
        activity = self._activity(moment) + hours * _WORKING_HOUR
        return self._moment(activity) if activity < self._sums[-1] else 0.0

    def _activity(self, moment: float) -> float:
        """Return the activity from the start until a moment."""
        hour, rest = divmod(moment - self.start, _HOUR)
        before = self._sums[int(hour)]
        return before + (self._sums[int(hour) + 1] - before) * rest / _HOUR

    def _moment(self, activity: float) -> float:
        """Return the moment by which so much activity has been: the inverse of `_activity`."""
        hour = min(bisect.bisect_right(self._sums, activity), len(self._sums) - 1) - 1
        before = self._sums[hour]
        share = (activity - before) / (self._sums[hour + 1] - before)
        return self.start + (hour + share) * _HOUR


def _weight(hour: int) -> float:
    """Return the activity of an hour, counted from a midnight from Sunday to Monday."""
    day, hour_of_day = divmod(hour % _WEEK, 24)
    return _WORKING_DAY[hour_of_day] * (1.0 if day < 5 else _WEEKEND)
