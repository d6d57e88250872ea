"""The running stand-in as tests see it: its process, and a client that builds things in it."""

import contextlib
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
import pytest

#: seconds that the stand-in gets to make a database and come up
PATIENCE = 60.0
Document = dict[str, Any]
T = TypeVar("T")

ENDED = {"Success", "Failed", "Canceled", "TimedOut"}


@dataclass(frozen=True, slots=True)
class Octopus:
    """A client of one space, or of the whole server; each call must succeed unless a status is expected."""

    #: the connection, based at `/api`
    http: httpx.Client
    #: path of the space below `/api`, "" for the whole server
    home: str = ""

    def call(self, method: str, path: str, body: Any = None, status: int = 200, **options: Any) -> Any:
        """Send a request and return the JSON of the answer."""
        answer = self.http.request(method, f"/api{self.home}{path}", json=body, **options)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text[:500]}"
        return answer.json()

    def get(self, path: str, status: int = 200, **query: Any) -> Any:
        """Read something."""
        return self.call("GET", path, status=status, params=query)

    def post(self, path: str, body: Any, status: int = 201) -> Any:
        """Create something."""
        return self.call("POST", path, body, status)

    def put(self, path: str, body: Any, status: int = 200) -> Any:
        """Replace something."""
        return self.call("PUT", path, body, status)

    def delete(self, path: str, status: int = 200) -> Any:
        """Delete something."""
        return self.call("DELETE", path, status=status)

    def environment(self, name: str) -> str:
        """Create an environment; return its id."""
        return str(self.post("/environments", {"Name": name})["Id"])

    def project(self, name: str, lifecycle: str, script: str = "echo hello") -> Document:
        """Create a project whose process has one script step."""
        group = self.get("/projectgroups/all")[0]["Id"]
        project: Document = self.post("/projects", {"Name": name, "ProjectGroupId": group, "LifecycleId": lifecycle})
        self.rewrite(project, step("Say hello", script))
        return project

    def rewrite(self, project: Document, *steps: Document) -> None:
        """Replace the steps of a project's process."""
        process = self.get(f"/deploymentprocesses/{project['DeploymentProcessId']}")
        self.put(f"/deploymentprocesses/{process['Id']}", {**process, "Steps": list(steps)})

    def release(self, project: Document, version: str) -> Document:
        """Create a release."""
        created: Document = self.post("/releases", {"ProjectId": project["Id"], "Version": version})
        return created

    def deploy(self, release: Document, environment: str) -> Document:
        """Deploy a release and wait until it has succeeded."""
        deployment: Document = self.post("/deployments", {"ReleaseId": release["Id"], "EnvironmentId": environment})
        task = self.wait(deployment["TaskId"])
        assert task["State"] == "Success", task["ErrorMessage"]
        return deployment

    def wait(self, task: str) -> Document:
        """Wait until a task has ended."""
        return until(lambda: self.get(f"/tasks/{task}"), lambda one: one["State"] in ENDED)


#: A space, a project in it, and the ids of its environments.
Shop = tuple[Octopus, Document, list[str]]


def step(name: str, script: str) -> Document:
    """Return a step that runs a script on the server."""
    properties = {
        "Octopus.Action.RunOnServer": "true",
        "Octopus.Action.Script.ScriptSource": "Inline",
        "Octopus.Action.Script.Syntax": "Bash",
        "Octopus.Action.Script.ScriptBody": script,
    }
    return {"Name": name, "Actions": [{"Name": name, "ActionType": "Octopus.Script", "Properties": properties}]}


def user(server: Octopus, name: str, **more: Any) -> Document:
    """Create a user."""
    created: Document = server.post("/users", {"Username": name, "DisplayName": name.title(), **more})
    return created


def key_of(server: Octopus, owner: Document, **more: Any) -> str:
    """Create an API key; return it."""
    created = server.post(f"/users/{owner['Id']}/apikeys", {"Purpose": "test", **more})
    return str(created["ApiKey"])


def until(look: Callable[[], T], done: Callable[[T], bool], within: float = 30.0) -> T:
    """Look until it is done, or fail at the deadline."""
    deadline = time.monotonic() + within
    while not done(found := look()):
        assert time.monotonic() < deadline, f"not done within {within} s: {found}"
        time.sleep(0.02)
    return found


@dataclass(frozen=True, slots=True)
class StandIn:
    """A stand-in that answers."""

    #: address of its first node, without a slash at the end
    url: str
    #: the administrator's API key
    api_key: str
    #: id of the process that serves
    pid: int

    @property
    def headers(self) -> dict[str, str]:
        """The header that a request needs."""
        return {"X-Octopus-ApiKey": self.api_key}


@contextlib.contextmanager
def fresh_standin() -> Iterator[StandIn]:
    """Serve a fresh instance, Octopus' timers a hundred times faster, and end all its processes afterwards."""
    environment = {**os.environ, "OCTOLOAD_PARENT": str(os.getpid()), "OCTOLOAD_STANDIN_KEY": "API-CONTRACTTESTS"}
    command = [sys.executable, "-m", "standin", "--port", "0", "--time-scale", "100"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        words = first_words(process).split()
        yield StandIn(words[1], words[3], process.pid)
    finally:
        end(process)


def first_words(process: subprocess.Popen[str]) -> str:
    """Return the line in which the stand-in says that it is ready."""
    assert process.stdout is not None
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=lambda: lines.put(process.stdout.readline()), daemon=True).start()
    try:
        line = lines.get(timeout=PATIENCE)
    except queue.Empty:
        pytest.fail(f"the stand-in did not come up within {PATIENCE:.0f} s")
    assert line.startswith("ready: "), f"the stand-in said {line!r} instead of where it serves"
    return line


def end(process: subprocess.Popen[str]) -> None:
    """End the stand-in, which ends its nodes and its database; insist when it does not."""
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
