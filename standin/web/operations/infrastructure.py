"""Environments, deployment targets and tenants (octopus-api §A.3, §A.11, §A.12)."""

from standin.web import models
from standin.web.endpoints import environments, infrastructure
from standin.web.routing import LIST, Scope, Table

space = Table(Scope.SPACE)
MACHINES = f"{LIST} name roles targetTags isDisabled healthStatuses commStyles environmentIds"
TENANTS = f"{LIST} name projectId tags"

ROUTES = (
    space.get("environments", environments.list_environments, f"{LIST} name"),
    space.create("environments", environments.create_environment, models.Environment),
    space.get("environments/all", environments.all_environments, "ids name partialName"),
    space.get("environments/all/v1", environments.all_environments_v1, "ids name partialName"),
    space.get("environments/v2", environments.list_environments_v2, f"{LIST} name"),
    space.put("environments/sortorder", environments.sort_environments, list[str]),
    space.get("environments/{id}", environments.read_environment),
    space.put("environments/{id}", environments.modify_environment, models.Environment),
    space.delete("environments/{id}", environments.delete_environment),
    space.get("environments/{id}/machines", environments.machines_of_environment, MACHINES),
    space.get("machines", infrastructure.list_machines, MACHINES),
    space.create("machines", infrastructure.create_machine, models.Machine),
    space.get("machines/all", infrastructure.all_machines, MACHINES),
    space.get("machines/{id}", infrastructure.read_machine),
    space.put("machines/{id}", infrastructure.modify_machine, models.Machine),
    space.delete("machines/{id}", infrastructure.delete_machine),
    space.get("machineroles/all", infrastructure.all_roles),
    space.get("tenants", infrastructure.list_tenants, TENANTS),
    space.create("tenants", infrastructure.create_tenant, models.Tenant),
    space.get("tenants/all", infrastructure.all_tenants, TENANTS),
    space.get("tenants/{id}", infrastructure.read_tenant),
    space.put("tenants/{id}", infrastructure.modify_tenant, models.Tenant),
    space.delete("tenants/{id}", infrastructure.delete_tenant),
)
