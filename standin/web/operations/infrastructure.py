"""Environments, deployment targets and tenants (octopus-api §A.3, §A.11, §A.12)."""

from standin.web.endpoints.environments import ENVIRONMENTS
from standin.web.endpoints.machines import MACHINES, every_role
from standin.web.endpoints.tenants import TENANTS
from standin.web.routing import LIST, Scope, Table

space = Table(Scope.SPACE)
OF_MACHINES = f"{LIST} name roles targetTags isDisabled healthStatuses commStyles environmentIds"

ROUTES = (
    *ENVIRONMENTS.routes(space, "environments", f"{LIST} name"),
    space.get("environments/all/v1", ENVIRONMENTS.every_v1, "ids name partialName"),
    space.get("environments/v2", ENVIRONMENTS.page_v2, f"{LIST} name"),
    space.put("environments/sortorder", ENVIRONMENTS.sort, list[str]),
    space.get("environments/{id}/machines", ENVIRONMENTS.machines, OF_MACHINES),
    *MACHINES.routes(space, "machines", OF_MACHINES),
    space.get("machineroles/all", every_role),
    *TENANTS.routes(space, "tenants", f"{LIST} name projectId tags"),
)
