"""What a deployment does: groups of steps, and variables by their scope."""

from typing import Any

import pytest

from standin.process import Scope, environment_name, evaluate, fill_in, plan, substitute, wants_to_run

pytestmark = pytest.mark.unit

HERE = Scope("Environments-1", "Channels-1", None)


def step(name: str, trigger: str = "StartAfterPrevious", **action: Any) -> dict[str, Any]:
    script = {"Octopus.Action.Script.Syntax": "Bash", "Octopus.Action.Script.ScriptBody": "true"}
    return {"Name": name, "StartTrigger": trigger, "Actions": [{"Name": name, "Properties": script, **action}]}


def test_steps_that_start_with_the_previous_share_its_group() -> None:
    """Groups run one after the other, the steps of a group side by side."""
    steps = [step("a"), step("b", "StartWithPrevious"), step("c"), step("d", "StartWithPrevious")]
    groups = plan({"Steps": steps}, HERE)
    assert [[one.name for one in group] for group in groups] == [["a", "b"], ["c", "d"]]


def test_what_does_not_apply_is_left_out_but_keeps_its_number() -> None:
    """Disabled, skipped and elsewhere-bound actions do not run; the numbers of the others do not move."""
    steps = [
        step("disabled", IsDisabled=True),
        step("skipped", Id="Actions-2"),
        step("elsewhere", Environments=["Environments-2"]),
        step("excluded", ExcludedEnvironments=["Environments-1"]),
        step("other channel", Channels=["Channels-2"]),
        step("runs", Environments=["Environments-1"]),
    ]
    groups = plan({"Steps": steps}, HERE, skipped=["Actions-2"])
    assert [(one.number, one.name) for group in groups for one in group] == [(6, "runs")]


@pytest.mark.parametrize(
    ("condition", "failed", "runs"),
    [
        ("Success", False, True),
        ("Success", True, False),
        ("Failure", False, False),
        ("Failure", True, True),
        ("Always", True, True),
    ],
)
def test_a_step_runs_on_its_condition(condition: str, *, failed: bool, runs: bool) -> None:
    """What happened before decides."""
    assert wants_to_run(condition, failed=failed) is runs


def test_the_narrowest_scope_wins() -> None:
    """A machine beats an environment, an environment beats none, and what is scoped elsewhere does not hold."""
    variables: list[dict[str, Any]] = [
        {"Name": "Url", "Value": "anywhere", "Scope": {}},
        {"Name": "Url", "Value": "environment", "Scope": {"Environment": ["Environments-1"]}},
        {"Name": "Url", "Value": "machine", "Scope": {"Machine": ["Machines-1"]}},
        {"Name": "Url", "Value": "elsewhere", "Scope": {"Environment": ["Environments-2"], "Machine": ["Machines-1"]}},
    ]
    assert evaluate(variables, HERE)["Url"] == "environment"
    assert evaluate(variables, Scope("Environments-1", "Channels-1", None, "Machines-1"))["Url"] == "machine"
    assert evaluate(variables, Scope("Environments-3", "Channels-1", None))["Url"] == "anywhere"


def test_only_a_variable_with_a_prompt_is_filled_in() -> None:
    """By its id or, without regard to case, by its name; an empty value counts, one for no prompt does not."""
    prompt = {"Label": "Which?", "Required": True}
    prompts: list[dict[str, Any]] = [
        {"Id": f"v{number}", "Name": name, "Value": "old", "Prompt": prompt} for number, name in enumerate("ABC")
    ]
    plain = {"Id": "v3", "Name": "D", "Value": "old", "Prompt": None}
    filled = fill_in([*prompts, plain], {"v0": "by id", "b": "", "D": "no", "v3": "no"})
    assert [one["Value"] for one in filled] == ["by id", "", "old", "old"]
    assert [one["Value"] for one in prompts] == ["old"] * 3


def test_places_are_filled_also_inside_values() -> None:
    """A value may name others; an unknown name stays as it is, and a circle ends."""
    values = {"Host": "web1", "Url": "http://#{Host}/", "Circle": "#{Circle}"}
    assert substitute("curl #{Url} #{ Host } #{Nobody}", values) == "curl http://web1/ web1 #{Nobody}"
    assert substitute("#{Circle}", values) == "#{Circle}"


def test_scripts_see_system_variables_as_environment_variables() -> None:
    """Dots become underscores, all in capitals."""
    assert environment_name("Octopus.Deployment.Comments") == "OCTOPUS_DEPLOYMENT_COMMENTS"
