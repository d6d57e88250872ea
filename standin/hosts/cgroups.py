"""CPU quotas of Linux' control groups, version 2 or 1: the kernel itself holds a group of processes to its share."""

import contextlib
import os
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from standin.errors import FailureError
from standin.hosts.mechanism import Usage

#: Seconds in which a group may use its share. Short periods keep the stall of a used-up share (about period - share)
#: below what queueing takes anyway; at the kernel's own 100 ms it would be the whole tail of the latencies.
PERIOD = 0.010
PREFIX = "octoload-"


@dataclass(frozen=True, slots=True)
class Place:
    """Where groups can be made."""

    #: 1 or 2
    version: int
    #: folders in which a group is made: of version 1 one for each controller
    folders: tuple[Path, ...]
    #: folders whose processes are those of this process's own groups
    home: tuple[Path, ...]


class ControlGroups:
    """A group for each host below one of this process's own."""

    period = PERIOD

    def __init__(self, place: Place) -> None:
        """Make the group in which those of the hosts will lie, and see whether a process may enter and leave.

        Raises:
            OSError: it may not.
        """
        self.name = f"cgroup v{place.version}"
        self._version = place.version
        self._home = place.home
        self._tops = [folder / f"{PREFIX}{os.getpid()}" for folder in place.folders]
        self._hosts: dict[str, None] = {}
        sweep(place)
        try:
            for top in self._tops:
                top.mkdir()
                if self._version == 2:
                    _write(top / "cgroup.subtree_control", "+cpu")
            self.limit("probe", 1.0)
            self.place("probe", [os.getpid()])
            self.release([os.getpid()])
        except OSError:
            self.close()
            raise
        self._remove("probe")

    def limit(self, host: str, cpus: float) -> None:
        """Make a group, or give it another quota."""
        for top in self._tops:
            (top / host).mkdir(exist_ok=True)
        self._hosts[host] = None
        folder, period = self._tops[0] / host, round(PERIOD * 1e6)
        if self._version == 2:
            _write(folder / "cpu.max", f"{round(cpus * period)} {period}")
        else:
            _write(folder / "cpu.cfs_period_us", str(period))
            _write(folder / "cpu.cfs_quota_us", str(round(cpus * period)))

    def place(self, host: str, pids: Collection[int]) -> None:
        """Move processes into a group."""
        _move(pids, [top / host for top in self._tops])

    def release(self, pids: Collection[int]) -> None:
        """Move processes into this process's own group."""
        _move(pids, self._home)

    def members(self, host: str) -> set[int]:
        """Return the processes in a group."""
        return set(_processes(self._tops[0] / host))

    def usage(self, host: str) -> Usage:
        """Return what the kernel has counted for a group."""
        stat = _numbers(self._tops[0] / host / "cpu.stat")
        if self._version == 2:
            spent, stopped = stat["usage_usec"] / 1e6, stat["throttled_usec"] / 1e6
        else:
            spent = int((self._tops[-1] / host / "cpuacct.usage").read_text()) / 1e9
            stopped = stat["throttled_time"] / 1e9
        return Usage(spent, stat["nr_periods"], stat["nr_throttled"], stopped)

    def hold(self, pids: Collection[int], *, held: bool) -> None:
        """Do nothing: a stopped process stays where it is."""

    def tick(self) -> float | None:
        """Do nothing: the kernel does it."""
        return None

    def close(self) -> None:
        """Move all processes out, and remove the groups."""
        for host in list(self._hosts):
            self._remove(host)
        for top in self._tops:
            with contextlib.suppress(FileNotFoundError):
                top.rmdir()

    def _remove(self, host: str) -> None:
        for top, home in zip(self._tops, self._home, strict=True):
            _empty(top / host, home)
        self._hosts.pop(host, None)


