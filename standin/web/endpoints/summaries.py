"""Overviews of machines: how many there are, how they are, and how they are reached (octopus-api §A.3)."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from standin.documents import Document
from standin.web.call import Call
from standin.web.endpoints.environments import ENVIRONMENTS
from standin.web.endpoints.machines import MACHINES
from standin.web.resources import MACHINE, fetch_all

HEALTH = ("Healthy", "Unavailable", "Unknown", "HasWarnings", "Unhealthy")


async def read_environments(call: Call) -> Any:
    """Count the deployment targets of each environment by their health, how they are reached, and their tenants."""
    environments = await ENVIRONMENTS.every(call)
    filters = {**MACHINES.filters(call), "ids": None, "partial_name": call.query.text("machinepartialname")}
    machines = await fetch_all(call, MACHINE, filters)
    inside: dict[str, list[Document]] = {one["Id"]: [] for one in environments}
    for machine in machines:
        for environment in machine["EnvironmentIds"]:
            if environment in inside:
                inside[environment].append(machine)
    hide = call.query.flag("hideemptyenvironments")
    parts = [
        {"Environment": one, **count_machines(inside[one["Id"]]), **_tenants(inside[one["Id"]])}
        for one in environments
        if inside[one["Id"]] or not hide
    ]
    total = {**count_machines(machines), **_tenants(machines)}
    return {**total, "EnvironmentSummaries": parts, "Links": {"Self": call.path}}


def count_machines(machines: Sequence[Document]) -> Document:
    """Count targets or workers; those that are disabled count with nothing else."""
    enabled = [machine for machine in machines if not machine["IsDisabled"]]
    health = Counter(machine["HealthStatus"] for machine in enabled)
    return {
        "TotalMachines": len(machines),
        "TotalDisabledMachines": len(machines) - len(enabled),
        "MachineHealthStatusSummaries": {status: health[status] for status in HEALTH},
        "MachineEndpointSummaries": dict(Counter(_style(machine) for machine in machines)),
        "TentacleUpgradesRequired": False,
        "MachineIdsForCalamariUpgrade": [],
        "MachineIdsForTentacleUpgrade": [],
    }


def _style(machine: Document) -> str:
    return str(machine["Endpoint"].get("CommunicationStyle") or "None")


def _tenants(machines: Sequence[Document]) -> Document:
    return {
        "MachineTenantSummaries": dict(Counter(one for machine in machines for one in machine["TenantIds"])),
        "MachineTenantTagSummaries": dict(Counter(one for machine in machines for one in machine["TenantTags"])),
    }
