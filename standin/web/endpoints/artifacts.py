"""Artifacts: files that people and scripts keep with a task (octopus-api §A.22)."""

from typing import Annotated, Any

from msgspec import Meta

from standin import events, kinds
from standin.documents import Document, delete, get, insert, update
from standin.errors import Rejected, not_found
from standin.statements import queries
from standin.web.call import Call, Reply, created
from standin.web.granted import place_of
from standin.web.models import Resource
from standin.web.refusals import bad_request
from standin.web.resources import ARTIFACT, fetch_page


class SentArtifact(Resource, frozen=True, kw_only=True):
    """An artifact as clients send it; its content follows."""

    filename: Annotated[str, Meta(min_length=1, max_length=200)]
    server_task_id: str | None = None
    log_correlation_id: str | None = None


async def list_artifacts(call: Call) -> Any:
    """List a space's artifacts, newest first."""
    query = call.query
    filters = {
        "space": call.space,
        "ids": query.many("ids"),
        "concerns": query.many("regarding"),
        "partial_file": query.text("partialname"),
    }
    return await fetch_page(call, ARTIFACT, filters, _show)


async def read_artifact(call: Call) -> Any:
    """Return one artifact."""
    return _show(await _artifact_of(call, call.state.pool))


async def create_artifact(call: Call) -> Reply:
    """Create an artifact without content; it is found by its task and what that is about."""
    sent = await call.read(SentArtifact)
    _check(sent.filename)
    async with call.begin() as work:
        related = await _related(work.conn, sent.server_task_id, call.space) if sent.server_task_id else []
        call.check({**place_of(related), "SpaceId": call.space})
        artifact: Document = {
            "Id": await work.keys.next(kinds.ARTIFACT),
            "SpaceId": call.space,
            "Filename": sent.filename,
            "Created": work.now,
            "ServerTaskId": sent.server_task_id,
            "RelatedDocumentIds": related,
            "LogCorrelationId": sent.log_correlation_id,
            "Source": None,
            "File": "",
        }
        await insert(work.conn, kinds.ARTIFACT, artifact)
        await events.created(work, artifact, f"Artifact {sent.filename}")
    return created(_show(await get(call.state.pool, kinds.ARTIFACT, artifact["Id"])))


async def modify_artifact(call: Call) -> Any:
    """Give an artifact another name."""
    sent = await call.read(SentArtifact)
    _check(sent.filename)
    async with call.begin() as work:
        artifact = {**await _artifact_of(call, work.conn), "Filename": sent.filename}
        await update(work.conn, kinds.ARTIFACT, artifact)
        await events.modified(work, artifact, f"Artifact {sent.filename}")
    return _show(artifact)


async def delete_artifact(call: Call) -> Any:
    """Delete an artifact with its content."""
    async with call.begin() as work:
        artifact = await _artifact_of(call, work.conn)
        await delete(work.conn, kinds.ARTIFACT, artifact["Id"])
        await events.deleted(work, artifact, f"Artifact {artifact['Filename']}")
    await _forget(call, artifact)
    return _show(artifact)


async def put_content(call: Call) -> Any:
    """Take the content of an artifact, however large; what it had before goes."""
    before = await _artifact_of(call, call.state.pool)
    stored = await call.state.home.artifacts.write(call.space, "", call.stream())
    try:
        async with call.begin() as work:
            artifact = {**await _artifact_of(call, work.conn), "File": stored.file}
            await update(work.conn, kinds.ARTIFACT, artifact)
            await events.modified(work, artifact, f"Artifact {artifact['Filename']}")
    except BaseException:
        await call.state.home.artifacts.forget(call.space, stored.file)
        raise
    await _forget(call, before)
    return _show(artifact)


async def read_content(call: Call) -> Reply:
    """Return the content of an artifact; 204 while it has none."""
    artifact = await _artifact_of(call, call.state.pool)
    if not artifact["File"]:
        return Reply(b"", 204)
    path = call.state.home.artifacts.path(call.space, artifact["File"])
    return Reply(path, media_type="application/octet-stream")


async def _forget(call: Call, artifact: Document) -> None:
    if artifact["File"]:
        await call.state.home.artifacts.forget(call.space, artifact["File"])


async def _artifact_of(call: Call, conn: Any) -> Document:
    artifact = await get(conn, kinds.ARTIFACT, call.id)
    if artifact["SpaceId"] != call.space:
        raise not_found(call.id)
    call.check({**place_of(artifact["RelatedDocumentIds"]), "SpaceId": call.space})
    return artifact


async def _related(conn: Any, task_id: str, space: str) -> list[str]:
    """Return the ids under which what belongs to a task is found."""
    try:
        task = await get(conn, kinds.TASK, task_id)
    except Rejected as exc:
        raise bad_request(f"There is no task '{task_id[:100]}' in this space.") from exc
    if task["SpaceId"] != space:
        raise bad_request(f"There is no task '{task_id[:100]}' in this space.")
    found = await conn.fetchval(queries("interruptions")["related"], task_id)
    return [one for one in found if one]


def _check(name: str) -> None:
    if "/" in name or "\\" in name:
        raise bad_request("Please provide a filename (without path information) for the artifact.")


def _show(document: Document) -> Document:
    return ARTIFACT.show(
        {name: value for name, value in document.items() if name not in {"File", "RelatedDocumentIds"}}
    )
