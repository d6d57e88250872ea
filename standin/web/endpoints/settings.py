"""Retention policies of a space and settings of the instance, each a document of Configuration (octopus-api §A.5)."""

from typing import Any

import msgspec

from standin import events
from standin.database import configuration, put_configuration
from standin.errors import not_found
from standin.web import models
from standin.web.call import Call
from standin.web.links import links_of
from standin.web.refusals import bad_request

#: retention types → what holds before anybody changes it
POLICIES = {
    "LifecycleRelease": models.SpaceRetentionPolicy(),
    "LifecycleTentacle": models.SpaceRetentionPolicy(),
    "RunbookRetention": models.SpaceRetentionPolicy(strategy="Count", quantity_to_keep=100),
    "MachinePackageCache": models.SpaceRetentionPolicy(strategy="Count", quantity_to_keep=5),
}
#: ids of settings → what they hold
SETTINGS: dict[str, type[models.Resource]] = {
    "retention-default": models.RetentionDefault,
    "retentionpolicies": models.RetentionSchedule,
    "eventretention": models.EventRetention,
}


async def read_policy(call: Call) -> Any:
    """Return the policy of a space for one type of retention."""
    wanted = call.query.text("retentiontype") or ""
    kind = next((known for known in POLICIES if known.lower() == wanted.lower()), None)
    if kind is None:
        raise bad_request(f"'{wanted[:50]}' is no type of retention; there are {', '.join(POLICIES)}.")
    return await _policy(call, kind)


async def modify_policy(call: Call) -> Any:
    """Replace the policy of a space."""
    kind = next((known for known in POLICIES if _policy_id(call.space, known).lower() == call.id.lower()), None)
    if kind is None:
        raise not_found(call.id)
    sent = await call.read(models.SpaceRetentionPolicy)
    if sent.strategy == "Count" and sent.quantity_to_keep == 0:
        raise bad_request("A policy that counts must keep at least 1.")
    async with call.begin() as work:
        await put_configuration(work.conn, _policy_id(call.space, kind), msgspec.to_builtins(sent))
        document = {"Id": _policy_id(call.space, kind), "SpaceId": call.space}
        await events.modified(work, document, f"Retention policy {kind}")
    return await _policy(call, kind)


async def read_retention_default(call: Call) -> Any:
    """Return the days that old clients ask for, bare."""
    return await _values(call, "retention-default")


async def modify_retention_default(call: Call) -> Any:
    """Replace the days that old clients ask for."""
    return await _modify(call, "retention-default")


async def read_values(call: Call) -> Any:
    """Return a setting of the instance."""
    identifier = _setting(call)
    return {"Id": identifier, **await _values(call, identifier), "Links": {"Self": call.path}}


async def modify_values(call: Call) -> Any:
    """Replace a setting of the instance."""
    identifier = _setting(call)
    return {"Id": identifier, **await _modify(call, identifier), "Links": {"Self": call.path}}


def _setting(call: Call) -> str:
    identifier = call.id.lower()
    if identifier not in SETTINGS:
        raise not_found(call.id)
    return identifier


async def _values(call: Call, identifier: str) -> dict[str, Any]:
    defaults: dict[str, Any] = msgspec.to_builtins(SETTINGS[identifier]())
    return {**defaults, **await configuration(call.state.pool, identifier)}


async def _modify(call: Call, identifier: str) -> dict[str, Any]:
    sent = await call.read(SETTINGS[identifier])
    async with call.begin() as work:
        await put_configuration(work.conn, identifier, msgspec.to_builtins(sent))
        await events.modified(work, {"Id": identifier}, f"Setting {identifier}")
    return await _values(call, identifier)


async def _policy(call: Call, kind: str) -> dict[str, Any]:
    identifier = _policy_id(call.space, kind)
    kept = await configuration(call.state.pool, identifier)
    document = {"Id": identifier, "Name": kind, "SpaceId": call.space, "RetentionType": kind}
    return {
        **document,
        **msgspec.to_builtins(POLICIES[kind]),
        **kept,
        "Links": links_of("RetentionPolicy", document),
    }


def _policy_id(space: str, kind: str) -> str:
    return f"retentionpolicies-{space}-{kind}"
