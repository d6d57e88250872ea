"""How much a number of pairs can show, and how many pairs it takes: power, exact by quadrature.

Pure. `sd` is the standard deviation of the pairs' log-ratios; "statistics §" names the specification.
"""

import math
from collections.abc import Callable

import numpy as np
from scipy import special

from reports.statistics import Floats, t_quantile

#: No number of pairs below this is ever advised (statistics §2.5).
FEWEST_PAIRS = 3
#: More pairs than anyone will run: a search for a number of pairs ends here.
MOST_PAIRS = 1_000_000
#: Nodes of the quadrature over the sampling distribution of a standard deviation.
_NODES = 1024


def smallest_effect(sd: float, pairs: int, alpha: float = 0.05) -> float:
    """Smallest ratio that this many pairs show with a power of 80 %: MDE80 (statistics §2.5)."""
    quantiles = t_quantile(1 - alpha / 2, pairs - 1) + t_quantile(0.8, pairs - 1)
    return math.exp(quantiles * sd / math.sqrt(pairs))


def planning_sd(sd: float, pairs: int) -> float:
    """Upper 80 % limit of a standard deviation seen in n pairs: 1.46 sd for six (statistics §1.4 step 1)."""
    return sd * math.sqrt((pairs - 1) / float(special.chdtri(pairs - 1, 0.8)))


def pairs_to_see(sd: float, effect: float, power: float = 0.8, alpha: float = 0.05) -> int:
    """How many pairs the two-sided t test needs to see a log-ratio (statistics §2.5)."""
    return _fewest(lambda n: power_to_see(sd, effect, n, alpha), power)


def pairs_for_no_worse(sd: float, margin: float, power: float = 0.8) -> int:
    """How many pairs non-inferiority needs when the true ratio is 1 (statistics §2.5)."""
    return _fewest(lambda n: power_of_no_worse(sd, margin, 0.0, n), power)


def pairs_for_equivalence(sd: float, margin: float, power: float = 0.8) -> int:
    """How many pairs TOST needs when the true ratio is 1 (statistics §2.5)."""
    return _fewest(lambda n: _power_of_equivalence(sd, margin, n), power)


def power_to_see(sd: float, effect: float, pairs: int, alpha: float = 0.05) -> float:
    """Probability that the two-sided t test rejects; exact, by quadrature over the sample's sd."""
    error, sds = _errors(sd, pairs)
    reach = t_quantile(1 - alpha / 2, pairs - 1) * sds
    return float((special.ndtr((effect - reach) / error) + special.ndtr((-effect - reach) / error)).mean())


def power_of_no_worse(sd: float, margin: float, effect: float, pairs: int) -> float:
    """Probability that a gate endpoint passes when its true log-ratio is `effect` (statistics §2.9)."""
    error, sds = _errors(sd, pairs)
    reach = t_quantile(0.95, pairs - 1) * sds
    return float(special.ndtr((margin - effect - reach) / error).mean())


def _power_of_equivalence(sd: float, margin: float, pairs: int) -> float:
    error, sds = _errors(sd, pairs)
    room = np.maximum(margin - t_quantile(0.95, pairs - 1) * sds, 0)
    return float((2 * special.ndtr(room / error) - 1).mean())


def _errors(sd: float, pairs: int) -> tuple[float, Floats]:
    """Give the true standard error of a mean, and equally probable values of the one that a sample shows."""
    probabilities = (np.arange(_NODES) + 0.5) / _NODES
    seen = np.sqrt(special.chdtri(pairs - 1, probabilities) / (pairs - 1))
    error = max(sd, 1e-12) / math.sqrt(pairs)
    return error, error * seen


def _fewest(power_of: Callable[[int], float], power: float) -> int:
    """Find the smallest number of pairs with this power, by doubling and halving."""
    high = FEWEST_PAIRS
    while power_of(high) < power and high < MOST_PAIRS:
        high *= 2
    low = max(FEWEST_PAIRS - 1, high // 2)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power_of(middle) >= power else (middle, high)
    return high
