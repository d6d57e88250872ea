"""Events: the audit trail, which only grows; written in the transaction of what they tell about."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from standin.documents import Document, insert
from standin.kinds import EVENT
from standin.statements import queries
from standin.work import SERVER, Actor, Work

CREATED = "Created"
MODIFIED = "Modified"
DELETED = "Deleted"
DEPLOYMENT_QUEUED = "DeploymentQueued"
DEPLOYMENT_STARTED = "DeploymentStarted"
DEPLOYMENT_RESUMED = "DeploymentResumed"
DEPLOYMENT_SUCCEEDED = "DeploymentSucceeded"
DEPLOYMENT_FAILED = "DeploymentFailed"
DEPLOYMENT_CANCELED = "DeploymentCanceled"
RUNBOOK_RUN_QUEUED = "RunbookRunQueued"
RUNBOOK_RUN_STARTED = "RunbookRunStarted"
RUNBOOK_RUN_SUCCEEDED = "RunbookRunSucceeded"
RUNBOOK_RUN_FAILED = "RunbookRunFailed"
RUNBOOK_RUN_CANCELED = "RunbookRunCanceled"
MANUAL_INTERVENTION_RAISED = "ManualInterventionInterruptionRaised"
MANUAL_INTERVENTION_SUBMITTED = "ManualInterventionInterruptionSubmitted"
GUIDED_FAILURE_RAISED = "GuidedFailureInterruptionRaised"
GUIDED_FAILURE_SUBMITTED = "GuidedFailureInterruptionSubmitted"
MACHINE_HEALTHY = "MachineHealthy"
MACHINE_DISABLED = "MachineDisabled"
MACHINE_ENABLED = "MachineEnabled"
LOGIN_SUCCEEDED = "LoginSucceeded"
LOGIN_FAILED = "LoginFailed"
RATE_LIMITED = "RateLimitExceeded"

#: Members that say what a document belongs to.
OWNERS = ("ProjectId", "ReleaseId", "RunbookId", "EnvironmentId", "TenantId")

#: Category id → its name on the events page (octopus-api §A.20).
CATEGORIES = {
    CREATED: "Document created",
    MODIFIED: "Document modified",
    DELETED: "Document deleted",
    DEPLOYMENT_QUEUED: "Deployment queued",
    DEPLOYMENT_STARTED: "Deployment started",
    DEPLOYMENT_RESUMED: "Deployment resumed",
    DEPLOYMENT_SUCCEEDED: "Deployment succeeded",
    DEPLOYMENT_FAILED: "Deployment failed",
    DEPLOYMENT_CANCELED: "Deployment canceled",
    RUNBOOK_RUN_QUEUED: "Runbook run queued",
    RUNBOOK_RUN_STARTED: "Runbook run started",
    RUNBOOK_RUN_SUCCEEDED: "Runbook run succeeded",
    RUNBOOK_RUN_FAILED: "Runbook run failed",
    RUNBOOK_RUN_CANCELED: "Runbook run canceled",
    MANUAL_INTERVENTION_RAISED: "Manual intervention interruption raised",
    MANUAL_INTERVENTION_SUBMITTED: "Manual intervention interruption submitted",
    GUIDED_FAILURE_RAISED: "Guided failure interruption raised",
    GUIDED_FAILURE_SUBMITTED: "Guided failure interruption submitted",
    MACHINE_HEALTHY: "Machine found healthy",
    MACHINE_DISABLED: "Machine disabled",
    MACHINE_ENABLED: "Machine enabled",
    LOGIN_SUCCEEDED: "Login succeeded",
    LOGIN_FAILED: "Login failed",
    RATE_LIMITED: "Rate limit exceeded",
}

#: How the message of a deployment's or a run's event ends.
ENDINGS = {
    DEPLOYMENT_QUEUED: "was queued",
    DEPLOYMENT_STARTED: "started",
    DEPLOYMENT_RESUMED: "resumed",
    DEPLOYMENT_SUCCEEDED: "succeeded",
    DEPLOYMENT_FAILED: "failed",
    DEPLOYMENT_CANCELED: "was canceled",
    RUNBOOK_RUN_QUEUED: "was queued",
    RUNBOOK_RUN_STARTED: "started",
    RUNBOOK_RUN_SUCCEEDED: "succeeded",
    RUNBOOK_RUN_FAILED: "failed",
    RUNBOOK_RUN_CANCELED: "was canceled",
}

#: A document that a message names: its id, and the words that stand for it.
Reference = tuple[str, str]


async def record(
    work: Work,
    category: str,
    message: str,
    related: Sequence[str],
    *,
    space: str | None = None,
    project: str | None = None,
    environment: str | None = None,
    tenant: str | None = None,
    references: Sequence[Reference] = (),
    details: str | None = None,
    changes: Sequence[dict[str, Any]] | None = None,
) -> str:
    """Write one event and its look-up rows in the caller's transaction; return its id.

    `related` are the ids it is found by; `references` say which words of the message stand for which document;
    `changes` is the JSON patch of a modification.
    """
    event = event_document(
        await work.keys.next(EVENT),
        category,
        message,
        related,
        work.now,
        actor=work.actor,
        space=space,
        project=project,
        environment=environment,
        tenant=tenant,
        references=references,
        details=details,
        changes=changes,
    )
    await insert(work.conn, EVENT, event)
    await work.conn.execute(queries("events")["relate"], list(related), event["Id"])
    identifier: str = event["Id"]
    return identifier


def event_document(
    identifier: str,
    category: str,
    message: str,
    related: Sequence[str],
    occurred: datetime,
    *,
    actor: Actor = SERVER,
    space: str | None = None,
    project: str | None = None,
    environment: str | None = None,
    tenant: str | None = None,
    references: Sequence[Reference] = (),
    details: str | None = None,
    changes: Sequence[dict[str, Any]] | None = None,
) -> Document:
    """Return an event as a document (octopus-api §A.20)."""
    return {
        "Id": identifier,
        "SpaceId": space,
        "RelatedDocumentIds": related,
        "ProjectId": project,
        "EnvironmentId": environment,
        "TenantId": tenant,
        "Category": category,
        "UserId": actor.user_id,
        "Username": actor.username,
        "Occurred": occurred,
        "Message": message,
        **identity(actor),
        "MessageReferences": message_references(message, references),
        "Comments": None,
        "Details": details,
        "ChangeDetails": {"DocumentContext": None, "Differences": list(changes) if changes is not None else None},
        "IpAddress": actor.ip_address,
    }


def identity(actor: Actor) -> dict[str, Any]:
    """Return what an event says of its actor besides his name."""
    return {
        "IsService": actor is SERVER or actor.is_service,
        "IdentityEstablishedWith": actor.established_with,
        "UserAgent": actor.user_agent,
        "ApiKeyId": actor.api_key_id,
        "ApiKeyHint": actor.api_key_hint,
    }


def message_references(message: str, references: Sequence[Reference]) -> list[dict[str, Any]]:
    """Find where a message names its documents; in the order of the references, none twice."""
    found, start = [], 0
    for identifier, words in references:
        index = message.find(words, start)
        if index >= 0:
            found.append({"ReferencedDocumentId": identifier, "StartIndex": index, "Length": len(words)})
            start = index + len(words)
    return found


async def record_deployment(work: Work, category: str, deployment_id: str) -> str:
    """Record what happened to a deployment; found by deployment, project, release, environment, task and channel."""
    row = await work.conn.fetchrow(queries("events")["deployment_names"], deployment_id)
    message, references = deployment_message(
        category, row["project"], row["version"], row["environment"], row["tenant"]
    )
    ids = [deployment_id, row["projectid"], row["releaseid"], row["environmentid"], row["taskid"], row["channelid"]]
    ids += [row["tenantid"]] if row["tenantid"] else []
    named = (row["projectid"], row["releaseid"], row["environmentid"], row["tenantid"])
    return await record(
        work,
        category,
        message,
        ids,
        space=row["spaceid"],
        project=row["projectid"],
        environment=row["environmentid"],
        tenant=row["tenantid"],
        references=[(one, words) for one, words in zip(named, references, strict=True) if one],
    )


async def record_run(work: Work, category: str, run_id: str) -> str:
    """Record what happened to a runbook's run; found by run, runbook, snapshot, project, environment and task."""
    row = await work.conn.fetchrow(queries("events")["run_names"], run_id)
    whom = f" for {row['tenant']}" if row["tenant"] else ""
    place = f"in {row['environment']}{whom}"
    references = [(row["runbookid"], row["runbook"]), (row["runbooksnapshotid"], row["snapshot"])]
    references.append((row["environmentid"], row["environment"]))
    related = [run_id, row["projectid"], *(one for one, _ in references), row["taskid"]]
    if row["tenantid"]:
        references.append((row["tenantid"], row["tenant"]))
        related.append(row["tenantid"])
    return await record(
        work,
        category,
        f"Run of {row['runbook']} {row['snapshot']} {place} {ENDINGS[category]}",
        related,
        space=row["spaceid"],
        project=row["projectid"],
        environment=row["environmentid"],
        tenant=row["tenantid"],
        references=references,
    )


