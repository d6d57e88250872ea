"""Drives octopus-deploy-swagger-client from PyPI, which was generated from a real server's document.

That document leaves out the bodies of some operations; for these the client's general call is used.
"""

import json
import os
import time
from typing import Any

import octopus_deploy_swagger_client as octopus
from octopus_deploy_swagger_client import models

SPACE = os.environ["OCTOPUS_SPACE"]
KEY = os.environ["OCTOPUS_API_KEY"]


def connect() -> octopus.ApiClient:
    """Return the client."""
    configuration = octopus.Configuration()
    configuration.host = os.environ["OCTOPUS_URL"]
    configuration.api_key["X-Octopus-ApiKey"] = KEY
    return octopus.ApiClient(configuration)


class Client:
    """The client in one space; operations are found by what their long names begin with."""

    def __init__(self, client: octopus.ApiClient, space: str) -> None:
        self.client, self.space = client, space

    def call(self, api: str, start: str, *words: str, **options: Any) -> Any:
        """Call an operation of an API in the space: the one whose name begins so, or contains it."""
        group = getattr(octopus, f"{api}Api")(self.client)
        names = [name for name in dir(group) if name.endswith("_spaces") and "http_info" not in name and start in name]
        first = min(names, key=lambda name: (not name.startswith(start), len(name)))
        return getattr(group, first)(self.space, *words, **options)

    def send(self, method: str, path: str, body: Any, answer: str) -> Any:
        """Call what the document describes without its body."""
        return self.client.call_api(
            f"/api/{self.space}/{path}",
            method,
            header_params={"Accept": "application/json", "Content-Type": "application/json"},
            body=body,
            response_type=answer,
            auth_settings=["APIKeyHeader"],
            _return_http_data_only=True,
        )

    def read(self, api: str, start: str, *words: str) -> Any:
        """Call an operation whose answer the document does not describe; return it as JSON."""
        self.call(api, start, *words)
        return json.loads(self.client.last_response.data)

    def wait(self, task: str) -> Any:
        """Wait until a task has ended."""
        for _ in range(300):
            found = self.call("Tasks", "load_response", task)
            if found.is_completed:
                break
            time.sleep(0.2)
        return found


def step(name: str, body: str) -> dict[str, Any]:
    """Return a script step; the document describes its properties as objects, which no server takes."""
    properties = {
        "Octopus.Action.RunOnServer": "true",
        "Octopus.Action.Script.ScriptSource": "Inline",
        "Octopus.Action.Script.Syntax": "Bash",
        "Octopus.Action.Script.ScriptBody": body,
    }
    action = {"Name": name, "ActionType": "Octopus.Script", "Properties": properties}
    return {"Name": name, "Condition": "Success", "StartTrigger": "StartAfterPrevious", "Actions": [action]}


def configure(client: Client) -> tuple[Any, Any]:
    """Make what a project needs, and the project."""
    named = models.EnvironmentResource(name="Street", use_guided_failure=False)
    street = client.call("Environments", "create_response", environment_resource=named)
    phase = models.PhaseResource(name="First", optional_deployment_targets=[street.id], is_optional_phase=False)
    keep = models.RetentionPeriod(unit="Items", quantity_to_keep=3)
    straight = models.LifecycleResource(name="Straight", phases=[phase], release_retention_policy=keep)
    lifecycle = client.call("Lifecycles", "create_response", lifecycle_resource=straight)
    shops = models.ProjectGroupResource(name="Shops")
    group = client.call("ProjectGroups", "create_response", project_group_resource=shops)
    wanted = models.ProjectResource(name="Web Shop", project_group_id=group.id, lifecycle_id=lifecycle.id)
    project = client.call("Projects", "create_response", project_resource=wanted)
    variables = client.call("Variables", "load_response", project.variable_set_id)
    variables.variables = [models.VariableResource(name="Greeting", value="good evening", type="String")]
    client.send("PUT", f"variables/{variables.id}", variables, "VariableSetResource")
    process = client.call("DeploymentProcesses", "load_response", project.deployment_process_id)
    steps = {
        "Id": process.id,
        "ProjectId": project.id,
        "Version": process.version,
        "Steps": [step("Greet", "echo #{Greeting}")],
    }
    client.send("PUT", f"deploymentprocesses/{process.id}", steps, "DeploymentProcessResource")
    return project, street


def main() -> None:
    """Do all of it, and say what the client returned."""
    connection = connect()
    root = octopus.HomeApi(connection).custom_action_response_descriptor_octopus_server_web_api_actions_home_responder()
    spaces = octopus.SpacesApi(connection).list_all_response_descriptor_spaces_space_space_resource()
    client = Client(connection, next(one.id for one in spaces if one.name == SPACE))
    project, street = configure(client)
    first = models.ReleaseResource(project_id=project.id, version="1.0.0", release_notes="First")
    release = client.call("Releases", "create_response", release_resource=first)
    wanted = models.DeploymentResource(release_id=release.id, environment_id=street.id, comments="by others")
    deployment = client.send("POST", "deployments", wanted, "DeploymentResource")
    task = client.wait(deployment.task_id)
    details = client.call("Tasks", "task_details", task.id)
    client.call("Tasks", "task_raw", task.id)
    raw = connection.last_response.data
    tasks = client.call("Tasks", "list_tasks")
    events = client.read("Events", "list_events_responder")
    progression = client.call("Progression", "progression_view", project.id)
    dashboard = client.call("Dashboards", "dashboard_view")
    again = client.call("Projects", "modify_response", project.id, project_resource=project)
    projects = client.call("Projects", "index_response", skip=0, take=1)
    times = [task.queue_time, task.start_time, task.completed_time]
    said = {
        "application": root.application,
        "space": client.space,
        "project": [project.id, project.slug, again.id],
        "page": [projects.total_results, projects.items_per_page, [one.name for one in projects.items]],
        "release": [release.id, release.version, release.assembled.isoformat()],
        "deployment": [deployment.id, deployment.release_id, deployment.task_id],
        "task": [task.state, task.finished_successfully, times == sorted(times)],
        "steps": [one.name for one in details.activity_logs[0].children],
        "raw": raw,
        "tasks": [one.id for one in tasks.items],
        "events": sorted({event["Category"] for event in events["Items"]}),
        "progression": [one.release.version for one in progression.releases],
        "dashboard": [[one.release_version, one.state] for one in dashboard.items],
    }
    print(json.dumps(said))


if __name__ == "__main__":
    main()
