"""PostgreSQL's life: made, started, found ready and stopped, from a folder of programs and a folder of data."""

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from standin.binaries import Account, find_binaries, unprivileged, version
from standin.errors import FailureError, UsageError

#: Settings of the lab. No fsync: the disk's noise is no part of an experiment, and nothing here outlives it. No
#: parallel workers in queries and no I/O workers: one query burns the CPU of one process, which a host can account for.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "400",
    "shared_buffers": "512MB",
    "work_mem": "32MB",
    "maintenance_work_mem": "256MB",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "1GB",
    "checkpoint_timeout": "30min",
    "io_method": "sync",
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    "random_page_cost": "1.1",
    "autovacuum_naptime": "10s",
    "log_checkpoints": "off",
    "log_min_messages": "warning",
}
#: Free space, bytes, below which nothing is started: PostgreSQL would stop in the middle.
LEAST_SPACE = 200_000_000
#: Seconds that PostgreSQL gets to become ready (crash recovery included) and to stop.
PATIENCE = 60.0
PASSWORD_FILE = "PostgreSQL.password"  # noqa: S105 - the name of the file


class Postgres:
    """One PostgreSQL on a folder of data; `dsn` names its database `postgres`."""

    def __init__(self, data: Path, port: int = 0) -> None:
        self.data = data.absolute()
        self.cluster = self.data / "PostgreSQL"
        self.log = self.data / "PostgreSQL.log"
        self.port = port
        self.dsn = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._bin = Path()
        self._account: Account | None = None

    def start(self) -> str:
        """Start it, making a new cluster when the folder has none; return its DSN.

        Raises:
            UsageError: the folder belongs to another version or is in use, or the port is taken.
            FailureError: no programs, no space, or PostgreSQL does not become ready.
        """
        self._account = unprivileged()
        self._bin = find_binaries(self._account)
        self._check_folder()
        password = self._password()
        if not (self.cluster / "PG_VERSION").exists():
            self._make_cluster(password)
        self._check_cluster()
        self.port = self.port or free_port()
        check_port(self.port)
        self._launch()
        self._wait_ready()
        self.dsn = f"postgresql://postgres:{password}@127.0.0.1:{self.port}/postgres"
        return self.dsn

    def alive(self) -> bool:
        """Say whether it is running."""
        return self._process is not None and self._process.poll() is None

    def last_words(self) -> str:
        """Return the last line of its log that says what was wrong."""
        lines = self.log.read_text("utf-8", "replace").splitlines() if self.log.exists() else []
        telling = [line for line in lines if any(word in line for word in ("FATAL", "PANIC", "ERROR", "could not"))]
        return (telling or lines or ["it said nothing"])[-1].strip()

    def stop(self) -> None:
        """Stop it: connections are cut, data is written."""
        if self._process is None or self._process.poll() is not None:
            return
        _wake(self._process.pid)
        if sys.platform == "win32":
            command = [self._bin / "pg_ctl.exe", "stop", "-m", "fast", "-D", self.cluster]
            subprocess.run(command, capture_output=True, check=False)
        else:
            self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _check_folder(self) -> None:
        try:
            self.data.mkdir(parents=True, exist_ok=True)
            self.cluster.mkdir(mode=0o700, exist_ok=True)
            if self._account and self.cluster.stat().st_uid != self._account.uid:
                os.chown(self.cluster, self._account.uid, self._account.gid)
            free = shutil.disk_usage(self.data).free
        except OSError as exc:
            raise UsageError(f"{self.data} cannot be used: {exc.strerror or exc}", "Choose another folder.") from exc
        if free < LEAST_SPACE:
            raise FailureError(
                f"only {free / 1e6:.0f} MB are free on the disk of {self.data}",
                f"Free at least {LEAST_SPACE / 1e6:.0f} MB, or choose another folder.",
            )

    def _check_cluster(self) -> None:
        made_by = int((self.cluster / "PG_VERSION").read_text().split(".")[0])
        mine = version(self._bin)
        if made_by != mine:
            raise UsageError(
                f"{self.cluster} was made by PostgreSQL {made_by}, but this is PostgreSQL {mine}",
                "Choose another folder, or delete this one and seed again.",
            )
        pid = self._recorded_pid()
        if pid and _is_postgres(pid):
            raise UsageError(
                f"{self.data} is in use by the PostgreSQL with process id {pid}",
                "Stop the stand-in that started it, or choose another folder.",
            )
        # A process id left behind by a killed PostgreSQL may by now be somebody else's, and would keep this one out.
        (self.cluster / "postmaster.pid").unlink(missing_ok=True)

    def _recorded_pid(self) -> int | None:
        try:
            return int((self.cluster / "postmaster.pid").read_text().splitlines()[0])
        except (OSError, ValueError, IndexError):
            return None

    def _password(self) -> str:
        """Return the superuser's password: other users of the machine can reach the port as well."""
        path = self.data / PASSWORD_FILE
        if path.exists():
            return path.read_text("ascii").strip()
        password = secrets.token_hex(16)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(password)
        return password

    def _make_cluster(self, password: str) -> None:
        command = [self._tool("initdb"), "-D", self._path(), "-U", "postgres", "-E", "UTF8", "--no-locale"]
        command += ["-N", "-A", "scram-sha-256"]
        if self._account:
            # By its descriptor: the account may be shut out of every folder but its own.
            with tempfile.TemporaryFile() as file:
                file.write(password.encode())
                file.flush()
                os.fchown(file.fileno(), self._account.uid, self._account.gid)
                self._initdb([*command, f"--pwfile=/dev/fd/{file.fileno()}"], file.fileno())
        else:
            self._initdb([*command, f"--pwfile={self.data / PASSWORD_FILE}"])

    def _initdb(self, command: list[str], *descriptors: int) -> None:
        with subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            pass_fds=descriptors,
            **self._context(),
        ) as process:
            try:
                said, faults = process.communicate()
            except KeyboardInterrupt:
                # Told so, it ends its own child; half a cluster must not pass for a whole one.
                process.terminate()
                process.communicate()
                shutil.rmtree(self.cluster, ignore_errors=True)
                raise
        if process.returncode != 0:
            shutil.rmtree(self.cluster, ignore_errors=True)
            raise _failed("PostgreSQL cannot make its files in", self.cluster, faults or said)

    def _launch(self) -> None:
        options = [word for key, value in SETTINGS.items() for word in ("-c", f"{key}={value}")]
        command = [self._tool("postgres"), "-D", self._path(), "-p", str(self.port), *options]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=die_with_parent(signal.SIGINT),  # noqa: PLW1509 - no threads are running yet
                start_new_session=True,
                **self._context(),
            )

    def _wait_ready(self) -> None:
        """Wait until line 8 of postmaster.pid says so: no client, no guess."""
        deadline = time.monotonic() + PATIENCE
        while not self._says_ready():
            if not self.alive():
                raise _failed("PostgreSQL cannot be started on", self.cluster, self.last_words())
            if time.monotonic() > deadline:
                self.stop()
                raise FailureError(f"PostgreSQL was not ready after {PATIENCE:.0f} s", f"Look at {self.log}.")
            time.sleep(0.01)

    def _says_ready(self) -> bool:
        with contextlib.suppress(OSError, IndexError):
            lines = (self.cluster / "postmaster.pid").read_text().splitlines()
            return lines[0] == str(self._process.pid if self._process else 0) and lines[7].strip() == "ready"
        return False

    def _tool(self, name: str) -> str:
        return str(self._bin / (f"{name}.exe" if sys.platform == "win32" else name))

    def _path(self) -> str:
        """Return the cluster's path as PostgreSQL is told it.

        Running as another user than the folder's owner, it may not be allowed through the folders above its own;
        its working folder it can always reach.
        """
        return "/proc/self/cwd" if self._account and Path("/proc/self/cwd").exists() else str(self.cluster)

    def _context(self) -> dict[str, Any]:
        who = self._account
        drop = {"user": who.uid, "group": who.gid, "extra_groups": []} if who else {}
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("PG", "OCTOLOAD_"))}
        return {"cwd": self.cluster, "env": environment, **drop}


