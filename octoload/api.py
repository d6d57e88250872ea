"""The Octopus API: one sync client over httpx, with every foreign error turned into one of octoload's."""

import time
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Any, Self

import httpx
import msgspec

from octoload import access, refusals
from octoload.access import IDLE, Access
from octoload.errors import LostAnswerError, NotOctopusError, ServerError, UnreachableError

Progress = Callable[[int, int, str], None]
Heard = Callable[[float, float, Mapping[str, str]], None]

#: How often a busy server is asked again, and the longest wait before one of these times, in seconds.
_PATIENCE, _LONGEST_WAIT = 5, 60.0
#: Seconds between two looks at a task: at first, and at most.
_FIRST_LOOK, _LAST_LOOK = 0.1, 5.0
#: `serverstatus/counts` (octopus-api §A.22) by resource kind.
_COUNTS = {
    "space": ("Global", "Spaces"),
    "environment": ("Infrastructure", "Environments"),
    "machine": ("Infrastructure", "DeploymentTargets"),
    "tenant": ("Infrastructure", "Tenants"),
    "project": ("Project", "Projects"),
    "release": ("Project", "Releases"),
    "deployment": ("Project", "Deployments"),
    "runbook": ("Project", "Runbooks"),
    "runbook_run": ("Project", "RunbookRuns"),
    "user": ("Global", "Users"),
}


class Identity(msgspec.Struct, frozen=True):
    """What a server says of itself (octopus-api §B.6)."""

    application: str
    version: str
    installation: str