def find_place(proc: Path = Path("/proc/self")) -> Iterator[Place]:
    """Yield places in which groups with a CPU quota may be made, best first; whether they may, trying shows.

    Version 2 comes first where it has the CPU controller: at the own group and its parents, since a group that has
    processes itself cannot hand out quotas, and its parent is often the user's as well.
    """
    try:
        mounts, own = _mounts((proc / "mountinfo").read_text()), _groups((proc / "cgroup").read_text())
    except OSError:
        return
    for mount, root in mounts.get("cgroup2", []):
        home = _below(mount, root, own.get("", "/"))
        for folder in (home, *home.parents):
            if folder.is_relative_to(mount) and "cpu" in _words(folder / "cgroup.controllers"):
                yield Place(2, (folder,), (home,))
    if "cpu" in mounts and "cpuacct" in mounts:
        pairs = [(mounts[name][0], own.get(name, "/")) for name in ("cpu", "cpuacct")]
        homes = tuple(dict.fromkeys(_below(mount, root, group) for (mount, root), group in pairs))
        yield Place(1, homes, homes)


def open_groups() -> ControlGroups | None:
    """Return groups at the best place that lets this process make them, None when there is none."""
    for place in find_place():
        with contextlib.suppress(OSError, FailureError):
            if place.version == 2:
                _write(place.folders[0] / "cgroup.subtree_control", "+cpu")
            return ControlGroups(place)
    return None


def sweep(place: Place) -> None:
    """Remove what a process left behind that was killed: its members are set free."""
    for folder, home in zip(place.folders, place.home, strict=True):
        for top in folder.glob(f"{PREFIX}*"):
            pid = re.sub(rf"^{PREFIX}", "", top.name)
            if pid.isdigit() and int(pid) != os.getpid() and not psutil.pid_exists(int(pid)):
                with contextlib.suppress(OSError, FailureError):
                    for group in [one for one in top.iterdir() if one.is_dir()]:
                        _empty(group, home)
                    top.rmdir()


def _mounts(text: str) -> Mapping[str, list[tuple[Path, str]]]:
    """Return where the controllers are mounted, with the group that is the mount's root; `cgroup2` is version 2."""
    found: dict[str, list[tuple[Path, str]]] = {}
    for line in text.splitlines():
        before, _, after = line.partition(" - ")
        kind, _, options = after.split()[:3]
        root, folder = before.split()[3:5]
        names = ["cgroup2"] if kind == "cgroup2" else options.split(",") if kind == "cgroup" else []
        for name in names:
            found.setdefault(name, []).append((Path(folder), root))
    return found


def _groups(text: str) -> dict[str, str]:
    """Return a process's group by controller; that of version 2 has the name ''."""
    groups = {}
    for line in text.splitlines():
        _, names, path = line.split(":", 2)
        groups.update(dict.fromkeys(names.split(","), path))
    return groups


def _below(mount: Path, root: str, group: str) -> Path:
    """Return a group's folder; in a container the mount shows a part of the tree only."""
    inner = os.path.relpath(group, root)
    folder = mount if inner.startswith("..") else mount / inner
    return folder if folder.is_dir() else mount


def _empty(group: Path, home: Path) -> None:
    """Move all processes of a group out, those included that start meanwhile, and remove it."""
    for _ in range(100):
        try:
            group.rmdir()
        except FileNotFoundError:
            return
        except OSError:
            _move(_processes(group), [home])
        else:
            return
    raise FailureError(f"{group} cannot be emptied", "Look at its cgroup.procs.")


def _move(pids: Collection[int], folders: Collection[Path]) -> None:
    for folder in folders:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):  # it has ended
                _write(folder / "cgroup.procs", str(pid))


def _processes(group: Path) -> list[int]:
    with contextlib.suppress(FileNotFoundError):
        return [int(word) for word in (group / "cgroup.procs").read_text().split()]
    return []


def _numbers(file: Path) -> dict[str, int]:
    return {words[0]: int(words[1]) for line in file.read_text().splitlines() if (words := line.split())}


def _words(file: Path) -> list[str]:
    with contextlib.suppress(OSError):
        return file.read_text().split()
    return []


def _write(file: Path, text: str) -> None:
    # Written at once: a kernel's file takes each write by itself, and refuses with it.
    descriptor = os.open(file, os.O_WRONLY)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)
