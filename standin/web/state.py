"""What a node knows when it answers a request."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg


@dataclass(slots=True)
class NodeState:
    """One node process: where its documents are and what it says about itself."""

    #: connections to the database, shared with the node's task processor
    pool: "asyncpg.Pool[Any]"
    #: gives document ids in blocks, as `KeyAllocation` does
    ids: Any
    #: `OctopusServerNodes-<name>`, also the `Octopus-Node` header's source
    node_id: str
    #: the node's name, sent as `Octopus-Node` with every answer
    node_name: str
    #: UUID of the installation, the same for all nodes of a database
    installation_id: str
    #: folder with one log file a task
    task_logs: Path
    #: Octopus' timers divided by this; 1 is real time
    time_scale: float = 1.0
    #: the version that the root document shows
    version: str = "2026.3.1"
    #: the version of the API that clients check
    api_version: str = "3.0.0"
    #: Unix time at which the process started, seconds
    started: float = 0.0
    #: SHA-256 of an API key → id of its user; filled by the first request with a key
    known_keys: dict[str, str] = field(default_factory=dict)
