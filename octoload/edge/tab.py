"""The tab "Octopus" in Locust's web page: the task queue of the server under load, and the plan of the run."""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec
from flask import Response, redirect, request
from gevent.lock import BoundedSemaphore
from locust.env import Environment
from locust.web import WebUI

from octoload import refusals, serverqueue
from octoload.api import Octopus
from octoload.course import Follower
from octoload.errors import BusyError, OctoloadError

#: Seconds for which a look at the server holds: however many people look, it is asked once in that time.
HOLDS: Final = 2.0
#: Seconds that the server gets for an answer.
TIMEOUT: Final = 5.0
#: Where the tab's files lie.
_HERE: Final = Path(__file__).parent
#: What Locust's page lets people do that would end or spoil a trial of somebody else.
_DEEDS: Final = ("/swarm", "/stop", "/stats/reset", "/user")

Progress = Callable[[], dict[str, Any] | None]


@dataclass(frozen=True, slots=True)
class Watched:
    """What is looked at."""

    #: The server's address.
    url: str
    key: str = field(repr=False)
    #: The trial under way: its folder below `trials/`.
    trial: str = ""


Watch = Callable[[Watched], None]


class Queue:
    """The queue of whatever server is under load, looked at when somebody asks."""

    def __init__(self) -> None:
        #: What is under load; None before anything is.
        self.watched: Watched | None = None
        self._clients: dict[tuple[str, str], Octopus] = {}
        self._lock = BoundedSemaphore()
        self._seen: dict[str, Any] = {}
        self._until = 0.0
        self._of: Watched | None = None

    def aim(self, watched: Watched) -> None:
        """Look at another server, or trial, from now on.

        The client is made at once: that takes a twentieth of a second, in which a load under way would stand still.
        """
        self.watched = watched
        with contextlib.suppress(OctoloadError):  # a look says what is wrong
            self._client(watched)

    def look(self) -> dict[str, Any]:
        """Return `server`, `queue` and `fault`, at most two seconds old."""
        with self._lock:  # a slow server is not asked by several at once
            watched = self.watched
            if time.monotonic() >= self._until or watched != self._of:
                self._seen, self._of = self._ask(watched), watched
                self._until = time.monotonic() + HOLDS
            return self._seen

    def _ask(self, watched: Watched | None) -> dict[str, Any]:
        if watched is None:
            return {"server": None, "queue": None, "fault": "No server is under load yet."}
        try:
            octopus = self._client(watched)
            seen = {"server": octopus.shown_url, "at": time.time()}
            return {**seen, "queue": msgspec.to_builtins(serverqueue.look(octopus)), "fault": ""}
        except OctoloadError as exc:
            return {"server": refusals.shown(watched.url), "queue": None, "fault": f"{exc.message}. {exc.cure}"}

    def _client(self, watched: Watched) -> Octopus:
        """Return the server's client, kept for all looks: making one loads all certificates."""
        place = (watched.url, watched.key)
        if place not in self._clients:
            self._clients[place] = Octopus(*place, timeout=TIMEOUT, sleep=_wait)
        return self._clients[place]


def _wait(seconds: float) -> None:
    """Wait for a server that was busy, but no longer than a look holds: the next one comes soon enough."""
    if seconds > HOLDS:
        raise BusyError("the server is too busy to tell its queue", f"It is asked again every {HOLDS:g} s.")
    time.sleep(seconds)


class Tab:
    """The tab's page and its data, as routes of Locust's web page."""

    def __init__(self, environment: Environment, progress: Progress, run: Path | None) -> None:
        """`progress` says how far the load is; `run` is the folder of the run that leads it, if one does."""
        options: Any = environment.parsed_options
        self._environment = environment
        self._base: str = options.web_base_path or ""
        self._progress = progress
        self._queue = Queue()
        self._run = Follower(run) if run else None

    def watch(self, watched: Watched) -> None:
        """Show this from now on; to be called when no load is under way."""
        self._queue.aim(watched)

    def install(self, page: WebUI) -> None:
        """Add the tab to Locust's page."""
        page.template_args["extended_tabs"] = [{"title": "Octopus", "key": "octopus"}]
        app = page.app
        assert app is not None
        guarded: Any = page.auth_required_if_enabled
        for path, name, view in (
            ("/octopus", "octoload_page", lambda: _file("tab.html", "text/html")),
            ("/octopus/tab.js", "octoload_script", lambda: _file("tab.js", "application/javascript")),
            ("/octopus/data", "octoload_data", self._data),
        ):
            app.add_url_rule(f"{self._base}{path}", name, guarded(view))
        app.after_request(self._add_script)
        if self._run:
            app.before_request(self._keep_hands_off)

    def _data(self) -> Response:
        found = {**self._queue.look(), "run": None, "left": None, "load": self._progress()}
        if self._run:
            watched = self._queue.watched
            try:
                course = self._run.look(watched.trial if watched else "")
                found |= {"run": msgspec.to_builtins(course), "left": course.left}
            except OctoloadError as exc:
                found["fault"] = f"{found['fault']}\n{exc.message}".strip()
        return Response(msgspec.json.encode(found), mimetype="application/json")

    def _add_script(self, response: Response) -> Response:
        """Have Locust's page show ours below its tab: its own tabs hold nothing but tables."""
        if request.path == f"{self._base}/" and response.mimetype == "text/html":
            script = f'<script src="./octopus/tab.js"{" data-led" if self._run else ""}></script></body>'
            response.set_data(response.get_data(as_text=True).replace("</body>", script, 1))
        return response

    def _keep_hands_off(self) -> Any:
        """Refuse what would end a trial; before the first one Locust's page is a form to start one, so show ours."""
        runner: Any = self._environment.runner
        if request.path.removeprefix(self._base) in _DEEDS:
            message = "octoload run leads this load: the page is for looking. Ctrl-C in its terminal ends it.\n"
            return Response(message, status=409, mimetype="text/plain")
        if request.path == f"{self._base}/" and runner.state == "ready":
            return redirect(f"{self._base}/octopus")
        return None


def _file(name: str, kind: str) -> Response:
    return Response((_HERE / name).read_bytes(), mimetype=kind)
