"""octoload with one more scenario: a POST of JSON whose answer is read, again and again."""

import msgspec

from octoload.edge.scenario import Operation, Place, Scenario
from octoload.edge.session import Session
from octoload.edge.slots import Slot, install
from scenarios import SCENARIOS

__all__ = ["Slot"]

CREATE = Operation("create", "POST")


class Created(msgspec.Struct, rename="pascal"):
    """The server's answer."""

    id: str


class Post(Scenario):
    """One POST a session."""

    name = "post"
    operations = (CREATE,)
    writes = True

    def __init__(self, place: Place) -> None:
        self._path = f"/api/{place.space}/dashboard"
        self._space = {"SpaceId": place.space, "SpaceIdOrName": place.space}

    def run(self, session: Session) -> None:
        """Create once."""
        body = {"ProjectName": "Web", "ReleaseVersion": "1.0.0", **self._space}
        session.post_as(CREATE, self._path, body, Created)


install((*SCENARIOS, Post))
