"""What a node knows when it answers a request."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from standin.documents import KeyAllocator
from standin.home import Home
from standin.web.cache import Cache
from standin.web.limits import Limiter
from standin.work import Actor

if TYPE_CHECKING:
    import asyncpg

    from standin.web.rights import Rights
    from standin.web.throttle import Policy


@dataclass(slots=True)
class NodeState:
    """One node process: where its documents are and what it says about itself."""

    #: connections to the database, shared with the node's task processor
    pool: "asyncpg.Pool[Any]"
    #: gives document ids in blocks, as `KeyAllocation` does
    ids: KeyAllocator
    #: `OctopusServerNodes-<name>`
    node_id: str
    #: the node's name, sent as `Octopus-Node` with every answer
    node_name: str
    #: UUID of the installation, the same for all nodes of a database
    installation_id: str
    #: folder of the instance's files
    home: Home
    #: Octopus' timers divided by this; 1 is real time
    time_scale: float = 1.0
    #: what is scheduled runs by itself
    schedule: bool = False
    #: the version that the root document shows
    version: str = "2026.3.1"
    #: the version of the API that clients check
    api_version: str = "3.0.0"
    #: which statement of dashboard.sql makes the dashboard
    dashboard: str = "ranked"
    #: Unix time at which the process started, seconds
    started: float = 0.0
    #: API key or access token → its user; another node may revoke it, so it is not remembered for long
    actors: Cache[Actor] = field(default_factory=lambda: Cache(5.0))
    #: session cookie → its user and its CSRF token
    sessions: Cache[tuple[Actor, str]] = field(default_factory=lambda: Cache(5.0))
    #: user id → what he may do
    rights: "Cache[Rights]" = field(default_factory=lambda: Cache(5.0))
    #: rate limiting policies by id, under the blank name
    policies: "Cache[dict[str, Policy]]" = field(default_factory=lambda: Cache(2.0))
    #: who asks too often
    limiter: Limiter = field(default_factory=Limiter)
    #: the server is read-only but for administrators, under the blank name
    maintenance: Cache[bool] = field(default_factory=lambda: Cache(1.0))
    #: id or slug of a space, lower case → its id; the blank name is the default space
    spaces: Cache[str] = field(default_factory=lambda: Cache(10.0))

    def forget_people(self) -> None:
        """Forget who has which key and which rights: they have changed."""
        for cache in (self.actors, self.sessions, self.rights):
            cache.clear()
