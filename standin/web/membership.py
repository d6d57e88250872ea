"""Users, teams, roles and keys as clients send them (octopus-api §A.1)."""
# ruff: noqa: RUF012 - msgspec copies the empty defaults for each record

from typing import Annotated, Any

from msgspec import Meta

from standin.web.models import Name, Resource

Text = Annotated[str, Meta(min_length=1, max_length=64)]


class User(Resource, frozen=True, kw_only=True):
    """An account; its password is sent and never returned."""

    username: Text
    display_name: Text
    email_address: Annotated[str, Meta(max_length=256)] | None = ""
    is_active: bool = True
    is_service: bool = False
    password: Annotated[str, Meta(max_length=256)] | None = None
    identities: list[Any] = []


class Team(Resource, frozen=True, kw_only=True):
    """A team; without a space it is one of the whole server."""

    name: Name
    slug: str | None = None
    description: str | None = ""
    space_id: str | None = None
    member_user_ids: list[str] = []
    external_security_groups: list[Any] = []


class UserRole(Resource, frozen=True, kw_only=True):
    """A role: what its holders may do in a space, and on the whole server."""

    name: Name
    slug: str | None = None
    description: str | None = ""
    granted_space_permissions: list[str] = []
    granted_system_permissions: list[str] = []


class ScopedUserRole(Resource, frozen=True, kw_only=True):
    """The grant of a role to a team, in one space or everywhere."""

    team_id: str
    user_role_id: str
    space_id: str | None = None
    project_group_ids: list[str] = []
    project_ids: list[str] = []
    environment_ids: list[str] = []
    tenant_ids: list[str] = []


class ApiKey(Resource, frozen=True, kw_only=True):
    """A key that is wanted, and until when it is valid."""

    purpose: Annotated[str, Meta(min_length=1, max_length=200)]
    expires: str | None = None


class LoginState(Resource, frozen=True, kw_only=True):
    """How a client reached the server."""

    using_secure_connection: bool = False


class Login(Resource, frozen=True, kw_only=True):
    """Who wants to log in."""

    username: str
    password: str
    remember_me: bool = False
    state: LoginState | None = None
