"""Package acquisition on real files: copied to each place, hashed on the way, refused when damaged or gone."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from standin.acquisition import Package, acquire
from standin.filestore import PIECE, FileStore
from standin.tasklog import TaskLog, log_path, read_tree

pytestmark = pytest.mark.integration


def push(store: FileStore, content: bytes) -> Package:
    """Keep a file as an upload does."""

    async def chunks() -> AsyncIterator[bytes]:
        yield content

    stored = asyncio.run(store.write("Spaces-1", ".zip", chunks()))
    return Package(f"App{len(content)}", "1.0.0", "Spaces-1", stored.file, stored.hash)


def test_packages_are_copied_whole_to_each_place(tmp_path: Path) -> None:
    """Whatever their size; one that has been damaged since, or is gone, fails the acquisition and is named."""
    store, places = FileStore(tmp_path / "Packages"), [tmp_path / "Machines-1", tmp_path / "Machines-2"]
    contents = [os.urandom(size) for size in (0, 7, PIECE, 3 * PIECE + 1)]
    packages = [push(store, content) for content in contents]
    told = log_path(tmp_path, "ServerTasks-1")
    with TaskLog(told) as log:
        log.open(None, "Deploy")
        assert asyncio.run(acquire(packages, log, store, places))
        for place in places:
            assert [(place / one.file).read_bytes() for one in packages] == contents
        store.path("Spaces-1", packages[1].file).write_bytes(b"damaged")
        store.path("Spaces-1", packages[2].file).unlink()
        assert not asyncio.run(acquire([*packages, Package("None", "2.0", "Spaces-1")], log, store, places))
    tree = read_tree(told)
    assert tree is not None
    first, second = tree.children
    assert [first.status, second.status] == ["Success", "Failed"]
    found = hashlib.sha1(b"damaged", usedforsecurity=False).hexdigest()
    assert {one.text for one in second.entries if one.category == "Fatal"} == {
        f"Package App7 version 1.0.0 is not what was pushed: its hash is {found}.",
        f"Package App{PIECE} version 1.0.0 cannot be copied: No such file or directory.",
        "The built-in feed has no package None version 2.0.",
    }
