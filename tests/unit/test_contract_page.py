"""The contract is whole: each operation is served and proved by a test, and docs/contract.md says so."""

import re

import pytest

from tests import contract
from tests.contract_operations import OPERATIONS

pytestmark = pytest.mark.unit

#: what is posted, and changes no document
UNCHANGING = (
    "POST users/logout",
    "POST channels/rule-test",
    "POST packages/{packageId}/{baseVersion}/delta",
    "POST releases/{id}/deployments/previews",
    "POST runbook-runs/git/create/v1",
    "POST serverstatus/gc-collect",
)
#: what needs a server of its own: the test that proves it looks at the audit trail as well
ELSEWHERE = ("DELETE octopusservernodes/{id}", "POST tasks/{id}/abandon", "DELETE events/archives/{fileName}")


@pytest.mark.parametrize("section", OPERATIONS)
def test_each_operation_is_served_and_proved(section: str) -> None:
    """An operation of the list has a route, and a test that calls it; a rule has a test."""
    served, proved = contract.routes(), contract.proofs()
    listed = contract.sections()[section]
    assert [one.text for one in listed if not one.is_rule and one.key not in served] == []
    assert [one.text for one in listed if contract.spelling(one.text) not in proved] == []


def test_what_tests_prove_is_in_the_list_or_served() -> None:
    """A mark that names neither an operation of the list nor another route is a mistake."""
    listed = {contract.spelling(one.text) for ones in contract.sections().values() for one in ones}
    assert sorted(set(contract.proofs()) - listed - set(contract.routes())) == []


def test_no_operation_of_the_list_is_an_empty_list() -> None:
    """What the contract names is answered with what there is."""
    served = contract.routes()
    listed = {one.key for ones in contract.sections().values() for one in ones if not one.is_rule}
    assert [key for key in listed & set(served) if contract.is_empty(served[key])] == []


def test_the_audit_of_each_change_is_looked_at() -> None:
    """Whatever operation of the list changes something is done in test_contract_audit.py, but for these."""
    changing = {
        one.key
        for ones in contract.sections().values()
        for one in ones
        if not one.is_rule and not one.text.startswith("GET ")
    }
    text = (contract.HERE / "integration" / "test_contract_audit.py").read_text("utf-8")
    looked_at = {contract.spelling(found) for found in re.findall(r'"((?:POST|PUT|DELETE) [^"]+)"', text)}
    assert looked_at <= set(contract.routes())
    assert sorted(changing - looked_at - {contract.spelling(one) for one in (*UNCHANGING, *ELSEWHERE)}) == []


def test_the_page_is_up_to_date() -> None:
    """docs/contract.md is what `python -m tests.contract` writes."""
    assert contract.PAGE.read_text("utf-8") == contract.render()