async def created(work: Work, document: Document, label: str) -> str:
    """Record that a document was created; `label` is how the message calls it: "Project Web"."""
    return await about(work, CREATED, document, label, f"{label} was created")


async def modified(work: Work, document: Document, label: str, changes: Sequence[dict[str, Any]] | None = None) -> str:
    """Record that a document was modified; `changes` is the JSON patch of what is different now."""
    return await about(work, MODIFIED, document, label, f"{label} was modified", changes=changes)


async def deleted(work: Work, document: Document, label: str) -> str:
    """Record that a document was deleted."""
    return await about(work, DELETED, document, label, f"{label} was deleted")


async def about(
    work: Work,
    category: str,
    document: Document,
    label: str,
    message: str,
    *,
    changes: Sequence[dict[str, Any]] | None = None,
) -> str:
    """Record an event about one document, its owners and its space."""
    project, environment, tenant = places_of(document)
    return await record(
        work,
        category,
        message,
        related_ids(document),
        space=document.get("SpaceId"),
        project=project,
        environment=environment,
        tenant=tenant,
        references=[(document["Id"], label)],
        changes=changes,
    )


def places_of(document: Document) -> tuple[str | None, str | None, str | None]:
    """Return the project, the environment and the tenant that a document belongs to, or is."""
    return _place(document, "Project"), _place(document, "Environment"), _place(document, "Tenant")


def _place(document: Document, what: str) -> str | None:
    is_one = document["Id"].startswith(f"{what}s-")
    return document["Id"] if is_one else document.get(f"{what}Id")


def related_ids(document: Document) -> list[str]:
    """Return the ids under which an event about a document is found: its own, and those of what it belongs to."""
    found = [document["Id"], *(document[name] for name in OWNERS if document.get(name))]
    return list(dict.fromkeys(found))


def deployment_message(
    category: str, project: str, version: str, environment: str, tenant: str | None
) -> tuple[str, tuple[str, str, str, str]]:
    """Return the message of a deployment's event, and the words in it for project, release, environment, tenant."""
    whom = f" for {tenant}" if tenant else ""
    message = f"Deployment of {project} release {version} to {environment}{whom} {ENDINGS[category]}"
    return message, (project, version, environment, tenant or "")
