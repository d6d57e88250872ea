"""YAML files read into records: what is wrong is said with its line and a cure."""

import contextlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from octoload import yamlfile
from octoload.errors import UsageError
from seeders.history import History

pytestmark = pytest.mark.unit


class Inner(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A record inside others."""

    keep: int
    unit: str = "Items"


class Outer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A record with all that a YAML file may hold."""

    name: str
    one: Inner | None = None
    many: list[Inner] = []
    named: dict[str, Inner] = {}
    rates: dict[str, float] = {}
    either: str | Inner | None = None


FAULTS = [
    # text, line, words of the message, words of the cure
    ("name: a\nnmae: b", 2, "unknown key 'nmae'", "Did you mean 'name'?"),
    ("name: a\nzzz: b", 2, "unknown key 'zzz'", "Known are: name, one, many"),
    ("one:\n  keep: 3", 1, "no key 'name'", "Add a line `name: …`"),
    ("name: [a]", 1, "name: expected `str`", "Correct the value"),
    ("name: a\none:\n  keep: x", 3, "one.keep: expected `int`, got `str`", ""),
    ("name: a\none:\n  kep: 3", 3, "unknown key 'kep' in one", "Did you mean 'keep'?"),
    ("name: a\nmany:\n- keep: 1\n- keep: 1\n  unit: 3", 5, "many.1.unit: expected `str`", '`unit: "Items"`'),
    ("name: a\nnamed:\n  x: {keep: 1}\n  y:\n    kept: 2", 5, "unknown key 'kept' in named.y", "'keep'"),
    ("name: a\nrates:\n  x: 1\n  y: fast", 4, "rates.y: expected `float`", ""),
    ("name: a\nrates:\n  1: 2", 2, "a key of rates: expected `str`", "quotes"),
    ("name: a\neither: {kep: 1}", 2, "unknown key 'kep' in either", "'keep'"),
    ("name: a\nmany:", 2, "many: expected `array`, got `null`", ""),
    ("name: a\nname: b", 2, "'name' stands there twice", "Leave one of them out"),
    ("name: a\n  b: c", 2, "no valid YAML", "indentation"),
    ("name: 'a", 1, "no valid YAML", "half-written"),
    ("name: a\nmany: [{keep: 1}, {ke", 2, "no valid YAML", "half-written"),
    ("\tname: a", 1, "no valid YAML", ""),
    ("name: !!python/object:os.system a", 1, "no valid YAML", ""),
    ("- name", 1, "there are no keys", "`key: value`"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "message", "cure"), FAULTS)
def test_a_fault_is_said_with_its_line_and_a_cure(text: str, line: int, message: str, cure: str):
    """Whatever is wrong in a file, the message names file, line and place, and the cure says what to write."""
    with pytest.raises(UsageError) as caught:
        yamlfile.parse(text, Outer, "file.yaml")
    assert caught.value.message.startswith(f"file.yaml:{line}: ")
    assert message in caught.value.message
    assert cure in caught.value.cure
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "\x00", "---\n"])
def test_an_empty_file_is_refused(text: str):
    """A file without content is an error, not a history of defaults."""
    with pytest.raises(UsageError, match=r"file\.yaml"):
        yamlfile.parse(text, History, "file.yaml")


@given(st.text())
def test_any_text_is_read_or_refused(text: str):
    """No text makes the reader fail in another way."""
    with contextlib.suppress(UsageError):
        assert isinstance(yamlfile.parse(text, History, "file.yaml"), History)


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("projects: -1", ">= 1"),
        ("releases_per_project: -3", ">= 0"),
        ("failure_share: 1.5", "<= 1"),
        ("failure_share: .nan", ">= 0"),
        ("age_days: 0", ">= 1"),
        ("deployments_per_release: -0.5", ">= 0"),
        ("seed: -1", ">= 0"),
        ("machines: 2.5", "`int`"),
        ("projects: ", "`int`"),
        ("projects: yes", "`int`"),
    ],
)
def test_a_history_has_bounds(line: str, word: str):
    """Numbers that make no sense are refused, and an example of one that does is given."""
    key = line.partition(":")[0]
    with pytest.raises(UsageError) as caught:
        yamlfile.parse(f"name: x\n{line}", History, "file.yaml")
    assert caught.value.message.startswith(f"file.yaml:2: {key}: ")
    assert word in caught.value.message
    assert f"`{key}: " in caught.value.cure
