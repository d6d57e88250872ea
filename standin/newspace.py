"""What a new space holds: its lifecycle, project group, policies, pools, feed and managers (octopus-api §A.2)."""

from collections.abc import Callable
from typing import Any

from standin.documents import Document, DocumentType
from standin.kinds import LIFECYCLE, MACHINE_POLICY, PROJECT_GROUP, SCOPED_USER_ROLE, TEAM, WORKER_POOL
from standin.people import managers_team, role_of_team
from standin.slugs import slug

#: Names of what each new space holds (octopus-api §A.2).
DEFAULT_LIFECYCLE = "Default Lifecycle"
DEFAULT_PROJECT_GROUP = "Default Project Group"
BUILTIN_FEED = "Octopus Server (built-in)"
DEFAULT_MACHINE_POLICY = "Default Machine Policy"
DEFAULT_WORKER_POOL = "Default Worker Pool"

#: Id of the space that an instance is born with.
FIRST_SPACE = "Spaces-1"

#: How long things are kept when nobody says otherwise: for ever (octopus-facts §1.10).
KEEP_FOR_EVER = {"Strategy": "Forever", "QuantityToKeep": 0, "Unit": "Items", "ShouldKeepForever": True}


def space_document(identifier: str, members: dict[str, Any]) -> Document:
    """Return a space (octopus-api §A.2)."""
    defaults = {
        "Description": "",
        "IsDefault": False,
        "IsPrivate": False,
        "TaskQueueStopped": False,
        "SpaceManagersTeamMembers": [],
    }
    teams = managing_teams(identifier, members.get("SpaceManagersTeams") or [])
    own = {"Id": identifier, "Slug": members.get("Slug") or slug(members["Name"]), "SpaceManagersTeams": teams}
    return {**defaults, **members, **own}


def managing_teams(space: str, teams: list[str]) -> list[str]:
    """Return the teams that manage a space: its own one, and those named."""
    own = f"teams-spacemanagers-{space}"
    return [own, *(team for team in teams if team != own)]


def managers_of(space: Document) -> list[tuple[DocumentType, Document]]:
    """Return the team that manages a space, and the grants of the role to it and to the other teams named."""
    members = space.get("SpaceManagersTeamMembers") or []
    grants = [
        {**role_of_team(team, "userroles-spacemanager", space["Id"]), "Id": f"scopeduserroles-{team}-{space['Id']}"}
        for team in space["SpaceManagersTeams"]
    ]
    return [(TEAM, managers_team(space["Id"], members)), *((SCOPED_USER_ROLE, grant) for grant in grants)]


def default_lifecycle(identifier: str, space: str) -> Document:
    """Return the lifecycle of a new space: any environment in any order, nothing deleted."""
    return {
        "Id": identifier,
        "SpaceId": space,
        "Name": DEFAULT_LIFECYCLE,
        "Slug": slug(DEFAULT_LIFECYCLE),
        "Description": "",
        "Phases": [],
        "ReleaseRetentionPolicy": KEEP_FOR_EVER,
        "TentacleRetentionPolicy": KEEP_FOR_EVER,
    }


def default_project_group(identifier: str, space: str) -> Document:
    """Return the project group of a new space."""
    name = DEFAULT_PROJECT_GROUP
    rest: Document = {"Description": "", "EnvironmentIds": [], "RetentionPolicyId": None}
    return {"Id": identifier, "SpaceId": space, "Name": name, "Slug": slug(name), **rest}


def builtin_feed_id(space: str) -> str:
    """Return the id of a space's built-in feed; that of the first space bears no space's name (octopus-api §B.3)."""
    return "feeds-builtin" if space == FIRST_SPACE else f"feeds-builtin-{space}"


def builtin_feed(space: str) -> Document:
    """Return the feed of a new space that holds its packages."""
    rest: Document = {"DeleteUnreleasedPackagesAfterDays": None, "IsBuiltInRepoSyncEnabled": False}
    identifier, name = builtin_feed_id(space), BUILTIN_FEED
    return {"Id": identifier, "SpaceId": space, "Name": name, "Slug": slug(name), "FeedType": "BuiltIn", **rest}


def default_machine_policy(identifier: str, space: str) -> Document:
    """Return the machine policy of a new space."""
    name = DEFAULT_MACHINE_POLICY
    rest: Document = {"Description": "", "IsDefault": True, **machine_policy_parts()}
    return {"Id": identifier, "SpaceId": space, "Name": name, "Slug": slug(name), **rest}


def machine_policy_parts() -> Document:
    """Return the policies inside a machine policy as they are in a new one (octopus-facts §2.6: health hourly)."""
    script = {"RunType": "InheritFromDefault", "ScriptBody": None}
    return {
        "MachineHealthCheckPolicy": {
            "PowerShellHealthCheckPolicy": script,
            "BashHealthCheckPolicy": script,
            "HealthCheckInterval": "01:00:00",
            "HealthCheckCron": None,
            "HealthCheckCronTimezone": "UTC",
            "HealthCheckType": "RunScript",
        },
        "MachineConnectivityPolicy": {"MachineConnectivityBehavior": "ExpectedToBeOnline"},
        "MachineCleanupPolicy": {
            "DeleteMachinesBehavior": "DoNotDelete",
            "DeleteMachinesElapsedTimeSpan": "1.00:00:00",
        },
        "MachineUpdatePolicy": {
            "CalamariUpdateBehavior": "UpdateOnDeployment",
            "TentacleUpdateBehavior": "NeverUpdate",
            "KubernetesAgentUpdateBehavior": "NeverUpdate",
            "TentacleUpdateAccountId": None,
        },
    }


def default_worker_pool(identifier: str, space: str) -> Document:
    """Return the worker pool of a new space."""
    name = DEFAULT_WORKER_POOL
    rest: Document = {"Description": "", "IsDefault": True, "SortOrder": 0, "WorkerPoolType": "StaticWorkerPool"}
    return {"Id": identifier, "SpaceId": space, "Name": name, "Slug": slug(name), **rest}


#: what each new space holds: the kind, and what makes it from its id and its space
SPACE_PARTS: tuple[tuple[DocumentType, Callable[[str, str], Document]], ...] = (
    (LIFECYCLE, default_lifecycle),
    (PROJECT_GROUP, default_project_group),
    (MACHINE_POLICY, default_machine_policy),
    (WORKER_POOL, default_worker_pool),
)
