"""Do the contract's tests see it when a handler drops a field, or answers with another status?"""

import argparse
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests import contract  # noqa: E402 - the tests of this tree, not of an installed one

#: seconds that the tests of the operations may take
PATIENCE = 600
#: what a copy of the tree is made of
_PARTS = ("standin", "tests", "octoload", "docs")
#: every fourth of the sampled handlers changes its status, the others lose a field, which is missed more easily
_STATUS = 4
#: plants the changed handler in the copy
_PLANT = """
from standin.web.changed import change

ROUTES = change(ROUTES, {method!r}, {path!r}, {kind!r}, {number})
"""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A handler to change."""

    #: the section of the contract, such as `A.3 Environments`
    section: str
    #: the operation, as the list of the contract spells it
    operation: str
    #: HTTP method of the route
    method: str
    #: path of the route
    path: str
    #: what is changed: `field` or `status`
    kind: str
    #: chooses the field
    number: int
    #: the tests that say that they prove the operation, as pytest names them
    tests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a mutant."""

    #: the handler
    mutant: Mutant
    #: what was changed: `without Name`, `201 becomes 200`; empty when the handler was never reached
    change: str
    #: what the test that failed said; empty when none failed
    words: str

    @property
    def seen(self) -> bool:
        """Say whether the change was made and a test failed."""
        return bool(self.change and self.words)

    def __str__(self) -> str:
        """Say it in a line."""
        said = f"seen      {self.words[:110]}" if self.seen else "SURVIVED"
        return f"{self.mutant.operation:62} {self.change or 'never reached':38} {said}"


def main() -> int:
    """Change handlers one by one on a running stand-in; 0 when the tests of each have failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mutants", description=main.__doc__)
    parser.add_argument("--each", type=int, default=1, metavar="N", help="handlers of each section (default: 1)")
    parser.add_argument("--seed", type=int, default=1, help="chooses handlers and fields (default: 1)")
    parser.add_argument("--only", metavar="TEXT", default="", help="only operations that contain this")
    options = parser.parse_args()
    mutants = list(choose(options.each, options.seed, options.only))
    with tempfile.TemporaryDirectory(prefix="octoload-mutants-") as folder:
        copy = copied(Path(folder))
        print(f"{len(mutants)} handlers, seed {options.seed}; first their tests as they are", flush=True)
        if words := failure(copy, sorted({test for one in mutants for test in one.tests})):
            print(f"the tests fail without any change, so nothing can be said: {words}")
            return 2
        outcomes = []
        for mutant in mutants:
            outcomes.append(judge(copy, mutant))
            print(outcomes[-1], flush=True)
    return report(outcomes)


def report(outcomes: list[Outcome]) -> int:
    """Print the score; return the exit code."""
    seen = Counter(one.mutant.kind for one in outcomes if one.seen)
    for kind, count in Counter(one.mutant.kind for one in outcomes).items():
        print(f"{kind}: {seen[kind]} of {count} changes turned their tests red")
    members = sum(contract.LOST in one.words and " lacks " not in one.words for one in outcomes)
    print(f"{members} of them only by the record of members (tests/contract_shapes.json)")
    return 0 if all(one.seen for one in outcomes) else 1


def choose(each: int, seed: int, only: str = "") -> Iterator[Mutant]:
    """Draw operations of each section that have tests; every fourth changes its status, the others lose a field."""
    served, proofs, rng, number = contract.routes(), contract.proofs(), random.Random(seed), 0
    for section, operations in contract.sections().items():
        proved = [one for one in operations if only in one.text and one.key in served and one.key in proofs]
        # What is refused whatever is sent has no answer of its own to change.
        found = [one for one in proved if served[one.key].path not in contract.REFUSED]
        for operation in rng.sample(found, min(each, len(found))):
            number += 1
            route, tests = served[operation.key], tuple(f"tests/integration/{one}" for one in proofs[operation.key])
            kind = "status" if number % _STATUS == 0 else "field"
            yield Mutant(section, operation.text, route.method, route.path, kind, rng.randrange(1 << 30), tests)


def copied(folder: Path) -> Path:
    """Copy the tree into a folder, with what changes a handler in its place; return the folder."""
    for part in _PARTS:
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    shutil.copy(Path(__file__).with_name("changed.py"), folder / "standin" / "web")
    return folder


def judge(copy: Path, mutant: Mutant) -> Outcome:
    """Plant a mutant in the copy, run its tests, and take it out again."""
    routes, note = copy / "standin" / "web" / "routes.py", copy / "standin" / "web" / "changed.txt"
    original = routes.read_text("utf-8")
    note.unlink(missing_ok=True)
    plant = _PLANT.format(method=mutant.method, path=mutant.path, kind=mutant.kind, number=mutant.number)
    routes.write_text(original + plant, "utf-8")
    try:
        words = failure(copy, list(mutant.tests))
    finally:
        routes.write_text(original, "utf-8")
    return Outcome(mutant, note.read_text("utf-8") if note.exists() else "", words)


def failure(copy: Path, tests: list[str]) -> str:
    """Run tests in the copy of the tree; return what the first that failed said, or "" when all passed."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    environment = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            command, cwd=copy, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        return f"the tests did not end within {PATIENCE} s"
    if done.returncode not in {0, 1}:
        raise RuntimeError(f"pytest ended with {done.returncode}: {(done.stdout + done.stderr)[-2000:]}")
    # Errors, which the comparison of members makes after a test, are printed before failures.
    _, _, failures = done.stdout.partition("= FAILURES =")
    said = re.search(r"^E +(.*)$", failures or done.stdout, re.MULTILINE)
    return "" if done.returncode == 0 else said[1] if said else done.stdout[-200:]


if __name__ == "__main__":
    sys.exit(main())
