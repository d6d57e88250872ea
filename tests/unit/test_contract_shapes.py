"""The members of an answer are compared with those that its operation has always had."""

from typing import Any

import pytest

from tests import contract, contract_shapes
from tests.contract_shapes import common, lacking, shape_of

pytestmark = pytest.mark.unit

PAGE: dict[str, Any] = {
    "TotalResults": 2,
    "Items": [{"Id": "A-1", "Name": "a", "LastModifiedOn": "now"}, {"Id": "A-2", "Name": "b", "More": 1}],
}
SHAPE = {"": ["Items", "TotalResults"], "Items[]": ["Id", "Name"]}


def test_a_shape_holds_what_all_documents_of_a_place_have() -> None:
    """Members named after documents, and those of a later change, are not in it."""
    assert shape_of(PAGE) == SHAPE
    assert shape_of([{"Id": 1}, {"Id": 2, "Name": "b"}]) == {"[]": ["Id"]}
    assert shape_of({"Environments-1": {}, "Ids": ["a"]}) == {"": ["Ids"]}
    assert shape_of("text") == {}
    assert common(SHAPE, {"": ["Items"], "Links[]": ["Self"]}) == {**SHAPE, "": ["Items"], "Links[]": ["Self"]}


@pytest.mark.parametrize(
    ("body", "lost"),
    [
        (PAGE, []),
        ({**PAGE, "Items": []}, []),
        ({"Items": PAGE["Items"]}, ["TotalResults"]),
        ({**PAGE, "Items": [*PAGE["Items"], {"Id": "A-3"}]}, ["Items[].Name"]),
        ([], []),
    ],
)
def test_an_answer_lacks_what_its_shape_has(body: Any, lost: list[str]) -> None:
    """One document without a member is enough; an empty list says nothing about its documents."""
    assert lacking(SHAPE, body) == lost


def test_there_is_a_shape_for_nearly_every_operation() -> None:
    """What answers with a file or a text has none, and what is newer than the record."""
    listed = {one.key for ones in contract.sections().values() for one in ones if not one.is_rule}
    proved = {key for key in listed if key in contract.routes() and key in contract.proofs()}
    assert len(proved & contract_shapes.read().keys()) > 0.9 * len(proved)
