"""The root document, the server's status and what the server says of itself (octopus-api §B.6, §A.22)."""

import platform
import threading
import time
from datetime import timedelta
from typing import Any

import psutil

from standin.statements import queries
from standin.web.call import Call, Reply
from standin.web.identity import find_space
from standin.web.links import root_links, space_links
from standin.web.maintenance import is_read_only


async def root(call: Call) -> Any:
    """Return the root document; anybody may read it."""
    state = call.state
    return {
        "Application": "Octopus Deploy",
        "Version": state.version,
        "ApiVersion": state.api_version,
        "InstallationId": state.installation_id,
        "IsEarlyAccessProgram": False,
        "HasLongTermSupport": True,
        "Links": root_links(await find_space(state, None)),
    }


async def space_home(call: Call) -> Any:
    """Return a space's links; without a version, by which clients tell it from the root."""
    return {"Id": call.space, "Links": space_links(call.space)}


async def status(call: Call) -> Any:
    """Return the server's status."""
    base = "/api/serverstatus"
    return {
        "Id": "serverstatus",
        "IsDatabaseEncrypted": False,
        "IsMajorMinorUpgrade": False,
        "IsInMaintenanceMode": await is_read_only(call.state),
        "IsUpgradeAvailable": False,
        "IsPotentialClone": False,
        "MaintenanceExpires": None,
        "MaximumAvailableVersion": call.state.version,
        "MaximumAvailableVersionCoveredByLicense": call.state.version,
        "Links": {
            "Self": base,
            "SystemInfo": f"{base}/system-info",
            "Health": f"{base}/health",
            "Counts": f"{base}/counts",
            "RecentLogs": f"{base}/logs{{?skip,take,includeDetail}}",
            "GCCollect": f"{base}/gc-collect",
            "SystemReport": f"{base}/system-report",
            "Timezones": f"{base}/timezones",
            "ExtensionStats": f"{base}/extensions",
        },
    }


async def health(call: Call) -> Reply:
    """Say whether the cluster works: 200, or 418 when all of its nodes drain."""
    draining = await call.state.pool.fetchval(queries("web/nodes")["all_draining"])
    read_only = await is_read_only(call.state)
    content = {
        "Id": "health",
        "Description": "All nodes are draining their tasks." if draining else "The server works normally.",
        "IsCompliantWithLicense": True,
        "IsEntireClusterDrainingTasks": bool(draining),
        "IsEntireClusterReadOnly": read_only,
        "IsOperatingNormally": not draining and not read_only,
        "Links": {"Self": "/api/serverstatus/health"},
    }
    return Reply(content, 418 if draining else 200)


async def system_info(call: Call) -> Any:
    """Return what the node's process and machine are."""
    uptime = timedelta(seconds=int(time.time() - call.state.started))
    return {
        "Version": call.state.version,
        "OSVersion": platform.platform(),
        "ClrVersion": f"Python {platform.python_version()}",
        "ThreadCount": threading.active_count(),
        "MinThreadPoolCount": 1,
        "Uptime": str(uptime).replace(" days, ", ".").replace(" day, ", "."),
        "WorkingSetBytes": psutil.Process().memory_info().rss,
    }


async def counts(call: Call) -> Any:
    """Count what the instance holds: one call verifies seeded depth."""
    row = await call.state.pool.fetchrow(queries("web/system")["counts"])
    return {
        "Global": {"Spaces": row["spaces"], "Teams": row["teams"], "Users": row["users"]},
        "Infrastructure": {
            "DeploymentTargets": row["machines"],
            "Environments": row["environments"],
            "Tenants": row["tenants"],
            "WorkerPools": row["pools"],
            "Workers": row["workers"],
        },
        "Library": {"Certificates": 0, "Packages": row["packages"], "VariableSets": row["library_sets"]},
        "Project": {
            "Deployments": row["deployments"],
            "Projects": row["projects"],
            "Releases": row["releases"],
            "RunbookRuns": row["runs"],
            "Runbooks": row["runbooks"],
        },
    }


async def capabilities(_call: Call) -> Any:
    """Return the capabilities by which clients tell servers apart: the names of requests that the server knows."""
    return {"Capabilities": ["GetAllSpacesRequest"]}


async def feature_toggles(call: Call) -> Any:
    """Return the feature toggles that are asked for by name: none of them is on."""
    return {"FeatureToggles": [{"Name": name, "IsEnabled": False} for name in call.query.many("name") or ()]}
