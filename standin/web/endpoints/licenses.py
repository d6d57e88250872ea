"""The licence and how far it is used (octopus-api §A.22)."""

import hashlib
from datetime import UTC, datetime
from typing import Any

from standin import events, licensing
from standin.configuration import put_configuration
from standin.documents import Document
from standin.licensing import UNLIMITED, License
from standin.web.call import Call
from standin.web.models import Resource

#: days that count as for ever
FOR_EVER = 2_000_000
_STATUS = "/api/licenses/licenses-current-status"


class LicenseText(Resource, frozen=True, kw_only=True):
    """A licence as clients send it."""

    license_text: str | None = None


async def read_license(call: Call) -> Any:
    """Return the licence."""
    return _show(await licensing.current(call.state.pool))


async def modify_license(call: Call) -> Any:
    """Take a licence; a blank one takes all limits away."""
    sent = await call.read(LicenseText)
    licence = licensing.parse(sent.license_text or "")
    async with call.begin() as work:
        await put_configuration(work.conn, licensing.SETTING, {"LicenseText": licence.text})
        await events.modified(work, {"Id": licensing.SETTING}, "License")
    return _show(licence)


async def license_status(call: Call) -> Any:
    """Return the limits of the licence with what is used of each."""
    async with call.state.pool.acquire() as conn:
        licence, used = await licensing.current(conn), await licensing.usage(conn)
    limits = [_limit(name, licence.limits.get(name), used[name.lower()]) for name in licensing.LIMITS]
    messages = [limit["Message"] for limit in limits if limit["Disposition"] == "Error"]
    days = min((licence.until - datetime.now(UTC).date()).days, FOR_EVER)
    if days < 0:
        messages.append("The license has expired.")
    return {
        "Id": "licenses-current-status",
        "IsCompliant": not messages,
        "ComplianceSummary": " ".join(messages) or _summary(licence),
        "EffectiveExpiryDate": licence.until.isoformat(),
        "DaysToEffectiveExpiryDate": days,
        "DoesExpiryBlockKeyActivities": days < 0,
        "EffectiveNodeTaskLimit": licence.node_tasks,
        "EffectiveClusterTaskLimit": licence.cluster_tasks,
        "IsNodeTaskLimitControlledByLicense": licence.node_tasks != UNLIMITED,
        "IsClusterTaskLimitControlledByLicense": licence.cluster_tasks != UNLIMITED,
        "Limits": limits,
        "Messages": [{"Message": message, "Disposition": "Error"} for message in messages],
        "PermissionsMode": "Full",
        "HostingEnvironment": "SelfHosted",
        "Links": {"Self": _STATUS},
    }


def _show(licence: License) -> Document:
    serial = hashlib.sha256(licence.text.encode()).hexdigest()[:16].upper() if licence.text else None
    links = {"Self": "/api/licenses/licenses-current", "CurrentLicenseStatus": _STATUS}
    return {"Id": licensing.SETTING, "LicenseText": licence.text, "SerialNumber": serial, "Links": links}


def _summary(licence: License) -> str:
    return "The license is complied with." if licence.text else "This server needs no license."


def _limit(name: str, limit: int | None, used: int) -> Document:
    over = limit is not None and used > limit
    words = "Unlimited" if limit is None else f"{used} of {limit} {name.lower()} are in use"
    return {
        "Name": name,
        "EffectiveLimit": UNLIMITED if limit is None else limit,
        "LicensedLimit": UNLIMITED if limit is None else limit,
        "EffectiveLimitDescription": "Unlimited" if limit is None else str(limit),
        "CurrentUsage": used,
        "IsUnlimited": limit is None,
        "Disposition": "Error" if over else "Information",
        "Message": words,
    }
