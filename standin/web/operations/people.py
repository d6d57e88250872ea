"""Users, teams, roles and spaces, and how often they may ask (octopus-api §A.1, §A.2, §B.1, §B.5)."""

from standin.web import membership, models, throttle
from standin.web.endpoints import apikeys, logos, ratelimits, sessions, system, users
from standin.web.endpoints.spaces import SPACES
from standin.web.endpoints.teams import SCOPED_USER_ROLES, TEAMS, USER_ROLES, every_permission
from standin.web.endpoints.users import USERS
from standin.web.routing import LIST, Scope, Table

server = Table(Scope.SYSTEM)
space = Table(Scope.SPACE)
anywhere = Table(Scope.MIXED)
OF_TEAMS = f"{LIST} spaces includeSystem"

ROUTES = (
    server.get("users/me", USERS.me),
    *USERS.routes(server, "users", "skip take ids filter"),
    server.get("users/{id}/spaces", USERS.spaces),
    anywhere.get("users/{id}/teams", USERS.teams, "spaces includeSystem"),
    anywhere.get("users/{id}/permissions", USERS.permissions, "spaces includeSystem"),
    anywhere.get("users/{id}/permissions/configuration", USERS.permissions, "spaces includeSystem"),
    server.get("users/{id}/apikeys", apikeys.list_keys, "skip take"),
    server.create("users/{id}/apikeys", apikeys.create_key, membership.ApiKey),
    server.get("users/{id}/apikeys/{keyId}", apikeys.read_key),
    server.delete("users/{id}/apikeys/{keyId}", apikeys.delete_key),
    server.post("users/login", sessions.log_in, membership.Login, anonymous=True),
    server.post("users/logout", sessions.log_out, anonymous=True),
    server.post("users/access-token", sessions.create_token),
    server.get("users/authentication", sessions.user_providers),
    server.get("authentication", sessions.providers, anonymous=True),
    server.get("externalsecuritygroupproviders", sessions.group_providers),
    anywhere.get("teammembership", users.read_membership, "userId spaces includeSystem"),
    *TEAMS.routes(anywhere, "teams", OF_TEAMS),
    anywhere.get("teams/{id}/scopeduserroles", TEAMS.grants, "skip take"),
    *USER_ROLES.routes(server, "userroles"),
    *SCOPED_USER_ROLES.routes(anywhere, "scopeduserroles", "skip take ids spaces includeSystem"),
    server.get("permissions/all", every_permission),
    *SPACES.routes(server, "spaces", f"{LIST} name"),
    server.create("spaces/v1", SPACES.create_v1, models.Space),
    server.get("spaces/{id}/logo", logos.read_space_logo),
    server.put("spaces/{id}/logo", logos.modify_space_logo),
    server.post("spaces/{id}/logo", logos.modify_space_logo),
    server.get("spaces/{id}/search", SPACES.search, "keyword"),
    space.get("", system.space_home),
    server.get("ratelimitingpolicies", ratelimits.list_policies, "skip take"),
    server.get("ratelimitingpolicies/{id}", ratelimits.read_policy),
    server.put("ratelimitingpolicies/{id}", ratelimits.modify_policy, throttle.Policy),
)
