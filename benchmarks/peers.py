"""Load generators as commands: octoload's engine and those it is measured against."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
HOUSE = HERE.parent
#: Connections, users or slots of every generator.
CONNECTIONS = 32
#: Sessions a second that octoload is asked for when it shall be as busy as a closed loop: more than it can do.
FLOOD = 100_000.0
PATH = "/api/Spaces-1/dashboard"


@dataclass(frozen=True, slots=True)
class Case:
    """What is asked for."""

    name: str
    #: Which of nginx's pages.
    page: str
    method: str = "GET"


CASES = (Case("2 KB", "small"), Case("60 KB", "large"), Case("TLS 2 KB", "tls"), Case("POST", "small", "POST"))


class Peers:
    """All generators that this machine has."""

    def __init__(self, folder: Path, certificate: Path) -> None:
        self._folder = folder
        self._environment = {**os.environ, "OCTOPUS_API_KEY": "API-BENCH", "SSL_CERT_FILE": str(certificate)}
        self._autocannon = install_autocannon(folder)

    def names(self, case: Case) -> list[str]:
        """Return the generators that take part in a case."""
        names = ["octoload", "FastHttpUser"]
        if case.method == "GET" and shutil.which("wrk"):
            names.insert(1, "wrk")
        if case.name == "2 KB":
            names += ["HttpUser", *(["autocannon"] if self._autocannon else [])]
        return names

    @contextlib.contextmanager
    def started(self, name: str, case: Case, url: str) -> Iterator[subprocess.Popen[Any]]:
        """Run a generator without end."""
        environment = {**self._environment, "BENCH_METHOD": case.method, "BENCH_USER": name.lower()[:4]}
        with subprocess.Popen(
            self._command(name, case, url),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
        ) as process:
            try:
                if name == "octoload":
                    assert process.stdin
                    process.stdin.write(json.dumps(self._trial(case, url)).encode() + b"\n")
                    process.stdin.flush()
                yield process
            finally:
                process.kill()

    def _command(self, name: str, case: Case, url: str) -> list[str]:
        many = str(CONNECTIONS)
        if name == "wrk":
            return ["wrk", "-t1", f"-c{many}", "-d600", "-H", "X-Octopus-ApiKey: API-BENCH", url + PATH]
        if name == "autocannon":
            return [
                "node",
                str(self._autocannon),
                "-c",
                many,
                "-d",
                "600",
                "-H",
                "X-Octopus-ApiKey=API-BENCH",
                url + PATH,
            ]
        if name == "octoload":
            file = HERE / "locustfiles" / "post.py" if case.method == "POST" else HOUSE / "locustfile.py"
            return [sys.executable, "-m", "locust", "-f", str(file), "--headless", "--octoload-engine"]
        file = HERE / "locustfiles" / "fast.py"
        options = ["--headless", "--only-summary", "--host", url, "-u", many, "-r", many]
        return [sys.executable, "-m", "locust", "-f", str(file), *options]

    def _trial(self, case: Case, url: str) -> dict[str, Any]:
        scenario = "post" if case.method == "POST" else "dashboard"
        return {
            "command": "trial", "folder": str(self._folder / "samples"), "urls": [url], "mix": {scenario: FLOOD},
            "slots": CONNECTIONS, "seconds": 20.0, "timeout": 60.0,
        }  # fmt: skip


def install_autocannon(folder: Path) -> Path | None:
    """Return autocannon's program, fetched with npm; None without npm or network."""
    if shutil.which("npm") is None:
        return None
    done = subprocess.run(
        ["npm", "install", "--silent", "--prefix", str(folder), "autocannon@9"], capture_output=True, check=False
    )
    program = folder / "node_modules" / "autocannon" / "autocannon.js"
    return program if done.returncode == 0 and program.exists() else None
