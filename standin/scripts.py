"""Scripts: run as processes of their own, their output taken line by line."""

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from standin.process import Script

#: Syntax → programs to try, and the ending of the script's file.
INTERPRETERS = {
    "Bash": (("bash",), ".sh"),
    "PowerShell": (("pwsh", "powershell"), ".ps1"),
    "Python": ((sys.executable,), ".py"),
}
#: Longest line of output, bytes, that is taken whole.
LONGEST = 1 << 20

Say = Callable[[str, str], None]


async def run(script: Script, body: str, variables: Mapping[str, str], say: Say) -> int:
    """Run a script and return its exit code; each line goes to `say(text, category)` as it comes.

    Standard error is `Error`, the rest `Info`. A script whose language is not installed fails with 127. When it
    ends, or the caller is cancelled, all that it started is killed.
    """
    programs, ending = INTERPRETERS.get(script.syntax, ((), ""))
    program = next((found for name in programs if (found := shutil.which(name))), None)
    if program is None:
        say(f"{script.syntax} scripts cannot be run here: {' or '.join(programs) or 'no such language'}.", "Fatal")
        return 127
    with tempfile.TemporaryDirectory(prefix="octoload-script-") as folder:
        path = Path(folder) / f"script{ending}"
        path.write_text(body, "utf-8")
        options = ["-NoProfile", "-NonInteractive", "-File"] if script.syntax == "PowerShell" else []
        process = await asyncio.create_subprocess_exec(
            program,
            *options,
            str(path),
            cwd=folder,
            env={**_environment(), **variables},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
            limit=LONGEST,
        )
        output = (_lines(process.stdout, say, "Info"), _lines(process.stderr, say, "Error"))
        try:
            return (await asyncio.gather(_end(process), *output))[0]
        finally:
            await _kill(process)


async def _end(process: asyncio.subprocess.Process) -> int:
    """Wait for a script's end, and kill what it left in the background, which may hold its output open.

    With uvloop all that a script starts inherits the sockets of its output, whatever it is redirected to.
    """
    code = await process.wait()
    await _kill(process)
    return code


async def _lines(stream: asyncio.StreamReader | None, say: Say, category: str) -> None:
    assert stream is not None
    while True:
        try:
            line = await stream.readline()
        except ValueError:  # longer than the limit: what was read is dropped, the rest goes on
            say(f"(a line of more than {LONGEST} bytes was left out)", "Warning")
            continue
        if not line:
            return
        say(line.decode("utf-8", "replace").rstrip("\r\n"), category)


async def _kill(process: asyncio.subprocess.Process) -> None:
    """Kill what is left of a script's session."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            if process.returncode is None:
                process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


def _environment() -> dict[str, str]:
    """Return what a script may see of this process's environment: none of its secrets."""
    return {key: value for key, value in os.environ.items() if not key.startswith(("OCTOLOAD_", "PG"))}
