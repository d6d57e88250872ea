"""Server tasks and events: in a space, or across all of them (octopus-api §A.14, §A.20)."""

from standin.web import commands
from standin.web.endpoints import events, tasks
from standin.web.routing import LIST, Scope, Table

anywhere = Table(Scope.MIXED)
server = Table(Scope.SYSTEM)
TASKS = (
    f"{LIST} name node project runbook environment tenant tenantTag batch states active running "
    "hasPendingInterruptions hasPendingPreconditions "
    "hasWarningsOrErrors description fromQueueDate toQueueDate fromStartDate toStartDate fromCompletedDate "
    "toCompletedDate spaces includeSystem"
)
EVENTS = (
    "skip take ids regarding regardingAny user users projects projectGroups environments tenants eventGroups "
    "eventCategories eventAgents documentTypes from to fromAutoId toAutoId spaces includeSystem "
    "tags internal includeInternalEvents asCsv excludeDifference"
)

ROUTES = (
    anywhere.get("tasks", tasks.list_tasks, TASKS),
    anywhere.create("tasks", tasks.create_task, commands.CreateTask),
    anywhere.get("tasks/tasktypes", tasks.task_types),
    anywhere.post("tasks/rerun/{id}", tasks.rerun_task),
    anywhere.get("tasks/{id}", tasks.read_task),
    anywhere.get("tasks/{id}/details", tasks.read_details, "verbose tail ranges"),
    anywhere.get("tasks/{id}/raw", tasks.read_raw),
    anywhere.get("tasks/{id}/queued-behind", tasks.queued_behind, "skip take"),
    anywhere.get("tasks/{id}/blockedby", tasks.blocked_by, "skip take"),
    anywhere.get("tasks/{id}/status/messages", tasks.status_messages),
    anywhere.post("tasks/{id}/abandon", tasks.abandon_task),
    anywhere.post("tasks/{id}/cancel", tasks.cancel_task),
    anywhere.post("tasks/{id}/state", tasks.set_state, commands.SetState),
    anywhere.post("tasks/{id}/prioritize", tasks.prioritize_task),
    anywhere.get("events", events.list_events, EVENTS),
    anywhere.get("events/agents", events.list_agents),
    anywhere.get("events/categories", events.list_categories, "appliesTo"),
    anywhere.get("events/groups", events.list_groups, "appliesTo"),
    anywhere.get("events/documenttypes", events.list_document_types),
    server.get("events/archives", events.list_archives, "skip take"),
    server.delete("events/archives/{fileName}", events.delete_archive),
    anywhere.get("events/{id}", events.read_event),
)
