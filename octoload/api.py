"""The Octopus API: one sync client over httpx, with every foreign error turned into one of octoload's."""

import ssl
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit, urlunsplit

import httpx
import msgspec

import octoload
from octoload import refusals
from octoload.errors import NotOctopusError, ServerError, UnreachableError, UsageError

Progress = Callable[[int, int, str], None]

#: How often a busy server is asked again, and the longest wait before one of these times, in seconds.
_PATIENCE, _LONGEST_WAIT = 5, 60.0
#: Seconds between two looks at a task: at first, and at most.
_FIRST_LOOK, _LAST_LOOK = 0.1, 5.0
#: Seconds after which an idle connection is not used again: servers close theirs after 5 s or later, and a request
#: sent into a closing connection is lost.
_IDLE = 2.0
#: `serverstatus/counts` (octopus-api §A.22) by resource kind.
_COUNTS = {
    "space": ("Global", "Spaces"),
    "environment": ("Infrastructure", "Environments"),
    "machine": ("Infrastructure", "DeploymentTargets"),
    "tenant": ("Infrastructure", "Tenants"),
    "project": ("Project", "Projects"),
    "release": ("Project", "Releases"),
    "deployment": ("Project", "Deployments"),
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
        while True:
            yield from page["Items"]
            following = page.get("Links", {}).get("Page.Next")
            if not following:
                return
            page = self._send("GET", _server_path(following))


def split_keys(text: str) -> list[str]:
    """Return the API keys in a text: one, or several separated by commas, so that load comes from several users."""
    return [key.strip() for key in text.split(",") if key.strip()]


class Octopus(_Routes):
    """An Octopus Server, asked with an API key.

    A path is `/api/…` as the server's documents have it, or what follows `/api/`. One object belongs to one thread;
    `sibling` makes another one. The key is in no message and no `repr`.

    Raises, from every method that asks:
        UnreachableError: nothing answers, or not in time.
        NotOctopusError: something else answers.
        AccessDeniedError: 401 or 403.
        BusyError: 429 or 503 after some patience.
        RejectedError: any other answer that says no.
    """

    def __init__(
        self, url: str, api_key: str, timeout: float = 60.0, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        """`timeout` is in seconds; `sleep` is how waiting is done; of several keys the first is used.

        Raises:
            UsageError: the URL or the key cannot be one.
        """
        self.url = _checked_url(url)
        api_key = next(iter(split_keys(api_key)), "")
        if not api_key.isascii() or not api_key.isprintable() or " " in api_key or not api_key:
            raise UsageError(
                "the API key has characters that no key has, or none at all", "Copy it again from the portal."
            )
        self._key = api_key
        self._timeout = timeout
        self._sleep = sleep
        host = urlsplit(self.url).hostname or ""
        self._client = httpx.Client(
            headers={
                "X-Octopus-ApiKey": api_key,
                "Accept": "application/json",
                "User-Agent": f"octoload/{octoload.__version__} (load-test)",
            },
            timeout=timeout,
            limits=httpx.Limits(keepalive_expiry=_IDLE),
            trust_env=not _is_loopback(host),  # a proxy on the way to one's own machine is never meant
            verify=ssl.create_default_context(),  # the system's authorities, or those that SSL_CERT_FILE names
        )

    def __repr__(self) -> str:
        return f"<Octopus {self.shown_url}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close its connections."""
        self._client.close()

    @property
    def shown_url(self) -> str:
        """The address without a user name and a password."""
        return refusals.shown(self.url)

    def sibling(self) -> "Octopus":
        """Return another client of the same server, for another thread."""
        return Octopus(self.url, self._key, self._timeout, self._sleep)

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
        """Return how many resources of each kind the server has, over all spaces."""
        counts = self.get("/api/serverstatus/counts")
        return {kind: int(counts[group][name]) for kind, (group, name) in _COUNTS.items()}

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
        path = path if path.startswith("/api") else f"/api/{path}"
        for attempt in range(_PATIENCE):
            answer = self._ask(method, path, body, query)
            if answer.status_code not in (429, 503):
                break
            wait = refusals.retry_after(answer)
            if attempt == _PATIENCE - 1 or (wait or 0) > _LONGEST_WAIT:
                break
            self._sleep(2.0**attempt if wait is None else wait)
        if not answer.is_success:
            raise refusals.refusal(method, self.shown_url + path, answer, self._key)
        return self._decode(path, answer)

    def _ask(self, method: str, path: str, body: Any, query: dict[str, Any] | None) -> httpx.Response:
        content = None if body is None else msgspec.json.encode(body)
        headers = {} if body is None else {"Content-Type": "application/json"}
        joined = {name: ",".join(value) if isinstance(value, list) else value for name, value in (query or {}).items()}
        try:
            return self._client.request(
                method, self.url + path, content=content, headers=headers, params=joined or None
            )
        except httpx.TimeoutException as exc:
            raise UnreachableError(
                f"{self.shown_url} did not answer {method} {path} within {self._timeout:g} s",
                "See whether the server is overloaded or a firewall swallows the packets.",
            ) from exc
        except httpx.RequestError as exc:
            raise refusals.unreachable(self.shown_url, exc) from exc

    def _decode(self, path: str, answer: httpx.Response) -> Any:
        if not answer.content:
            return None
        try:
            return msgspec.json.decode(answer.content)
        except msgspec.DecodeError as exc:
            raise NotOctopusError(
                f"{self.shown_url}{path} answers with {refusals.media_type(answer)}, not with JSON",
                "Check the address and the port: is it the Octopus Server, or a proxy before it?",
            ) from exc


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


def _checked_url(url: str) -> str:
    cure = "Write it like https://octopus.example.com or http://127.0.0.1:8065."
    try:
        parts = urlsplit(url)
        _ = parts.port
        httpx.URL(url)
    except (ValueError, httpx.InvalidURL) as exc:
        raise UsageError("the address of the server is no URL", cure) from exc
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"{refusals.shown(url)!r} is no address of a server", cure)
    path = parts.path.rstrip("/")
    return urlunsplit((parts.scheme, parts.netloc, path.removesuffix("/api"), "", ""))


def _is_loopback(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")


def _server_path(link: str) -> str:
    """Return a link of the server from `/api` on: one behind a folder such as `/octopus` has it in its links."""
    start = link.find("/api/")
    return link[start:] if start >= 0 else link
