"""The stand-in's processes: started, stopped, killed, and refused with a clear message."""

import asyncio
import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import httpx
import psutil
import pytest

from tests.octopus_server import end

pytestmark = pytest.mark.integration

KEY = "API-PROCESSTESTS"
PATIENCE = 60.0


@contextlib.contextmanager
def running(*words: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """Run a command of the stand-in; yield it and its lines up to the one that says it is ready."""
    environment = {**os.environ, "OCTOLOAD_PARENT": str(os.getpid()), "OCTOLOAD_STANDIN_KEY": KEY}
    command = [sys.executable, "-m", "standin", *words]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True
    )
    try:
        lines = []
        assert process.stdout is not None
        assert process.stderr is not None
        while not lines or not lines[-1].startswith("ready: "):
            line = process.stdout.readline()
            assert line, f"it ended instead of serving: {process.stderr.read()}"
            lines.append(line.strip())
        yield process, lines
    finally:
        end(process)
        if process.stderr is not None:
            process.stderr.close()


def refused(*words: str) -> subprocess.CompletedProcess[str]:
    """Run a command that ends by itself."""
    command = [sys.executable, "-m", "standin", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)


def family(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Those that still run; a zombie has ended, whether or not its new parent has noticed."""
    left = []
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.status() != psutil.STATUS_ZOMBIE:
                left.append(process)
    return left


def wait_for(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


async def ask(dsn: str, question: str) -> object:
    conn = await asyncpg.connect(dsn)
    try:
        return await conn.fetchval(question)
    finally:
        await conn.close()


def test_postgres_keeps_its_data_and_needs_its_password(tmp_path: Path) -> None:
    """PostgreSQL runs alone, answers on its DSN only, ends on SIGTERM with code 0, and comes back with its data."""
    with running("postgres", "--data", str(tmp_path)) as (process, lines):
        dsn = lines[-1].removeprefix("ready: ")
        asyncio.run(ask(dsn, "CREATE TABLE kept AS SELECT 42 AS answer"))
        with pytest.raises(asyncpg.InvalidPasswordError):
            asyncio.run(ask(re.sub(r":[0-9a-f]{32}@", ":wrong@", dsn), "SELECT 1"))
        children = family(process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    assert alive(children) == []
    with running("postgres", "--data", str(tmp_path)) as (_, lines):
        assert asyncio.run(ask(lines[-1].removeprefix("ready: "), "SELECT answer FROM kept")) == 42


def test_the_same_instance_comes_back_with_several_nodes(tmp_path: Path) -> None:
    """With --data, what was created is there again; each node says its URL and answers under its own name."""
    with running("--data", str(tmp_path), "--port", "0") as (_, lines):
        url, key = lines[-1].split()[1::2]
        assert (key, len(lines)) == (KEY, 1)
        headers = {"X-Octopus-ApiKey": key}
        created = httpx.post(f"{url}/api/Spaces-1/environments", json={"Name": "Kept"}, headers=headers).json()
        installation = httpx.get(f"{url}/api").json()["InstallationId"]
    with running("--data", str(tmp_path), "--port", "0", "--nodes", "2") as (_, lines):
        urls = [line.removeprefix("node: ") for line in lines[:-1]]
        assert lines[-1].split()[1] == urls[0]
        answers = [httpx.get(f"{url}/api/Spaces-1/environments/{created['Id']}", headers=headers) for url in urls]
        assert [answer.json()["Name"] for answer in answers] == ["Kept", "Kept"]
        assert len({answer.headers["Octopus-Node"] for answer in answers}) == 2
        assert httpx.get(f"{urls[1]}/api").json()["InstallationId"] == installation


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")
def test_nothing_outlives_a_killed_supervisor(tmp_path: Path) -> None:
    """After kill -9 of the supervisor its nodes, the keeper and PostgreSQL end by themselves, and the data is whole."""
    with running("--data", str(tmp_path), "--port", "0", "--nodes", "2") as (process, _):
        children = family(process)
        assert len(children) >= 4
        process.kill()
        process.wait()
        wait_for(lambda: not alive(children), f"still alive: {alive(children)}")
    with running("--data", str(tmp_path), "--port", "0") as (_, lines):
        assert httpx.get(f"{lines[-1].split()[1]}/api").status_code == 200


def test_nothing_is_left_of_an_instance_without_a_folder() -> None:
    """Without --data the instance lives in a temporary folder, which is gone afterwards, also after kill -9."""
    with running("--port", "0") as (process, _):
        keeper = next(child for child in family(process) if "standin.keeper" in child.cmdline())
        folder = Path(keeper.cmdline()[-3])
        assert (folder / "PostgreSQL" / "PG_VERSION").exists()
        process.kill()
        process.wait()
        wait_for(lambda: not folder.exists(), f"{folder} is still there")


@pytest.mark.skipif(sys.platform == "win32", reason="a process is told to end by signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("awaited", ["initdb", "standin.node"])
def test_a_start_can_be_broken_off(tmp_path: Path, awaited: str, number: signal.Signals) -> None:
    """Told to end while it makes its files or waits for a node, it ends soon, leaves nothing, and can start again."""
    environment = {**os.environ, "OCTOLOAD_PARENT": str(os.getpid())}
    command = [sys.executable, "-m", "standin", "--data", str(tmp_path), "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment)

    def here() -> bool:
        with contextlib.suppress(psutil.Error):  # one of them has just ended
            return any(awaited in (child.name(), *child.cmdline()) for child in family(process))
        return False

    try:
        wait_for(here, f"{awaited} did not start")
        children = family(process)
        process.send_signal(number)
        _, said = process.communicate(timeout=8)
    finally:
        end(process)
    assert "Traceback" not in said, said
    assert not alive(children)
    assert (tmp_path / "PostgreSQL" / "PG_VERSION").exists() == (awaited != "initdb")


@pytest.mark.parametrize("victim", ["standin.node", "postgres"])
def test_a_lost_part_ends_the_whole(tmp_path: Path, victim: str) -> None:
    """When a node or PostgreSQL dies, the stand-in ends with code 5 and says which; nothing is left running."""
    with running("--data", str(tmp_path), "--port", "0") as (process, _):
        children = family(process)
        next(child for child in children if victim in (child.name(), *child.cmdline())).kill()
        assert process.wait(PATIENCE) == 5
        assert process.stderr is not None
        said = process.stderr.read()
        assert ("node-1" if victim == "standin.node" else "PostgreSQL has stopped") in said
        assert "Traceback" not in said, said
        wait_for(lambda: not alive(children), "something is left running")


def test_a_port_in_use_is_refused(tmp_path: Path) -> None:
    """A port that somebody listens on is named, with the cure; exit code 2, no traceback."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for words in (("postgres", "--data", str(tmp_path)), ("serve", "--data", str(tmp_path))):
            done = refused(*words, "--port", str(port))
            assert done.returncode == 2
            assert f"port {port}" in done.stderr
            assert "--port" in done.stderr
            assert len(done.stderr.splitlines()) <= 2


def test_a_folder_of_another_postgresql_is_refused(tmp_path: Path) -> None:
    """Data that another version made is not touched; exit code 2, both versions named."""
    (tmp_path / "PostgreSQL").mkdir()
    (tmp_path / "PostgreSQL" / "PG_VERSION").write_text("15\n")
    done = refused("serve", "--data", str(tmp_path), "--port", "0")
    assert done.returncode == 2
    assert "made by PostgreSQL 15, but this is PostgreSQL 1" in done.stderr
    assert len(done.stderr.splitlines()) <= 2


def test_a_database_of_another_version_is_refused(tmp_path: Path) -> None:
    """Its tables may lack what this version asks for; the message says what to do, and nothing is changed."""
    with running("postgres", "--data", str(tmp_path)) as (_, lines):
        dsn = lines[-1].removeprefix("ready: ").removesuffix("/postgres") + "/octopus"
        with running("serve", "--database", dsn, "--port", "0"):
            pass
        asyncio.run(ask(dsn, "DELETE FROM Configuration WHERE Id = 'schema'"))
        keys = asyncio.run(ask(dsn, "SELECT string_agg(KeyHash, ',') FROM ApiKey"))
        answer = refused("serve", "--database", dsn, "--port", "0")
        assert asyncio.run(ask(dsn, "SELECT string_agg(KeyHash, ',') FROM ApiKey")) == keys
    assert answer.returncode == 2
    assert "the database octopus was made by another version of the stand-in" in answer.stderr
    assert len(answer.stderr.strip().splitlines()) == 2


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    """Two PostgreSQLs never share a folder: the second is told who has it."""
    with running("postgres", "--data", str(tmp_path)):
        done = refused("serve", "--data", str(tmp_path), "--port", "0")
        assert done.returncode == 2
        assert "is in use by the PostgreSQL with process id" in done.stderr


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["serve", "--database", "postgresql://nobody@127.0.0.1:1/none"], 5, "cannot be used"),
        (["inspect", "--database", "postgresql://nobody:secret@127.0.0.1:1/none"], 5, "<hidden>"),
        (["clone", "--database", "nonsense", "--to", "copy"], 2, "cannot be read"),
        (["serve", "--port", "99999"], 2, "no port"),
        (["serve", "--nodes", "0"], 2, "number of nodes"),
        (["--time-scale", "fast"], 2, "time scale"),
        (["serve", "--api-key", "secret"], 2, "API-"),
        (["load", "missing.jsonl", "--data", "unused"], 2, "missing.jsonl"),
        (["dance"], 2, "dance"),
        (["settle"], 2, "OCTOLOAD_STANDIN_DATABASE"),
        (["load", "missing.jsonl"], 2, "OCTOLOAD_STANDIN_DATABASE"),
    ],
)
def test_bad_commands_are_refused_in_a_line_or_two(words: list[str], code: int, said: str, tmp_path: Path) -> None:
    """A wrong option or an unreachable server gives its exit code and a message with what is wrong, no traceback."""
    command = [sys.executable, "-m", "standin", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert "secret" not in done.stderr or words[0] == "serve"


@pytest.mark.parametrize("words", [["clone", "--to", "copy"], ["settle"], ["inspect"], ["serve", "--data", "files"]])
def test_a_database_may_be_named_in_the_environment(words: list[str], tmp_path: Path) -> None:
    """A password need not stand in process lists: a variable names the database; `--data` is then for files only."""
    environment = {**os.environ, "OCTOLOAD_STANDIN_DATABASE": "postgresql://nobody:secret@127.0.0.1:1/none"}
    command = [sys.executable, "-m", "standin", *words]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=PATIENCE, check=False, cwd=tmp_path, env=environment
    )
    assert done.returncode == 5, done.stderr
    assert "postgresql://nobody:<hidden>@127.0.0.1:1/none cannot be used" in done.stderr


def test_help_teaches() -> None:
    """The help names all commands, and that of a command its defaults."""
    whole = refused("--help")
    assert whole.returncode == 0
    for command in ("serve", "postgres", "load", "clone", "settle", "inspect"):
        assert command in whole.stdout
    assert "default 8065" in refused("serve", "--help").stdout
