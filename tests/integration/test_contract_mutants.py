"""The tests of the contract notice: an answer without one of its members, or with a wrong status, turns them red."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests import contract
from tests.contract_fields import FIELDS, item_of
from tests.tampering import VARIABLE

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
#: answers that are spoilt, each in a run of its own; `make calibrate` tries 20
COUNT = int(os.environ.get("OCTOLOAD_MUTANTS", "2"))


def mutants(count: int) -> list[str]:
    """Draw answers to spoil: of three, two lack a member that octopus-api lists, one has another status."""
    drawn = random.Random(4)
    served = contract.routes()
    every = [one for ones in contract.sections().values() for one in ones if not one.is_rule]
    listed = [one for one in every if item_of(served[one.key])]
    found = []
    for number in range(count):
        if number % 3 == 1:
            found.append(f"{drawn.choice(every).text} status")
            continue
        operation = drawn.choice(listed)
        member = drawn.choice(sorted(FIELDS[str(item_of(served[operation.key]))] - {"Id"}))
        found.append(f"{operation.text} drop {member}")
    return found


@pytest.mark.parametrize("mutant", mutants(COUNT))
def test_a_spoilt_answer_turns_the_tests_of_its_operation_red(mutant: str) -> None:
    """One of the tests that say that they prove the operation fails when its answer is spoilt."""
    operation = " ".join(mutant.split()[:2])
    proofs = [f"tests/integration/{one}" for one in contract.proofs()[contract.spelling(operation)]]
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *proofs]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, VARIABLE: mutant}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, f"{mutant}: nobody noticed\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
