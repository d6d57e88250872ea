"""Clients of others, fetched at run time from their registries into a folder that is thrown away."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

#: seconds that a registry gets
PATIENCE = 300
#: what npm and pip say when no registry answers; anything else that goes wrong is a failure
_NO_NETWORK = re.compile(
    r"ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNREFUSED|ENETUNREACH|Failed to establish a new connection|"
    r"Temporary failure in name resolution|Name or service not known|ReadTimeoutError|ConnectTimeoutError"
)


def npm(folder: Path, *packages: str) -> Path:
    """Install npm packages, each `name@version`, without running what they bring; return `node_modules`."""
    program = shutil.which("npm")
    if program is None or shutil.which("node") is None:
        pytest.skip("Node.js with npm is not installed here; it runs the clients from the npm registry")
    (folder / "package.json").write_text('{"private": true}', "utf-8")
    _fetch([program, "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock", *packages], folder)
    return folder / "node_modules"


def pip(folder: Path, *packages: str) -> Path:
    """Install PyPI packages, each `name==version`, into an environment of their own; return its Python."""
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True, timeout=PATIENCE)
    scripts = folder / "venv" / ("Scripts" if sys.platform == "win32" else "bin")
    python = scripts / ("python.exe" if sys.platform == "win32" else "python")
    _fetch([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages], folder)
    return python


def _fetch(command: list[str], folder: Path) -> None:
    """Run an installer; skip when no registry answers, fail when it fails for another reason."""
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip(f"the package registry did not answer within {PATIENCE} s")
    if done.returncode == 0:
        return
    said = (done.stdout + done.stderr).strip()
    if found := _NO_NETWORK.search(said):
        pytest.skip(f"the package registry cannot be reached from here ({found[0]})")
    pytest.fail(f"{' '.join(command[:3])} failed:\n{said[-2000:]}")
