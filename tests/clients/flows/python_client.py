"""Drives octopus-python-client from PyPI: a project, a release, its deployment, the space as files."""

import json
import os
import time
from pathlib import Path
from typing import Any
from unittest.mock import patch

import requests

# When imported, the client asks a registry for its newest version; it hears that there is none.
with patch.object(requests, "get", return_value=requests.Response()):
    from octopus_python_client.common import Common, inside_space_download_types, outer_space_download_types
    from octopus_python_client.config import Config
    from octopus_python_client.deployment_processes import DeploymentProcesses
    from octopus_python_client.projects import Projects
    from octopus_python_client.release_deployment import ReleaseDeployment


def connect() -> tuple[Config, Common]:
    """Return the client, in the space."""
    config = Config()
    config.endpoint = os.environ["OCTOPUS_URL"] + "/api/"
    config.api_key = os.environ["OCTOPUS_API_KEY"]
    config.user_name = config.password = ""
    config.data_path, config.overwrite, config.no_stdout = str(Path.cwd()), True, False
    common = Common(config=config)
    config.space_id = common.verify_space(space_id_name=os.environ["OCTOPUS_SPACE"])
    return config, common


def fill(common: Common) -> dict[str, Any]:
    """Make an environment, a tenant, a package and a project that uses it; return what was wanted of the project."""
    feed = common.get_list_from_one_type(item_type="feeds")[0]
    common.post_package("Acme.Web.1.0.0.zip", b"old")
    common.post_package("Acme.Web.1.2.0.zip", b"new")
    street = common.post_single_item_save("environments", {"Name": "Street"})
    lifecycle = common.get_list_from_one_type(item_type="lifecycles")[0]
    group = common.post_single_item_save("projectgroups", {"Name": "Shops"})
    wanted = {"Name": "Web Shop", "ProjectGroupId": group["Id"], "LifecycleId": lifecycle["Id"]}
    project = common.post_single_item_save("projects", {**wanted, "TenantedDeploymentMode": "TenantedOrUntenanted"})
    common.post_single_item_save("tenants", {"Name": "Corner", "ProjectEnvironments": {project["Id"]: [street["Id"]]}})
    process = common.get_child_item("Web Shop", "projects", "DeploymentProcessId", "deploymentprocesses")
    process["Steps"] = [step("Greet", feed["Id"])]
    common.put_child_item_save("Web Shop", "deploymentprocesses", process)
    variables = common.get_or_delete_single_item_by_id("variables", project["VariableSetId"])
    variables["Variables"] = [{"Name": "Greeting", "Value": "good day", "Scope": {}}]
    common.put_single_item("variables", variables)
    return wanted


def step(name: str, feed: str) -> dict[str, Any]:
    """Return a script step with a package."""
    properties = {
        "Octopus.Action.RunOnServer": "true",
        "Octopus.Action.Script.ScriptSource": "Inline",
        "Octopus.Action.Script.Syntax": "Bash",
        "Octopus.Action.Script.ScriptBody": "echo '#{Greeting}, #{Octopus.Deployment.Tenant.Name}'",
    }
    package = {"Id": "", "Name": "", "PackageId": "Acme.Web", "FeedId": feed, "AcquisitionLocation": "Server"}
    action = {"Name": name, "ActionType": "Octopus.Script", "Packages": [package], "Properties": properties}
    return {"Id": "", "Name": name, "Actions": [action]}


def wait(common: Common, task: str) -> str:
    """Wait for a task; the client itself takes a task that is still in the queue for one that has ended."""
    for _ in range(50):
        state = str(common.wait_task(task_id=task, time_limit_second=60))
        if state != "Queued":
            break
        time.sleep(0.2)
    return state


def download(common: Common) -> dict[str, str]:
    """Download all that the client knows of in the space and outside of it; return what it could not get."""
    refused: dict[str, str] = {}
    for types, space in ((inside_space_download_types, common.config.space_id), (outer_space_download_types, None)):
        common.config.space_id = space
        for one in types:
            said: list[str] = []
            with patch.object(common, "log_error_print", lambda msg, said=said, **_: said.append(str(msg))):
                try:
                    common.get_one_type_save(item_type=one)
                except ValueError as error:
                    said.append(str(error))
            if messages := [message for message in said if "logo" not in message]:
                refused[one] = messages[0]
    return refused


def main() -> None:
    """Do all of it, and say what the client returned."""
    config, common = connect()
    wanted = fill(common)
    DeploymentProcesses(config).clone_process_step("Web Shop", step_name="Greet again", base_step_name="Greet")
    release = ReleaseDeployment.create_release_direct(config, release_version=None, project_name="Web Shop")
    deployment = release.create_deployment_for_current_release(
        config, environment_name="Street", tenant_name="Corner", comments="by others"
    )
    state = wait(common, deployment["TaskId"])
    clone = "made"
    try:
        Projects(config).clone_project(project_literal_name="Second Shop", base_project_name="Web Shop")
    except ValueError as error:
        clone = str(error)
    common.post_single_item_save("projects", {**wanted, "Name": "Second Shop"})
    DeploymentProcesses(config).clone_deployment_process("Second Shop", base_project_name="Web Shop")
    said = {
        "space": config.space_id,
        "release": release.release_response,
        "deployment": deployment,
        "state": state,
        "clone": clone,
        "template": common.get_deployment_information(release_id=release.release_id),
        "package": common.get_package("packages-Acme.Web.1.2.0").decode(),
        "history": [one["Version"] for one in common.get_package_history_list_by_name("Acme.Web")],
        "releases": [one["Version"] for one in common.get_project_releases_sorted_list(deployment["ProjectId"])],
    }
    print(json.dumps({**said, "refused": download(common)}))


if __name__ == "__main__":
    main()
