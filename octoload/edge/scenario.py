"""What a scenario is: one kind of user, client or task stream, and the place that it works at."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar, Literal

import msgspec

from octoload.edge.trace import Known

if TYPE_CHECKING:
    from octoload.edge.poller import Poller
    from octoload.edge.session import Session


class Operation:
    """Something that is asked of the server, under the name that reports use."""

    __slots__ = ("code", "method", "name")

    def __init__(self, name: str, method: Literal["GET", "POST"] = "GET") -> None:
        self.name = name
        self.method = method
        #: Its number among all operations of the process, given when scenarios are gathered.
        self.code = 0


class Named(msgspec.Struct, frozen=True):
    """A resource by id and name."""

    id: str
    name: str


class Runbook(msgspec.Struct, frozen=True):
    """A runbook that can be run."""

    id: str
    #: Id of its published snapshot.
    snapshot: str


class Place(msgspec.Struct, frozen=True):
    """What was found on the server before a trial."""

    #: Id of the space.
    space: str
    #: Its projects, the oldest first: those are the busy ones.
    projects: list[Named]
    #: Its environments in the order of promotion.
    environments: list[Named]
    #: Ids of its newest tasks, the newest first.
    tasks: list[str]
    #: Unix time in whole seconds; makes names unique that a trial creates.
    stamp: int
    #: Ids of the newest release of each project that has one, in the order of the projects.
    releases: list[str] = []
    #: Its published runbooks.
    runbooks: list[Runbook] = []


#: What a scenario may need to find.
Need = Literal["projects", "environments", "tasks", "releases", "runbooks"]


class Scenario(ABC):
    """One kind of session; an object serves all sessions of a process in one trial."""

    #: What a mix calls it.
    name: ClassVar[str]
    #: What it asks, in order; the first arrives on schedule and is asked once, the others follow answers.
    operations: ClassVar[tuple[Operation, ...]]
    #: What must be found on the server before it can run.
    needs: ClassVar[frozenset[Need]] = frozenset()
    #: Whether it changes the server.
    writes: ClassVar[bool] = False
    #: Whether it thinks between its requests, and so keeps its slot for long.
    thinks: ClassVar[bool] = False

    @abstractmethod
    def __init__(self, place: Place) -> None:
        """Prepare paths and bodies, so that sessions need not."""

    @abstractmethod
    def run(self, session: "Session") -> None:
        """Play one session."""


class Cast:
    """All scenarios and pollers of a process and the codes of their names."""

    def __init__(self, scenarios: tuple[type[Scenario], ...], pollers: tuple[type["Poller"], ...] = ()) -> None:
        self.scenarios = {scenario.name: scenario for scenario in scenarios}
        self.pollers = {poller.name: poller for poller in pollers}
        self.names = [*self.scenarios, *self.pollers]
        everybody: tuple[type[Scenario], ...] = (*scenarios, *pollers)
        self.operations = [operation for each in everybody for operation in each.operations]
        for code, operation in enumerate(self.operations):
            operation.code = code
        self.operation_names = [operation.name for operation in self.operations]
        #: What a trial may name.
        self.known = Known({each.name: each.operations[0].name for each in scenarios}, frozenset(self.pollers))

    def needs(self, names: Iterable[str]) -> set[str]:
        """Return what these scenarios and pollers must find on the server."""
        everybody = {**self.scenarios, **self.pollers}
        return {need for name in names for need in everybody[name].needs}
