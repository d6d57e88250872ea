"""Work beside the load: what it fails with when it is stopped is raised, for nobody else would hear of it."""

import pytest

from experiments.aside import Aside, Rest
from octoload.errors import InvalidRunError, ServerError

pytestmark = pytest.mark.unit


def mends_badly(rest: Rest) -> None:
    """Rest until stopped, and then fail to put things back."""
    try:
        rest(60)
    finally:
        raise ServerError("node-2 does not start")


def test_a_mend_that_fails_is_not_lost_when_the_load_broke_off() -> None:
    """The load's own failure would only have the trial repeated, on a cluster that is not as it was."""
    with pytest.raises(ServerError, match="does not start"), Aside(mends_badly):
        raise InvalidRunError("the generator was at fault")


def test_what_was_raised_already_is_raised_once() -> None:
    """`result` raises the failure; the end of the context adds nothing to it."""

    def fails(_rest: Rest) -> None:
        raise ServerError("node-2 does not stop")

    with pytest.raises(ServerError, match="does not stop") as caught, Aside(fails) as aside:
        aside.result()
    assert caught.value.__context__ is None


def test_work_that_is_merely_stopped_has_not_failed() -> None:
    """A load that ends sooner ends what is beside it without a word."""
    with Aside(lambda rest: rest(60)):
        pass
