"""Reports on the history of deployments, which outlives the deployments (octopus-api §A.19)."""

import re
from datetime import date, datetime, timedelta
from typing import Any
from xml.sax.saxutils import escape

from standin.documents import Document, time_text
from standin.statements import queries
from standin.web.call import Call, Reply
from standin.web.refusals import bad_request

#: characters that XML cannot hold
_ILLEGAL = re.compile("[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\ufffe\\uffff]")
#: columns of the history → elements of the XML feed
_ELEMENTS = {
    "deploymentid": "DeploymentId",
    "deploymentname": "DeploymentName",
    "projectid": "ProjectId",
    "projectname": "ProjectName",
    "environmentid": "EnvironmentId",
    "environmentname": "EnvironmentName",
    "releaseid": "ReleaseId",
    "releaseversion": "ReleaseVersion",
    "taskid": "TaskId",
    "taskstate": "TaskState",
    "channelid": "ChannelId",
    "tenantid": "TenantId",
    "created": "Created",
    "queuetime": "QueueTime",
    "starttime": "StartTime",
    "completedtime": "CompletedTime",
    "durationseconds": "DurationSeconds",
    "deployedby": "DeployedBy",
}


async def count_by_week(call: Call) -> Any:
    """Count the deployments of projects by the week in which they were created, weeks without any included."""
    projects = call.query.many("projectids")
    if not projects:
        raise bad_request("The ids of the projects to report on must be given: projectIds.")
    rows = await call.state.pool.fetch(queries("web/reporting")["by_week"], call.space, projects)
    counts: dict[str, dict[date, int]] = {project: {} for project in projects}
    for row in rows:
        counts[row["projectid"]][row["week"]] = row["number"]
    return [_report(project, weeks) for project, weeks in counts.items()]


async def deployments_xml(call: Call) -> Reply:
    """Return the history of deployments as the feed that spreadsheets read."""
    query = call.query
    rows = await call.state.pool.fetch(
        queries("web/reporting")["history"],
        call.space,
        query.time("fromcompletedtime"),
        query.time("tocompletedtime"),
        query.many("projectid", "projectids"),
        query.many("environmentid", "environmentids"),
    )
    body = "".join(_element(row) for row in rows)
    return Reply(
        f'<?xml version="1.0" encoding="utf-8"?>\n<Deployments>\n{body}</Deployments>\n',
        media_type="text/xml; charset=utf-8",
    )


def _report(project: str, weeks: dict[date, int]) -> Document:
    first, last = (min(weeks), max(weeks)) if weeks else (None, None)
    days = [first + timedelta(days=n) for n in range(0, (last - first).days + 1, 7)] if first and last else []
    series = [{"Label": "Deployments", "Data": [weeks.get(day, 0) for day in days]}]
    data = {"Labels": [day.isoformat() for day in days], "Series": series}
    return {"Id": project, "ProjectId": project, "ReportData": data, "Links": {}}


def _element(row: Any) -> str:
    parts = []
    for column, name in _ELEMENTS.items():
        value = row[column]
        if value is not None:
            text = time_text(value) if isinstance(value, datetime) else _ILLEGAL.sub("", str(value))
            parts.append(f"    <{name}>{escape(text)}</{name}>\n")
    return f"  <Deployment>\n{''.join(parts)}  </Deployment>\n"
