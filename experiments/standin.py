"""The stand-in as an experiment uses it: one PostgreSQL, a database and a server for each arm."""

import contextlib
import os
import secrets
import shutil
import socket
import string
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import msgspec
import psutil

from experiments import computing
from experiments.processes import Program
from octoload.errors import ServerError

_KEY_LETTERS = string.ascii_uppercase + string.digits


class Laboratory:
    """A folder with a PostgreSQL and the databases of a run; programs in it end with it."""

    def __init__(self, folder: Path, time_scale: float, nodes: int, hosts: Sequence[str] = ()) -> None:
        """`time_scale` is how many times faster than Octopus' the servers' timers run.

        `hosts` are the options of `standin serve` about hosts.
        """
        self.hosts = hosts
        self.folder = folder
        self.time_scale = time_scale
        self.nodes = nodes
        # Workers elsewhere must know the key, so it may be given.
        self.key = os.environ.get("OCTOLOAD_KEY") or "API-" + "".join(secrets.choice(_KEY_LETTERS) for _ in range(28))
        self._programs: list[Program] = []
        self._servers: dict[str, Program] = {}
        self._dsn = ""

    def start(self) -> None:
        """Start PostgreSQL.

        Raises:
            ServerError: it cannot start.
        """
        program = self._start("PostgreSQL", ["postgres", "--data", str(self.folder / "postgres"), "--port", "0"])
        self._dsn = program.wait_for("ready:", 120)

    def wait_until_free(self) -> None:
        """Wait for the PostgreSQL of a run that was killed a moment ago: it stops by itself."""
        file = self.folder / "postgres" / "PostgreSQL" / "postmaster.pid"
        with contextlib.suppress(OSError, ValueError, IndexError, psutil.Error):
            psutil.Process(int(file.read_text(encoding="utf-8").splitlines()[0])).wait(timeout=20)

    def dsn(self, database: str) -> str:
        """Return the address of one of its databases."""
        parts = urlsplit(self._dsn)
        return urlunsplit(parts._replace(path=f"/{database}"))

    def load(self, stream: Path, database: str) -> dict[str, Any]:
        """Copy a history stream into a new database; return the loader's counts."""
        return self._run_json("the loader", ["load", str(stream)], 3600, database)

    def clone(self, database: str, name: str) -> None:
        """Copy a database, in the place of an older copy if there is one."""
        self._run("the clone", ["clone", "--to", name, "--replace"], 600, database)

    def settle(self, database: str) -> None:
        """Vacuum, analyse and read a database into memory, so that arms start alike."""
        self._run("settling", ["settle"], 1800, database)

    def inspect(self, database: str, space: str) -> dict[str, Any]:
        """Return rows by table, bytes and the dashboard's plan."""
        return self._run_json("inspecting", ["inspect", "--space", space], 600, database)

    def serve(self, database: str, *options: str) -> list[str]:
        """Start a server on a database, with further options of `standin serve`; return the URL of each node."""
        arguments = ["serve", "--port", "0", "--nodes", str(self.nodes), "--time-scale", str(self.time_scale)]
        arguments += ["--no-schedule", "--data", str(self._files(database)), *self.hosts, *options]
        program = self._servers[database] = self._start(f"the server of {database}", arguments, database)
        urls = []
        for line in program.lines(120):
            word, _, rest = line.partition(":")
            if word == "node":
                urls.append(rest.strip())
            if word == "ready":
                return urls or [rest.split()[0]]
        raise program.ended()

    def end(self, database: str) -> None:
        """End the server of a database, and forget its files, such as the logs of its tasks."""
        program = self._servers[database]
        program.stop()  # first: one whose end is interrupted is ended with the others
        del self._servers[database]
        self._programs.remove(program)
        shutil.rmtree(self._files(database), ignore_errors=True)

    def host(self, database: str, *words: str) -> dict[str, Any]:
        """Tell a server about its hosts, or ask; return its answer (docs/formats.md, Hosts)."""
        return self._tell(database, "host", words)

    def node(self, database: str, action: str, name: str) -> dict[str, Any]:
        """Do something to a node of a server; return how it is then (docs/formats.md, The stand-in)."""
        return self._tell(database, "node", (action, name))

    def _tell(self, database: str, subject: str, words: Sequence[str]) -> dict[str, Any]:
        """Give a running server an order through its socket, as its own commands do.

        A trial goes on meanwhile, and another process would take half a second of CPU for it.

        Raises:
            ServerError: it does not answer, or cannot do so.
        """
        file = self._files(database) / "control.json"
        try:
            place = msgspec.json.decode(file.read_bytes())
            order = {"secret": place["secret"], "subject": subject, "action": words[0], "words": words[1:]}
            with socket.create_connection(("127.0.0.1", place["port"]), timeout=60) as server:
                server.sendall(msgspec.json.encode(order) + b"\n")
                with server.makefile("rb") as stream:
                    said: dict[str, Any] = msgspec.json.decode(stream.readline())
        except (OSError, msgspec.DecodeError) as exc:
            log = self._log("serve")
            raise ServerError(f"the stand-in says nothing of its {subject}s: {exc}", f"Its log is {log}") from exc
        if "done" not in said:
            raise ServerError(str(said["message"]), str(said["cure"]))
        done: dict[str, Any] = said["done"]
        return done

    def _files(self, database: str) -> Path:
        return self.folder / f"files-{database}"

    def computed(self) -> dict[str, Any]:
        """Return what servers and PostgreSQL have computed so far."""
        servers = [program.pid for program in self._servers.values()]
        return computing.read([program.pid for program in self._programs], servers)

    def check(self) -> None:
        """Raise ServerError when one of its programs has ended."""
        for program in self._programs:
            if not program.alive:
                raise program.ended()

    def stop(self) -> None:
        """End all its programs, the last started first."""
        self._servers.clear()
        while self._programs:
            self._programs.pop().stop()

    def _start(self, name: str, arguments: list[str], database: str = "") -> Program:
        log, env = self._log(arguments[0]), self._env(database)
        program = Program(f"{name} (stand-in)", ["standin", *arguments], log, env)
        self._programs.append(program)
        return program

    def _run(self, name: str, arguments: list[str], within: float, database: str) -> list[str]:
        log, env = self._log(arguments[0]), self._env(database)
        with Program(f"{name} (stand-in)", ["standin", *arguments], log, env) as program:
            return program.finish(within)

    def _run_json(self, name: str, arguments: list[str], within: float, database: str) -> dict[str, Any]:
        lines = self._run(name, arguments, within, database)
        try:
            result: dict[str, Any] = msgspec.json.decode(lines[-1])
        except (IndexError, msgspec.DecodeError) as exc:
            log = self._log(arguments[0])
            raise ServerError(f"{name} of the stand-in gave no result", f"Its log is {log}") from exc
        return result

    def _log(self, command: str) -> Path:
        return self.folder / "logs" / f"{command}.log"

    def _env(self, database: str) -> dict[str, str]:
        """Return what no process list shall show: the key, and the DSN with its password."""
        secret = {"OCTOLOAD_STANDIN_KEY": self.key}
        return {**secret, "OCTOLOAD_STANDIN_DATABASE": self.dsn(database)} if database else secret
