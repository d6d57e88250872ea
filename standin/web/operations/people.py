"""Users, teams and spaces (octopus-api §A.1, §A.2)."""

from standin.web import models
from standin.web.endpoints import spaces, system
from standin.web.routing import LIST, Scope, Table

space = Table(Scope.SPACE)
server = Table(Scope.SYSTEM)

ROUTES = (
    server.get("users/me", spaces.read_me),
    server.get("users", spaces.list_users, "skip take ids filter"),
    server.get("users/all", spaces.all_users, "ids filter"),
    server.get("users/{id}", spaces.read_user),
    server.get("users/{id}/spaces", spaces.spaces_of_user),
    server.get("users/{id}/teams", spaces.teams_of_user),
    server.get("spaces", spaces.list_spaces, f"{LIST} name"),
    server.create("spaces", spaces.create_space, models.Space),
    server.create("spaces/v1", spaces.create_space_v1, models.Space),
    server.get("spaces/all", spaces.all_spaces, "ids partialName"),
    server.get("spaces/{id}", spaces.read_space),
    server.put("spaces/{id}", spaces.modify_space, models.Space),
    server.delete("spaces/{id}", spaces.delete_space),
    space.get("", system.space_home),
)
