"""Tasks about machines: health checks, updates, and scripts from the console (octopus-api §A.14)."""

import asyncio
from collections.abc import Collection
from typing import Any

from standin import events, scripts
from standin.documents import Document, find, update
from standin.kinds import MACHINE
from standin.process import MAX_PARALLELISM, Script
from standin.tasklog import TaskLog
from standin.work import Work, begin

#: where the console's script runs on the server itself: workers here have no machine of their own
_ON_SERVER = {"", "OctopusServer", "Workers", "WorkerPools"}


async def check_health(pool: Any, keys: Any, log: TaskLog, space: str | None, arguments: Document) -> bool:
    """Find machines healthy, as targets without an agent always are (octopus-api §A.11)."""
    async with begin(pool, keys) as work:
        for machine in await _machines(work, space, arguments):
            element = log.open("", f"Check {machine['Name']}")
            if machine.get("HealthStatus") != "Healthy":
                await update(work.conn, MACHINE, {**machine, "HealthStatus": "Healthy", "StatusSummary": ""})
                label = f"Machine {machine['Name']}"
                await events.about(work, events.MACHINE_HEALTHY, machine, label, f"{label} was found healthy")
            log.write(element, "The target is healthy.")
            log.close(element, "Success")
    return True


async def update_calamari(pool: Any, keys: Any, log: TaskLog, space: str | None, arguments: Document) -> bool:
    """Note on machines that what runs deployments there is up to date; on the server it always is."""
    async with begin(pool, keys) as work:
        for machine in await _machines(work, space, arguments):
            element = log.open("", f"Update {machine['Name']}")
            if machine.get("HasLatestCalamari") is False:
                await update(work.conn, MACHINE, {**machine, "HasLatestCalamari": True})
                await events.modified(work, machine, f"Machine {machine['Name']}")
            log.write(element, "Calamari is up to date.")
            log.close(element, "Success")
    return True


async def run_script(pool: Any, keys: Any, log: TaskLog, space: str | None, arguments: Document) -> bool:
    """Run a script of the console once for each machine that it names, or once on the server."""
    syntax, body = (str(arguments.get(name) or "") for name in ("Syntax", "ScriptBody"))
    script = Script("Script console", syntax or "Bash", body)
    kind = str(arguments.get("TargetType") or "")
    named = any(arguments.get(name) for name in ("MachineIds", "EnvironmentIds", "TargetRoles"))
    if kind in _ON_SERVER and not (named and not kind):
        return await _run_for(script, "Octopus Server", {}, log)
    async with begin(pool, keys) as work:
        machines = await _machines(work, space, arguments)
    if not machines:
        log.write("", "The script names no machine that is there.", "Fatal")
        return False
    window = asyncio.Semaphore(MAX_PARALLELISM)

    async def run_one(machine: Document) -> bool:
        async with window:
            known = {"OCTOPUS_MACHINE_ID": machine["Id"], "OCTOPUS_MACHINE_NAME": machine["Name"]}
            return await _run_for(script, machine["Name"], known, log)

    return all(await asyncio.gather(*(run_one(machine) for machine in machines)))


async def _run_for(script: Script, name: str, known: dict[str, str], log: TaskLog) -> bool:
    element = log.open("", name)
    code = await scripts.run(script, script.body, known, lambda text, category: log.write(element, text, category))
    if code != 0:
        log.write(element, f"The script ended with exit code {code}.", "Fatal")
    log.close(element, "Success" if code == 0 else "Failed")
    return code == 0


async def _machines(work: Work, space: str | None, arguments: Document) -> list[Document]:
    """Return the machines that a task's arguments name: by id, by environment and role; all where none is named."""
    equals = {"IsDisabled": False} | ({"SpaceId": space} if space else {})
    identifiers = _names(arguments, "MachineIds")
    environments = _names(arguments, "EnvironmentIds") | _names(arguments, "EnvironmentId")
    roles = _names(arguments, "TargetRoles")
    return [
        machine
        for machine in await find(work.conn, MACHINE, **equals)
        if _is_one(machine["Id"], identifiers)
        and _is_any(machine["EnvironmentIds"], environments)
        and _is_any(machine["Roles"], roles)
    ]


def _names(arguments: Document, member: str) -> set[str]:
    value = arguments.get(member) or ()
    return {value} if isinstance(value, str) else {str(one) for one in value}


def _is_one(identifier: str, wanted: Collection[str]) -> bool:
    return not wanted or identifier in wanted


def _is_any(listed: Collection[str], wanted: Collection[str]) -> bool:
    return not wanted or bool(set(listed) & set(wanted))
