"""Environments, deployment targets, workers and tenants (octopus-api §A.3, §A.11, §A.12)."""

from standin.web import equipment
from standin.web.endpoints import connections, logos, machines, summaries, tenantvariables
from standin.web.endpoints.environments import ENVIRONMENTS
from standin.web.endpoints.machines import MACHINES
from standin.web.endpoints.policies import MACHINE_POLICIES
from standin.web.endpoints.tagsets import TAG_SETS
from standin.web.endpoints.tenants import TENANTS
from standin.web.endpoints.workers import WORKER_POOLS, WORKERS
from standin.web.routing import LIST, Scope, Table

space = Table(Scope.SPACE)
OF_MACHINES = (
    f"{LIST} name roles targetTags isDisabled healthStatuses commStyles deploymentTargetTypes environmentIds tenantIds "
    "tenantTags operatingSystemNames shellNames thumbprint deploymentId"
)
OF_WORKERS = f"{LIST} name isDisabled healthStatuses commStyles workerPoolIds shellNames thumbprint"
OF_SUMMARY = (
    "ids partialName machinePartialName roles isDisabled healthStatuses commStyles tenantIds tenantTags shellNames"
)

ROUTES = (
    *ENVIRONMENTS.routes(space, "environments", f"{LIST} name"),
    space.get("environments/all/v1", ENVIRONMENTS.every_v1, "ids name partialName"),
    space.get("environments/v2", ENVIRONMENTS.page_v2, f"{LIST} name type"),
    space.put("environments/sortorder", ENVIRONMENTS.sort, list[str]),
    space.get("environments/summary", summaries.read_environments, f"{OF_SUMMARY} hideEmptyEnvironments"),
    space.get("environments/{id}/machines", ENVIRONMENTS.machines, OF_MACHINES),
    *MACHINES.routes(space, "machines", OF_MACHINES),
    space.get("machines/discover", connections.discover, "host port type"),
    space.get("machines/operatingsystem/names/all", machines.operating_systems),
    space.get("machines/operatingsystem/shells/all", machines.shells),
    space.get("machines/{id}/connection", MACHINES.connection),
    space.get("machines/{id}/tasks", MACHINES.tasks, "skip take type"),
    space.get("machineroles/all", machines.every_role),
    *MACHINE_POLICIES.routes(space, "machinepolicies"),
    space.get("machinepolicies/template", MACHINE_POLICIES.template),
    space.get("machinepolicies/{id}/machines", MACHINE_POLICIES.machines, OF_MACHINES),
    *WORKER_POOLS.routes(space, "workerpools", f"{LIST} name"),
    space.put("workerpools/sortorder", WORKER_POOLS.sort, list[str]),
    space.get(
        "workerpools/summary",
        WORKER_POOLS.summary,
        "ids partialName machinePartialName isDisabled healthStatuses commStyles hideEmptyWorkerPools shellNames",
    ),
    space.get("workerpools/supportedtypes", WORKER_POOLS.supported),
    space.get("workerpools/{id}/workers", WORKER_POOLS.workers, OF_WORKERS),
    *WORKERS.routes(space, "workers", OF_WORKERS),
    space.get("workers/discover", connections.discover, "host port type"),
    space.get("workers/{id}/connection", WORKERS.connection),
    *TENANTS.routes(space, "tenants", f"{LIST} name projectId tags clonedFromTenantId"),
    space.get("tenants/status", TENANTS.status),
    space.get("tenants/tag-test", TENANTS.tag_test, "tenantIds tags"),
    space.get("tenants/variables-missing", tenantvariables.missing, "tenantId projectId environmentId includeDetails"),
    space.get("tenants/{id}/variables", tenantvariables.read),
    space.put("tenants/{id}/variables", tenantvariables.modify, equipment.TenantVariables),
    space.post("tenants/{id}/variables", tenantvariables.modify, equipment.TenantVariables),
    space.get("tenants/{id}/logo", logos.read_tenant_logo),
    space.put("tenants/{id}/logo", logos.modify_tenant_logo),
    space.post("tenants/{id}/logo", logos.modify_tenant_logo),
    space.get("tenantvariables/all", tenantvariables.every, "projectId"),
    *TAG_SETS.routes(space, "tagsets"),
    space.put("tagsets/sortorder", TAG_SETS.sort, list[str]),
)
