"""What a deployment does: its steps in order, the targets of each, and the variables that hold there; pure rules."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

#: Steps and targets that run at once when a process does not say (octopus-facts §1.1).
MAX_PARALLELISM = 10
_PLACE = re.compile(r"#\{\s*([^{}]+?)\s*\}")
#: How deep values may refer to other values.
_DEPTH = 5


@dataclass(frozen=True, slots=True)
class Script:
    """A script of a step."""

    #: name of the action
    name: str
    #: `Bash`, `PowerShell` or `Python`
    syntax: str
    #: its text, places for variables still in it
    body: str


@dataclass(frozen=True, slots=True)
class Manual:
    """A step in which somebody must answer before it goes on."""

    #: name of the action
    name: str
    #: what he is told, places for variables still in it
    instructions: str
    #: ids of the teams whose members may answer; none: anybody
    teams: tuple[str, ...]
    #: others of its kind wait until it is answered
    blocks: bool


@dataclass(frozen=True, slots=True)
class Step:
    """A step as it is run."""

    #: its number, from 1
    number: int
    #: its name
    name: str
    #: `Success`, `Failure` or `Always`: what must have happened before
    condition: str
    #: what it does, in order
    actions: tuple[Script | Manual, ...]
    #: roles of the targets it runs for; none: on the server, once
    roles: tuple[str, ...]
    #: targets at once
    window: int


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a deployment goes, for what is scoped."""

    #: id of the environment
    environment: str
    #: id of the channel
    channel: str
    #: id of the tenant, or None
    tenant: str | None
    #: id of the machine, or None
    machine: str | None = None
    #: roles of the machine
    roles: tuple[str, ...] = ()


def plan(process: Mapping[str, Any], scope: Scope, skipped: Collection[str] = ()) -> list[list[Step]]:
    """Return the groups of steps to run one after the other; the steps of a group run side by side.

    A step with `StartWithPrevious` joins the group before it. Actions that are disabled, skipped or meant for other
    environments or channels are left out, and steps without an action that is left.
    """
    groups: list[list[Step]] = []
    for number, step in enumerate(process.get("Steps") or (), start=1):
        actions = tuple(_action(action) for action in step.get("Actions") or () if applies(action, scope, skipped))
        if not actions:
            continue
        properties = step.get("Properties") or {}
        window = _number(properties.get("Octopus.Action.MaxParallelism"), MAX_PARALLELISM)
        planned = Step(number, step["Name"], step.get("Condition") or "Success", actions, roles_of(step), window)
        if step.get("StartTrigger") == "StartWithPrevious" and groups:
            groups[-1].append(planned)
        else:
            groups.append([planned])
    return groups


def roles_of(step: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the roles of the targets that a step runs for; none: on the server."""
    properties = step.get("Properties") or {}
    return tuple(role for role in str(properties.get("Octopus.Action.TargetRoles") or "").split(",") if role)


def wants_to_run(condition: str, *, failed: bool) -> bool:
    """Say whether a step runs after what has happened before it."""
    return condition == "Always" or (condition == "Failure") == failed


def evaluate(variables: Sequence[Mapping[str, Any]], scope: Scope) -> dict[str, str]:
    """Return the value of each variable that holds in a scope; the narrowest one wins."""
    return {name: str(variable.get("Value") or "") for name, variable in choose(variables, scope).items()}


def choose(variables: Sequence[Mapping[str, Any]], scope: Scope) -> dict[str, Mapping[str, Any]]:
    """Return of each name the variable that holds in a scope; of several, the narrowest, and then the first.

    Narrow to wide: machine, role, tenant, environment, channel, unscoped.
    """
    found: dict[str, tuple[int, Mapping[str, Any]]] = {}
    for variable in variables:
        weight = _weight(variable.get("Scope") or {}, scope)
        name = variable["Name"]
        if weight is not None and (name not in found or weight > found[name][0]):
            found[name] = (weight, variable)
    return {name: variable for name, (_, variable) in found.items()}


def fill_in(variables: Iterable[Mapping[str, Any]], values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return variables with what people filled in for those that have a prompt.

    `values` go by the variable's id, as in `FormValues`, or by its name, as in the `v1` routes (octopus-api §A.16).
    """
    by_name = {name.lower(): value for name, value in values.items()}
    found = []
    for variable in variables:
        value = values.get(variable.get("Id") or "", by_name.get(variable["Name"].lower()))
        asked = variable.get("Prompt") and value is not None
        found.append({**variable, "Value": value} if asked else dict(variable))
    return found


def substitute(text: str, values: Mapping[str, str], depth: int = _DEPTH) -> str:
    """Replace each `#{Name}` by its value, values in values too; an unknown name stays as it is."""

    def value(place: re.Match[str]) -> str:
        found = values.get(place[1])
        if found is None or depth == 0:
            return place[0]
        return substitute(found, values, depth - 1)

    return _PLACE.sub(value, text)


def environment_name(variable: str) -> str:
    """Return the environment variable of a system variable: `Octopus.Deployment.Id` → `OCTOPUS_DEPLOYMENT_ID`."""
    return re.sub(r"[^A-Z0-9]+", "_", variable.upper()).strip("_")


def applies(action: Mapping[str, Any], scope: Scope, skipped: Collection[str] = ()) -> bool:
    """Say whether an action runs there: it is neither disabled nor skipped nor meant for elsewhere."""
    environments, excluded = action.get("Environments") or (), action.get("ExcludedEnvironments") or ()
    channels = action.get("Channels") or ()
    return not (
        action.get("IsDisabled")
        or action.get("Id") in skipped
        or (environments and scope.environment not in environments)
        or scope.environment in excluded
        or (channels and scope.channel not in channels)
    )


def _action(action: Mapping[str, Any]) -> Script | Manual:
    properties = action.get("Properties") or {}
    if action.get("ActionType") == "Octopus.Manual":
        teams = str(properties.get("Octopus.Action.Manual.ResponsibleTeamIds") or "")
        return Manual(
            action["Name"],
            str(properties.get("Octopus.Action.Manual.Instructions") or ""),
            tuple(team.strip() for team in teams.split(",") if team.strip()),
            str(properties.get("Octopus.Action.Manual.BlockConcurrentDeployments")).lower() == "true",
        )
    return Script(
        action["Name"],
        str(properties.get("Octopus.Action.Script.Syntax") or "Bash"),
        str(properties.get("Octopus.Action.Script.ScriptBody") or ""),
    )


def _number(text: Any, default: int) -> int:
    return max(1, int(text)) if str(text or "").isdigit() else default


def _weight(limits: Mapping[str, Sequence[str]], scope: Scope) -> int | None:
    """Return how narrow a scope is, or None when it does not hold here."""
    here: tuple[tuple[str, int, tuple[str, ...]], ...] = (
        ("Machine", 16, (scope.machine,) if scope.machine else ()),
        ("Role", 8, scope.roles),
        ("TenantTag", 4, (scope.tenant,) if scope.tenant else ()),
        ("Environment", 2, (scope.environment,)),
        ("Channel", 1, (scope.channel,)),
    )
    weight = 0
    for name, rank, mine in here:
        wanted = limits.get(name)
        if wanted:
            if not set(wanted) & set(mine):
                return None
            weight += rank
    return weight
