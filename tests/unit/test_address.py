"""Hosts and ports as options name them."""

import pytest

from experiments import address
from experiments.address import Address
from octoload.errors import UsageError

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "found"),
    [("8089", Address("127.0.0.1", 8089)), ("0.0.0.0:80", Address("0.0.0.0", 80)), ("[::1]:80", Address("::1", 80))],
)
def test_a_port_alone_is_one_of_this_machine(text: str, found: Address) -> None:
    """`--web 8089` serves nobody else; for others a host must be named."""
    assert address.here(text, "--web") == found


@pytest.mark.parametrize("text", ["localhost", "0", "99999", "host:port", ":80", "a@b:80"])
def test_what_names_no_port_is_refused(text: str) -> None:
    """The message names the option and what was given."""
    with pytest.raises(UsageError, match="--web") as refused:
        address.here(text, "--web")
    assert text in refused.value.message
