"""The retention task: reads what there is, applies the rules, and really deletes."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from standin import events
from standin.configuration import configuration
from standin.documents import Document, KeyAllocator, find, get
from standin.kinds import CHANNEL, EVENT, LIFECYCLE, PROJECT
from standin.lifecycles import Phase, phases_of
from standin.retention import Candidate, Decision, decide
from standin.statements import queries
from standin.tasklog import TaskLog, log_path
from standin.work import Work, begin

#: Releases deleted in one transaction: long enough to be quick, short enough to let deployments through.
BATCH = 250


@dataclass(frozen=True, slots=True)
class Purge:
    """One run of the retention task."""

    #: connections of the node
    pool: Any
    #: gives out ids
    keys: KeyAllocator
    #: the task's log
    log: TaskLog
    #: folder of all tasks' logs
    task_logs: Path

    async def apply(self, space: str | None = None) -> int:
        """Apply the retention policies of a space (None: of all) and return how many releases were deleted.

        A release goes with its deployments, their tasks, logs and machines, and with snapshots that no other release
        shares; events and the history of deployments stay (octopus-facts §1b).
        """
        deleted = 0
        for row in await self.pool.fetch(queries("purge")["projects"], space):
            element = self.log.open("", f"Project {row['name']}")
            gone = await self._apply_to_project(row["id"], element)
            deleted += gone
            self.log.write(element, f"{gone} releases were deleted.")
            self.log.close(element, "Success")
        await self.pool.execute(queries("purge")["delete_library_variables"], space)
        self.log.write("", f"{deleted} releases were deleted in all.")
        return deleted

    async def _apply_to_project(self, identifier: str, element: str) -> int:
        async with begin(self.pool, self.keys) as work:
            project = await get(work.conn, PROJECT, identifier)
            decisions = await _decide(work, project)
        for decision in decisions:
            verb = "stays" if decision.keep else "goes"
            self.log.write(element, f"Release {decision.release.version} {verb}: {decision.reason}.", "Verbose")
        gone = [decision.release for decision in decisions if not decision.keep]
        deleted = 0
        for start in range(0, len(gone), BATCH):
            async with begin(self.pool, self.keys) as work:
                batch = await lock_unused(work.conn, gone[start : start + BATCH])
                tasks = await _delete(work, project, batch)
            deleted += len(batch)
            for release in batch:
                self.log.write(element, f"Deleted release {release.version}.")
            await asyncio.to_thread(_delete_logs, self.task_logs, tasks)
        return deleted


async def lock_unused(conn: Any, releases: Sequence[Candidate]) -> list[Candidate]:
    """Lock releases and return those that may still go: nobody has deleted or deployed them since the decision.

    Deployments hold their release while they are queued, so that none can come between this and the deletion.
    """
    named, identifiers = queries("purge"), [release.id for release in releases]
    there = {row["id"] for row in await conn.fetch(named["lock_releases"], identifiers)}
    deployed: dict[str, dict[str, Any]] = {}
    for row in await conn.fetch(named["deployed_since"], identifiers):
        deployed.setdefault(row["releaseid"], {})[row["environmentid"]] = row["last"]
        if row["active"]:
            there.discard(row["releaseid"])
    return [one for one in releases if one.id in there and deployed.get(one.id, {}) == one.deployed]


async def _decide(work: Work, project: Document) -> list[Decision]:
    """Decide about all releases of a project, channel by channel."""
    conn, named = work.conn, queries("purge")
    discrete = bool(project.get("DiscreteChannelRelease"))
    shown = await conn.fetch(named["shown_by_channel" if discrete else "shown"], project["Id"])
    current = {row["releaseid"] for row in shown if row["kind"] == "C"}
    previous = {row["releaseid"] for row in shown if row["kind"] == "P"}
    deployed: dict[str, dict[str, Any]] = {}
    for row in await conn.fetch(named["deployed"], project["Id"]):
        deployed.setdefault(row["releaseid"], {})[row["environmentid"]] = row["last"]
    rows = await conn.fetch(named["releases"], project["Id"])
    decisions = []
    for channel in await find(conn, CHANNEL, ProjectId=project["Id"]):
        releases = [
            Candidate(row["id"], row["version"], row["assembled"], deployed.get(row["id"], {}))
            for row in rows
            if row["channelid"] == channel["Id"]
        ]
        phases = await _phases(conn, project, channel)
        decisions += decide(releases, phases, current, previous, work.now)
    return decisions


async def _phases(conn: Any, project: Document, channel: Document) -> list[Phase]:
    lifecycle = await get(conn, LIFECYCLE, channel["LifecycleId"] or project["LifecycleId"])
    environments = await conn.fetch(queries("history")["environments"], project["SpaceId"])
    if (lifecycle.get("ReleaseRetentionPolicy") or {}).get("Strategy") == "Default":
        # The lifecycle leaves it to its space, which keeps for ever unless somebody has set a policy.
        default = await configuration(conn, f"retentionpolicies-{project['SpaceId']}-LifecycleRelease")
        lifecycle = {**lifecycle, "ReleaseRetentionPolicy": default}
    return phases_of(lifecycle, [row["id"] for row in environments])


async def _delete(work: Work, project: Document, releases: Sequence[Candidate]) -> list[str]:
    """Delete releases and what belongs to them; return the ids of their tasks."""
    conn, named = work.conn, queries("purge")
    identifiers = [release.id for release in releases]
    tasks: list[str] = [row["taskid"] for row in await conn.fetch(named["delete_deployments"], identifiers)]
    await conn.execute(named["delete_tasks"], tasks)
    await conn.execute(named["delete_releases"], identifiers)
    await conn.execute(named["delete_processes"], project["Id"])
    await conn.execute(named["delete_variables"], project["Id"])
    await _record(work, project, releases)
    return tasks


async def _record(work: Work, project: Document, releases: Sequence[Candidate]) -> None:
    """Record the deletion of releases, one event each, in one go."""
    identifiers = await work.keys.take(EVENT, len(releases))
    rows = []
    for identifier, release in zip(identifiers, releases, strict=True):
        document = events.event_document(
            identifier,
            events.DELETED,
            f"Release {release.version} of {project['Name']} was deleted by retention",
            [release.id, project["Id"]],
            work.now,
            space=project["SpaceId"],
            project=project["Id"],
            references=[(release.id, release.version), (project["Id"], project["Name"])],
        )
        rows.append(EVENT.row(document))
    columns = [name.lower() for name in ("Id", *EVENT.columns, "JSON")]
    await work.conn.copy_records_to_table("event", records=rows, columns=columns)
    await work.conn.execute(queries("events")["relate_many"], identifiers)


def _delete_logs(folder: Path, tasks: Sequence[str]) -> None:
    for task in tasks:
        log_path(folder, task).unlink(missing_ok=True)
