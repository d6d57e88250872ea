"""Teams and roles that an instance and its spaces are born with (octopus-api §A.1, §A.2)."""

from standin.documents import Document
from standin.permissions import ROLES, Role

ADMINISTRATORS = "teams-administrators"
EVERYONE = "teams-everyone"


def instance_teams(administrator: str) -> list[Document]:
    """Return the teams of a new instance: administrators, and everyone, to whom all belong."""
    return [
        _team(ADMINISTRATORS, "Octopus Administrators", "May do everything.", [administrator]),
        _team(EVERYONE, "Everyone", "All users belong to this team.", []),
    ]


def managers_team(space: str, members: list[str]) -> Document:
    """Return the team that manages a space."""
    words = "Manages this space."
    return {**_team(f"teams-spacemanagers-{space}", "Space Managers", words, members), "SpaceId": space}


def built_in_roles() -> list[Document]:
    """Return the roles of a new instance."""
    return [role_document(role) for role in ROLES]


def role_document(role: Role) -> Document:
    """Return a built-in role as a document."""
    return {
        "Id": role.id,
        "Name": role.name,
        "Slug": role.id.partition("-")[2],
        "Description": role.description,
        "GrantedSpacePermissions": sorted(role.space),
        "GrantedSystemPermissions": sorted(role.system),
    }


def role_of_team(team: str, role: str, space: str | None) -> Document:
    """Return the grant of a role to a team: in one space, or, without one, everywhere."""
    nowhere: dict[str, list[str]] = {
        name: [] for name in ("ProjectGroupIds", "ProjectIds", "EnvironmentIds", "TenantIds")
    }
    return {"Id": f"scopeduserroles-{team}", "TeamId": team, "UserRoleId": role, "SpaceId": space, **nowhere}


def _team(identifier: str, name: str, description: str, members: list[str]) -> Document:
    return {
        "Id": identifier,
        "SpaceId": None,
        "Name": name,
        "Slug": identifier.partition("-")[2].lower(),
        "Description": description,
        "MemberUserIds": members,
        "ExternalSecurityGroups": [],
    }