class _Routes:
    """The verbs, for a server and for one of its spaces alike."""

    def _send(self, method: str, path: str, body: Any = None, query: dict[str, Any] | None = None) -> Any:
        raise NotImplementedError

    def get(self, path: str, **query: Any) -> Any:
        """Return the document at a path; lists in `query` are joined by commas."""
        return self._send("GET", path, query=query)

    def post(self, path: str, body: Any = None) -> Any:
        """Create, or do, what a document says; return the answer."""
        return self._send("POST", path, body)

    def put(self, path: str, body: Any) -> Any:
        """Replace a document; return the answer."""
        return self._send("PUT", path, body)

    def delete(self, path: str) -> Any:
        """Delete a document; return the answer, which may be None."""
        return self._send("DELETE", path)

    def pages(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Yield the items of all pages of a list, page after page by its `Page.Next` (octopus-api §B.2)."""
        page = self.get(path, **query)
        yield from page["Items"]
        while link := access.following(page):
            page = self._send("GET", link)
            yield from page["Items"]


def split_keys(text: str) -> list[str]:
    """Return the API keys in a text: one, or several separated by commas, so that load comes from several users."""
    return [key.strip() for key in text.split(",") if key.strip()]


class Octopus(_Routes):
    """An Octopus Server, asked with an API key.

    A path is `/api/…` as the server's documents have it, or what follows `/api/`. One object belongs to one thread. The
    key is in no message and no `repr`.

    Raises, from every method that asks:
        UnreachableError: nothing answers, or not in time.
        NotOctopusError: something else answers.
        AccessDeniedError: 401 or 403.
        BusyError: 429 or 503 after some patience.
        RejectedError: any other answer that says no.

    A connection that broke is no error yet where asking again repeats nothing (GET, PUT, DELETE).
    """

    def __init__(
        self, url: str, api_key: str, timeout: float = 60.0, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        """`timeout` is in seconds; `sleep` is how waiting is done; of several keys the first is used.

        Raises:
            UsageError: the URL or the key cannot be one.
        """
        self.access = Access.checked(url, next(iter(split_keys(api_key)), ""), timeout)
        self._sleep = sleep
        self._client = httpx.Client(
            headers=self.access.headers,
            timeout=timeout,
            limits=httpx.Limits(keepalive_expiry=IDLE),
            trust_env=self.access.trusts_environment,
            verify=self.access.tls(),
        )

    def __repr__(self) -> str:
        return f"<Octopus {self.shown_url}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def listen(self, heard: Heard) -> None:
        """Have somebody hear of each answer: Unix times of the asking and of the answer's head, and its headers."""
        began = {"request": [lambda request: request.extensions.update(began=time.time())]}
        ended = {"response": [lambda it: heard(it.request.extensions["began"], time.time(), it.headers)]}
        self._client.event_hooks = {**began, **ended}

    def close(self) -> None:
        """Close its connections."""
        self._client.close()

    @property
    def shown_url(self) -> str:
        """The address without a user name and a password."""
        return self.access.shown_url

    def space(self, space_id: str) -> "SpaceView":
        """Return the server as seen from one of its spaces: its paths follow `/api/Spaces-1/`."""
        return SpaceView(self, space_id)

    def identify(self) -> Identity:
        """Return who answers at the address.

        Raises:
            NotOctopusError: it is no Octopus Server.
        """
        root = self.get("/api")
        if not isinstance(root, dict) or not str(root.get("Application", "")).startswith("Octopus"):
            raise NotOctopusError(
                f"what answers at {self.shown_url} is no Octopus Server", "Check the address and the port."
            )
        return Identity(root["Application"], str(root.get("Version", "")), str(root.get("InstallationId", "")))

    def counts(self) -> dict[str, int]:
        """Return how many resources of each kind the server has, over all spaces; kinds unknown to it are left out."""
        counts = self.get("/api/serverstatus/counts")
        known = {kind: counts.get(group, {}).get(name) for kind, (group, name) in _COUNTS.items()}
        return {kind: int(count) for kind, count in known.items() if count is not None}

    def run_task(
        self, name: str, description: str, space: str, within: float = 3600.0, progress: Progress | None = None
    ) -> dict[str, Any]:
        """Run a built-in task of a space, such as `Retention`, to its end; return it (octopus-api §A.14).

        Raises:
            ServerError: it does not succeed, or not within so many seconds.
        """
        body = {"Name": name, "Description": description, "SpaceId": space, "Arguments": {}}
        task = self.wait_for_task(self.post("/api/tasks", body)["Id"], within, progress)
        if not task["FinishedSuccessfully"]:
            raise ServerError(
                f"task {name} ({task['Id']}) of {self.shown_url} ended as {task['State']}: {task['ErrorMessage']}",
                "Read its log in the portal, under Tasks.",
            )
        return task

    def wait_for_task(self, task_id: str, within: float, progress: Progress | None = None) -> dict[str, Any]:
        """Return a task when it is complete, whatever came of it.

        Raises:
            ServerError: it is not complete within so many seconds.
        """
        deadline, pause = time.monotonic() + within, _FIRST_LOOK
        while True:
            task: dict[str, Any] = self.get(f"/api/tasks/{task_id}")
            if progress:
                progress(int(task["IsCompleted"]), 1, f"{task['Name']}: {task['State']}")
            if task["IsCompleted"]:
                return task
            if time.monotonic() > deadline:
                raise ServerError(
                    f"{task_id} of {self.shown_url} is still {task['State'].lower()} after {within:.0f} s",
                    "See in the portal, under Tasks, what it waits for; a drained node takes no tasks.",
                )
            self._sleep(min(pause, max(0.0, deadline - time.monotonic())))
            pause = min(_LAST_LOOK, pause * 1.5)

    def _send(self, method: str, path: str, body: Any = None, query: dict[str, Any] | None = None) -> Any:
        path = access.route(path)
        for attempt in range(_PATIENCE):
            try:
                answer = self._ask(method, path, body, query)
            except LostAnswerError:
                if method == "POST" or attempt == _PATIENCE - 1:  # it may have been done: not to be repeated
                    raise
                self._sleep(0.1 * 2.0**attempt)
                continue
            if answer.status not in (429, 503):
                break
            wait = refusals.retry_after(answer)
            if attempt == _PATIENCE - 1 or (wait or 0) > _LONGEST_WAIT:
                break
            self._sleep(2.0**attempt if wait is None else wait)
        if not answer.is_success:
            raise self.access.refusal(method, path, answer)
        return self.access.decode(path, answer)

    def _ask(self, method: str, path: str, body: Any, query: dict[str, Any] | None) -> refusals.Answer:
        content = None if body is None else msgspec.json.encode(body)
        headers = {} if body is None else {"Content-Type": "application/json"}
        params = access.joined(query or {}) or None
        try:
            answer = self._client.request(
                method, self.access.url + path, content=content, headers=headers, params=params
            )
        except httpx.TimeoutException as exc:
            raise UnreachableError(*self.access.late(method, path)) from exc
        except httpx.RequestError as exc:
            raise refusals.unreachable(self.shown_url, exc) from exc
        return refusals.Answer(answer.status_code, answer.reason_phrase, answer.headers, answer.content)


class SpaceView(_Routes):
    """A server as seen from one of its spaces."""

    def __init__(self, octopus: Octopus, space_id: str) -> None:
        self.octopus = octopus
        self.id = space_id

    def __repr__(self) -> str:
        return f"<{self.id} of {self.octopus!r}>"

    def _send(self, method: str, path: str, body: Any = None, query: dict[str, Any] | None = None) -> Any:
        route = path if path.startswith("/api") else f"/api/{self.id}/{path}"
        return self.octopus._send(method, route, body, query)  # noqa: SLF001  (the two are one thing)
