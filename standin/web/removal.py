"""The deletion of what has a history: releases and projects, with everything that belongs to them."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from standin import events, kinds
from standin.documents import Document, delete, find
from standin.runbooks import remove_runbook
from standin.statements import queries
from standin.tasklog import log_path
from standin.web.refusals import bad_request
from standin.work import Work


async def remove_releases(work: Work, project: Document, releases: Sequence[Document]) -> list[str]:
    """Delete releases with their deployments and tasks; return the ids of the tasks, whose logs can go.

    Events and the history of deployments stay, and snapshots that another release shares (octopus-facts §1b).

    Raises:
        Rejected: 400, a deployment of one of them has not ended.
    """
    conn, named = work.conn, queries("purge")
    identifiers = [release["Id"] for release in releases]
    if await conn.fetchval(queries("web/releases")["active"], identifiers):
        raise bad_request("A release cannot be deleted while a deployment of it is queued or running.")
    rows: list[Any] = await conn.fetch(named["delete_deployments"], identifiers)
    tasks = [row["taskid"] for row in rows]
    await conn.execute(named["delete_tasks"], tasks)
    await conn.execute(named["delete_releases"], identifiers)
    await conn.execute(named["delete_processes"], project["Id"])
    await conn.execute(named["delete_variables"], project["Id"])
    for release in releases:
        await events.deleted(work, release, f"Release {release['Version']}")
    return tasks


async def remove_project(work: Work, project: Document) -> list[str]:
    """Delete a project with its runbooks, releases, channels, process and variables; return the ids of its tasks."""
    tasks = []
    for runbook in await find(work.conn, kinds.RUNBOOK, ProjectId=project["Id"]):
        tasks += await remove_runbook(work, runbook)
    tasks += await remove_releases(work, project, await find(work.conn, kinds.RELEASE, ProjectId=project["Id"]))
    await work.conn.execute(queries("web/releases")["delete_channels"], project["Id"])
    await work.conn.execute(queries("web/releases")["delete_triggers"], project["Id"])
    await work.conn.execute(queries("web/releases")["delete_all_processes"], project["Id"])
    await work.conn.execute(queries("web/releases")["delete_all_variables"], project["Id"])
    await delete(work.conn, kinds.PROJECT, project["Id"])
    await events.deleted(work, project, f"Project {project['Name']}")
    return tasks


async def forget_logs(folder: Path, tasks: Sequence[str]) -> None:
    """Delete the log files of tasks that no longer exist."""

    def unlink() -> None:
        for task in tasks:
            log_path(folder, task).unlink(missing_ok=True)

    await asyncio.to_thread(unlink)
