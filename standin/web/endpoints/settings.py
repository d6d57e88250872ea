"""Retention policies of a space and settings of the instance, each a document of Configuration (octopus-api §A.5)."""

from typing import Any

import msgspec

from standin import events
from standin.configuration import configuration, put_configuration
from standin.errors import not_found
from standin.web import models, sections
from standin.web.call import Call
from standin.web.links import links_of
from standin.web.paging import envelope
from standin.web.refusals import bad_request
from standin.web.routing import Route, Table
from standin.web.schemas import members_of
from standin.web.secrets import hide, keep

#: retention types → what holds before anybody changes it
POLICIES = {
    "LifecycleRelease": models.SpaceRetentionPolicy(),
    "LifecycleTentacle": models.SpaceRetentionPolicy(),
    "RunbookRetention": models.SpaceRetentionPolicy(strategy="Count", quantity_to_keep=100),
    "MachinePackageCache": models.SpaceRetentionPolicy(strategy="Count", quantity_to_keep=5),
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


async def list_sections(call: Call) -> Any:
    """Return one page of the settings of the instance."""
    window, items = call.query.window(), [_section(section) for section in sections.SECTIONS.values()]
    page = items[window.skip : window.skip + window.take]
    return envelope("ConfigurationSectionMetadata", page, len(items), window, call.path)


async def read_section(call: Call) -> Any:
    """Return what a setting of the instance is called."""
    return _section(_named(call))


async def read_metadata(call: Call) -> Any:
    """Return the members of a setting with their types, as the portal makes a form of them."""
    section = _named(call)
    properties = [
        {"Name": name, "Type": kind, "DisplayInfo": {"Label": name, "ReadOnly": False, "Required": False}}
        for name, kind in members_of(section.model)
    ]
    return {"Id": section.id, "Description": section.name, "Types": [{"Name": section.id, "Properties": properties}]}


async def read_values(call: Call) -> Any:
    """Return a setting of the instance."""
    return await _shown(call, _named(call))


async def modify_values(call: Call) -> Any:
    """Replace a setting of the instance."""
    return await _modify(call, _named(call))


async def read_retention_default(call: Call) -> Any:
    """Return the days that old clients ask for, bare."""
    shown = await _shown(call, sections.SECTIONS["retention-default"])
    return {"RetentionDays": shown["RetentionDays"]}


async def modify_retention_default(call: Call) -> Any:
    """Replace the days that old clients ask for."""
    shown = await _modify(call, sections.SECTIONS["retention-default"])
    return {"RetentionDays": shown["RetentionDays"]}


async def mail_is_configured(call: Call) -> Any:
    """Say whether the server knows a host for its mail."""
    shown = await _shown(call, sections.SECTIONS["smtp"])
    return {"IsConfigured": bool(shown["SmtpHost"]), "Links": {"Self": call.path}}


async def server_settings(call: Call) -> Any:
    """Return the settings of the server's own configuration as an array of sections."""
    shown = await _shown(call, sections.SECTIONS["server"])
    settings = [{"Key": "ServerUri", "Description": "Where clients reach this server.", "Value": shown["ServerUri"]}]
    return [{"Id": "server", "ConfigurationSet": "Server", "ConfigurationValues": settings}]


def routes_of(table: Table, path: str, identifier: str) -> tuple[Route, Route]:
    """Return the two routes of a setting that has an address of its own."""
    section = sections.SECTIONS[identifier]

    async def read(call: Call) -> Any:
        """Return a setting of the instance."""
        return await _shown(call, section)

    async def modify(call: Call) -> Any:
        """Replace a setting of the instance."""
        return await _modify(call, section)

    return table.get(path, read), table.put(path, modify, section.model)


def _named(call: Call) -> sections.Section:
    section = sections.SECTIONS.get(call.id.lower())
    if section is None:
        raise not_found(call.id)
    return section


def _section(section: sections.Section) -> dict[str, Any]:
    base = f"/api/configuration/{section.id}"
    links = {"Self": base, "Metadata": f"{base}/metadata", "Values": f"{base}/values"}
    return {"Id": section.id, "Name": section.name, "Description": section.name, "Links": links}


async def _shown(call: Call, section: sections.Section) -> dict[str, Any]:
    defaults: dict[str, Any] = msgspec.to_builtins(section.model())
    kept = hide(await configuration(call.state.pool, section.id))
    return {"Id": section.id, **defaults, **kept, "Links": {"Self": call.path}}


async def _modify(call: Call, section: sections.Section) -> dict[str, Any]:
    sent = await call.read(section.model)
    async with call.begin() as work:
        kept = keep(msgspec.to_builtins(sent), await configuration(work.conn, section.id))
        await put_configuration(work.conn, section.id, kept)
        await events.modified(work, {"Id": section.id}, f"Setting {section.name}")
    return await _shown(call, section)


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