def free_port() -> int:
    """Return a port on the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def check_port(port: int) -> None:
    """Make sure that nobody listens on a port of the loopback.

    Raises:
        UsageError: somebody does, or this user may not listen there.
    """
    with socket.socket() as probe:
        if sys.platform != "win32":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as exc:
            reason = exc.strerror if isinstance(exc, OSError) else exc
            raise UsageError(
                f"port {port} on 127.0.0.1 cannot be used: {reason}", "Choose another one with --port, or 0 for any."
            ) from exc


def die_with_parent(number: int) -> Callable[[], None] | None:
    """Return what a child runs before its program, so that Linux signals it when its parent dies; None elsewhere.

    The keeper stops PostgreSQL in an orderly way; this is for the keeper's own violent death.
    """
    if sys.platform != "linux":
        return None
    import ctypes  # noqa: PLC0415 - Linux only

    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(1, number)  # 1 = PR_SET_PDEATHSIG


def _wake(pid: int) -> None:
    """Let a process and its children go on, should a governor that was killed have left them stopped."""
    if sys.platform == "linux":
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            for one in (process, *process.children(recursive=True)):
                with contextlib.suppress(psutil.NoSuchProcess):
                    one.send_signal(signal.SIGCONT)


def _is_postgres(pid: int) -> bool:
    try:
        return "postgres" in psutil.Process(pid).name()
    except psutil.Error:
        return False


def _failed(what: str, where: Path, said: str) -> FailureError:
    if "No space left" in said or "Disk quota" in said:
        return FailureError(f"{what} {where}: the disk is full", "Free some space, or choose another folder.")
    last = said.strip().splitlines()[-1:] or ["it gave no reason"]
    return FailureError(f"{what} {where}: {last[0]}", f"Look at {where.with_suffix('.log')}.")
