"""Rows of a loaded history: what each resource leaves behind, and in which order."""

import msgspec
import pytest

from standin import events, kinds, stream
from standin.documents import DocumentType
from standin.eventrows import ADMIN
from standin.rows import Rows
from standin.work import SERVER

pytestmark = pytest.mark.unit

HEADER = stream.Header(stream.FORMAT, 1, until=1_000_000.0, history=stream.Settings(age_days=10))
SETTINGS: list[stream.Resource] = [
    stream.Space("s", "Shop"),
    stream.Environment("dev", "s", "Dev"),
    stream.Lifecycle("l", "s", "Life", [stream.Phase("Dev", ["dev"])], keep=3),
    stream.ProjectGroup("g", "s", "Group"),
    stream.Machine("m", "s", "web1", ["dev"], ["web"]),
    stream.Project("p", "s", "Web", "g", "l"),
    stream.Process("p", "s", [stream.Step("Deploy", "Bash", "true")]),
    stream.Tenant("t", "s", "Acme", {"p": ["dev"]}),
    stream.Release("r", "s", "p", "1.0.0", -5000.0),
]


def deployment(
    key: str, queued: float, started: float, completed: float, outcome: str = "Success"
) -> stream.Deployment:
    return stream.Deployment(key, "s", "r", "p", "dev", queued, started, completed, outcome)


def loaded(*resources: stream.Resource) -> Rows:
    rows = Rows(HEADER, {"Spaces": 1, "Events": 1}, "OctopusServerNodes-node-1")
    for resource in (*SETTINGS, *resources):
        rows.add(resource)
    rows.finish()
    return rows


def documents(rows: Rows, kind: DocumentType) -> list[dict[str, object]]:
    """Read rows back as the server does."""
    names = ["id", *(name.lower() for name in kind.columns), "json"]
    skip = 1 if kind is kinds.EVENT else 0
    return [kind.read(dict(zip(names, row[skip:], strict=True))) for row in rows.tables[kind.table.lower()]]


def test_events_come_in_the_order_of_their_times() -> None:
    """The events of a long deployment stand between those of later ones, and running numbers follow the time."""
    rows = loaded(deployment("1", -4000, -3990, -1000), deployment("2", -3000, -2000, -1500, "Failed"))
    told = [(row[0], row[10].timestamp() - 1e6, row[7]) for row in rows.tables["event"] if row[7] != events.CREATED]
    assert [(when, category) for _, when, category in told] == [
        (-4000, events.DEPLOYMENT_QUEUED),
        (-3990, events.DEPLOYMENT_STARTED),
        (-3000, events.DEPLOYMENT_QUEUED),
        (-2000, events.DEPLOYMENT_STARTED),
        (-1500, events.DEPLOYMENT_FAILED),
        (-1000, events.DEPLOYMENT_SUCCEEDED),
    ]
    assert [number for number, *_ in told] == sorted(number for number, *_ in told)


def test_a_deployment_leaves_all_that_a_live_one_leaves() -> None:
    """One task, one row a target, three events, each found under six documents."""
    rows = loaded(deployment("1", -4000, -3990, -3900, "Failed"))
    [task] = documents(rows, kinds.TASK)
    assert (task["State"], task["DurationSeconds"], task["ConcurrencyTag"]) == (
        "Failed",
        90,
        "Projects-1/Environments-1",
    )
    assert rows.tables["deploymentrelatedmachine"] == [("Deployments-1", "Machines-1")]
    told = [document for document in documents(rows, kinds.EVENT) if document["Category"] != events.CREATED]
    ids = ["Deployments-1", "Projects-1", "Releases-1", "Environments-1", "ServerTasks-1", "Channels-1"]
    assert [document["RelatedDocumentIds"] for document in told] == [ids] * 3


def test_a_retold_event_is_the_event_that_the_server_would_have_written() -> None:
    """Started and ended events, made from the queued one for speed, equal those made from scratch."""
    rows = loaded(deployment("1", -4000, -3990, -3900))
    queued, started = [row for row in rows.tables["event"] if row[7] in ("DeploymentQueued", "DeploymentStarted")]
    for row, actor, category in (
        (queued, ADMIN, events.DEPLOYMENT_QUEUED),
        (started, SERVER, events.DEPLOYMENT_STARTED),
    ):
        message, words = events.deployment_message(category, "Web", "1.0.0", "Dev", None)
        expected = events.event_document(
            row[1],
            category,
            message,
            ["Deployments-1", "Projects-1", "Releases-1", "Environments-1", "ServerTasks-1", "Channels-1"],
            row[10],
            actor=actor,
            space="Spaces-2",
            project="Projects-1",
            environment="Environments-1",
            references=list(zip(["Projects-1", "Releases-1", "Environments-1"], words, strict=False)),
        )
        assert row[1:] == kinds.EVENT.row(expected)


def test_every_setting_leaves_the_event_of_its_creation() -> None:
    """Space, environment, lifecycle, group, machine, project, tenant and release, in their order, at the beginning."""
    told = [document for document in documents(loaded(), kinds.EVENT) if document["Category"] == events.CREATED]
    kinds_told = [str(document["RelatedDocumentIds"][0]).partition("-")[0] for document in told]  # type: ignore[index]
    assert kinds_told == [
        "Spaces",
        "Environments",
        "Lifecycles",
        "ProjectGroups",
        "Machines",
        "Projects",
        "Tenants",
        "Releases",
    ]


def test_who_may_see_a_project_an_environment_or_a_tenant_only_sees_its_creation() -> None:
    """The event of a creation belongs to the place that was created, as one that the server writes does."""
    told = [document for document in documents(loaded(), kinds.EVENT) if document["Category"] == events.CREATED]
    for name, prefix in (("ProjectId", "Projects-"), ("EnvironmentId", "Environments-"), ("TenantId", "Tenants-")):
        found = [one[name] for one in told if str(one["RelatedDocumentIds"][0]).startswith(prefix)]  # type: ignore[index]
        assert found == [f"{prefix}1"]


def test_ids_go_on_from_those_that_are_taken() -> None:
    """Spaces-1 exists before the load, and what the allocator is told at the end covers all ids given."""
    rows = loaded(deployment("1", -4000, -3990, -3900))
    assert rows.tables["space"][0][0] == "Spaces-2"
    assert rows.allocated["Deployments"] == 1
    assert rows.allocated["Events"] == 1 + len(rows.tables["event"])


def test_a_mapped_column_is_never_repeated_in_json() -> None:
    """A document is its columns and the rest; nothing stands in both."""
    rows = loaded(deployment("1", -4000, -3990, -3900))
    for kind in (kinds.RELEASE, kinds.DEPLOYMENT, kinds.TASK, kinds.PROJECT, kinds.EVENT):
        for row in rows.tables[kind.table.lower()]:
            assert not set(msgspec.json.decode(row[-1])) & {"Id", "Links", *kind.columns}
