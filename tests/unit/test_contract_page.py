"""The contract is whole: each operation is served and proved by a test, and docs/contract.md says so."""

import pytest

from tests import contract
from tests.contract_operations import OPERATIONS

pytestmark = pytest.mark.unit


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


def test_the_page_is_up_to_date() -> None:
    """docs/contract.md is what `python -m tests.contract` writes."""
    assert contract.PAGE.read_text("utf-8") == contract.render()
