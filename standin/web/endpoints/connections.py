"""How targets and workers are reached: their health, their connection, and what answers at an address (§A.11)."""

import asyncio
from typing import Any

from standin.documents import Document
from standin.web.call import Call
from standin.web.refusals import bad_request

#: seconds that a host gets to answer
PATIENCE = 3.0
#: how a target is reached → port that it listens at when nobody says
_PORTS = {"TentaclePassive": 10933, "Ssh": 22}


async def discover(call: Call) -> Any:
    """Return a draft of a machine at an address where something listens; it is not kept.

    Raises:
        Rejected: 400, the query is not whole, or nothing answers there.
    """
    host, style = call.query.text("host"), call.query.text("type") or "TentaclePassive"
    if host is None or style not in _PORTS:
        raise bad_request(f"The query must name a host, and a type of {', '.join(_PORTS)}.")
    port = call.query.number("port", _PORTS[style])
    if port is None or not 0 < port < 65_536:
        raise bad_request("'port' must be between 1 and 65535.")
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(host, port), PATIENCE)
    except (OSError, TimeoutError, UnicodeError) as exc:
        raise bad_request(f"Nothing answers at {host[:200]}:{port}.") from exc
    writer.close()
    tentacle = {"CommunicationStyle": style, "Uri": f"https://{host}:{port}/", "Thumbprint": None}
    shell = {"CommunicationStyle": style, "Host": host, "Port": port, "Fingerprint": None}
    return {"Name": host, "Endpoint": shell if style == "Ssh" else tentacle, "Links": {}}


def connection(machine: Document, path: str) -> Document:
    """Return what is known of the connection to a machine, at the path of its kind."""
    return {
        "Id": f"connection-{machine['Id']}",
        "MachineId": machine["Id"],
        "Status": machine["StatusSummary"],
        "CurrentTentacleVersion": None,
        "LastChecked": machine.get("LastModifiedOn"),
        "Logs": [],
        "Links": {"Self": f"{path}/{machine['Id']}/connection", "Machine": f"{path}/{machine['Id']}"},
    }


def health_of(endpoint: Document, current: Document | None) -> Document:
    """Say how a machine is: one that runs on the server is always healthy; any other as it was last found."""
    if endpoint.get("CommunicationStyle", "None") == "None":
        return {"HealthStatus": "Healthy", "StatusSummary": "It needs no machine of its own."}
    if current is not None and current["Endpoint"] == endpoint:
        return {name: current[name] for name in ("HealthStatus", "StatusSummary")}
    return {"HealthStatus": "Unknown", "StatusSummary": "It has not been checked yet."}
