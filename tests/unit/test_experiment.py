"""Experiments: what an experiment file may say, and what it is told when it says anything else."""

from collections import Counter
from pathlib import Path

import pytest
from brought import changed

from experiments import plan, workload
from experiments.experiment import DEMONSTRATION, Design, demonstration, load
from experiments.plan import Generator, write_up
from experiments.workload import CLOSED, OPERATIONS
from octoload.errors import UsageError
from seeders.history import History

pytestmark = pytest.mark.unit

RETENTION = Path(__file__).parents[2] / "experiments" / "retention.yaml"


def test_the_full_design_is_the_default() -> None:
    """An experiment that says nothing of its design gets that of statistics §0: 8 pairs of two minutes."""
    design = load(RETENTION).design
    assert (design.pairs, design.seconds, design.demonstration) == (8, 120.0, False)
    assert design == Design()
    assert DEMONSTRATION.demonstration


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("workload:", "wrokload:", "workload"),
        ("dashboard: 5.1", "dashbord: 5.6", "'dashboard'"),
        ("dashboard: 5.1", "dashboard: -1", "above 0"),
        ("dashboard: 5.1", "dashboard: fast", "dashboard"),
        ("{keep: 3, unit: Items}", "{keep: -3, unit: Items}", "keep"),
        ("{keep: 3, unit: Items}", "{keep: 3, unit: Weeks}", "unit"),
        ("{keep: 3, unit: Items}", "{kep: 3}", "keep"),
        ("contender: keep-3", "contender: keep-33", "'keep-3'"),
        ("contender: keep-3", "contender: keep-all", "same arm"),
        ("[dashboard p50]", "[dashboard]", "dashboard p50"),
        ("[dashboard p50]", "[]", "1 to 5"),
        ("margin: 0.10", "margin: 10", "share"),
        ("margin: 0.10", "margin: 0.10\ndesign: {pairs: 1}", "2 pairs"),
        ("history: demo", "# no history", "history"),
        ("  keep-all: {subject: keeping all releases}", "  keep-all: {url: 'http://127.0.0.1:1'}", "url"),
        ("question: What", "question: [What", "YAML"),
        ("nodes: 1", "nodes: -1", "nodes"),
        ("{subject: keeping all releases}", "{before: echo}", "before"),
        ("{subject: keeping all releases}", "{before: [echo], within: 0}", "commands 0 s"),
        ("time_scale: 20", "time_scale: .nan", "time_scale"),
        ("dashboard: 5.1", "dashboard: .inf", "above 0"),
        ("[dashboard p50]", "[dashbord p50]", "'dashboard'"),
        ("[dashboard p50]", "[deployments p50]", "nothing in the workload"),
        ("control: [audit]", "control: [audti]", "'audit'"),
        ("name: retention", "name: a/b", "folder"),
        ("arrivals: constant", "stages: [{seconds: 60, factor: 2}]", "60 s together"),
        ("arrivals: constant", "stages: [{seconds: 120, factro: 2}]", "factor"),
        ("arrivals: constant", "trace: trace.csv", "a trace, which says itself"),
        ("arrivals: constant", "pollers: {waiting-agnet: 3}", "'waiting-agent'"),
        ("arrivals: constant", "pollers: {waiting-agent: 0}", "Give 1 to"),
        ("arrivals: constant", "pollers: {waiting-agent: 2.5}", "pollers"),
        ("    dashboard: 5.1", "    waiting-agent: 5.1", "`pollers`"),
    ],
)
def test_a_wrong_experiment_is_told_what_and_where(tmp_path: Path, old: str, new: str, said: str) -> None:
    """Each fault ends in a UsageError that names the file and the thing, in at most a few lines."""
    with pytest.raises(UsageError) as caught:
        load(changed("retention", tmp_path, old, new))
    message = str(caught.value)
    assert "changed.yaml" in message
    assert said in message
    assert len(message.splitlines()) <= 3


@pytest.mark.parametrize("cap", [0, -1, 10_001])
def test_a_task_cap_that_cannot_be_measured_is_told(tmp_path: Path, cap: int) -> None:
    """A node without slots works off nothing; the arm and the limits are named."""
    with pytest.raises(UsageError, match=f"'cap-40' has a task cap of {cap}"):
        load(changed("task-cap", tmp_path, "task_cap: 40", f"task_cap: {cap}"))


def test_nodes_are_told_from_slots() -> None:
    """The law of scaling is fitted to the arms that differ in nothing but their nodes."""
    experiment = load(RETENTION.with_name("ha-nodes.yaml"))
    decided = write_up(experiment, None, Generator())
    assert decided["nodes"] == {"1-node": 1, "2-nodes": 2, "3-nodes": 3, "4-nodes": 4}
    assert experiment.arms["1-node-10-slots"].task_cap == 2 * experiment.arms["1-node"].task_cap


def test_a_task_cap_that_would_stay_from_the_trial_before_is_told(tmp_path: Path) -> None:
    """Arms are switched on one server: one that says nothing of the cap would run with another's."""
    with pytest.raises(UsageError, match="that of the trial before"):
        load(changed("task-cap", tmp_path, ", task_cap: 40", ""))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("dashboard: 10", "deployment-stream: 10", "'deployment-stream' queues tasks"),
        ("drain: {tasks: 120}", "drain: {tasks: 120}\n  follow: 60", "Leave the rest out"),
        ("drain: {tasks: 120}", "follow: -1", "follow is -1"),
        ("drain: {tasks: 120}", "follow: 60", "'drain', which nothing"),
    ],
)
def test_what_does_not_go_with_a_drain_is_told(tmp_path: Path, old: str, new: str, said: str) -> None:
    """Only what queues no tasks itself runs beside a drain; without one, nothing is drained."""
    with pytest.raises(UsageError, match=said):
        load(changed("task-cap", tmp_path, old, new))


def test_a_closed_loop_decides_nothing(tmp_path: Path) -> None:
    """What only pollers ask for is no endpoint, for a closed loop leaves out what waited (statistics §3)."""
    file = changed("retention", tmp_path, "arrivals: constant", "pollers: {waiting-agent: 30}")
    assert load(file).workload.pollers == {"waiting-agent": 30}
    file.write_text(file.read_text(encoding="utf-8").replace("control: [audit]", "control: [agent-poll]"), "utf-8")
    with pytest.raises(UsageError, match="only pollers ask"):
        load(file)


@pytest.fixture
def traced(tmp_path: Path) -> Path:
    """Return an experiment of two dashboards and an audit trail in 4 s, as a trace beside its file has them."""
    text = "time,scenario\n0,dashboard\n1,dashboard\n2,audit-search\n4.5,dashboard\n"
    (tmp_path / "trace.csv").write_text(text, encoding="utf-8")
    mix = RETENTION.read_text(encoding="utf-8").partition("  arrivals:")[2].partition("\n\n")[0]
    return changed("retention", tmp_path, f"  arrivals:{mix}", "  trace: trace.csv\ndesign: {seconds: 4, warm_up: 1}")


def test_a_trace_is_found_beside_the_experiment(traced: Path) -> None:
    """Its arrivals are what objectives may name, and the plan holds its mean rates, its name and its fingerprint."""
    decided = plan.write_up(load(traced), None, plan.Generator())
    workload = decided["workload"]
    assert workload["mix"] == {"audit-search": 0.25, "dashboard": 0.5}
    assert workload["trace"] == "trace.csv"
    (traced.parent / "trace.csv").write_bytes((traced.parent / "trace.csv").read_bytes().replace(b"4.5", b"4.6"))
    again = plan.write_up(load(traced), None, plan.Generator())["workload"]
    assert again["mix"] == workload["mix"]
    assert again["fingerprint"] != workload["fingerprint"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("dashboard", "dashbord", "'dashbord'"),
        ("audit-search", "task-list", "'audit', which nothing in the workload"),
        ("2,audit", "nan,audit", "arrival 3"),
        ("4.5", "1.5", "before the one above"),
    ],
)
def test_a_bad_trace_is_told_with_the_experiment(traced: Path, old: str, new: str, said: str) -> None:
    """What is wrong in it is said before anything is made."""
    file = traced.parent / "trace.csv"
    file.write_text(file.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        load(traced)
    assert said in str(caught.value)
    file.unlink()
    with pytest.raises(UsageError, match=r"trace\.csv is missing"):
        load(traced)


def test_a_demonstration_keeps_the_shape_of_stages(tmp_path: Path) -> None:
    """Stages of two minutes fill the ten seconds of a demonstration in the same proportions."""
    text = "stages: [{seconds: 30, factor: 0.5}, {seconds: 90, factor: 2}]"
    shown = demonstration(load(changed("retention", tmp_path, "arrivals: constant", text)))
    assert shown.design == DEMONSTRATION
    assert [(stage.seconds, stage.factor) for stage in shown.workload.stages] == [(2.5, 0.5), (7.5, 2.0)]


def test_operations_are_those_of_the_scenarios() -> None:
    """What an experiment may name is what the scenarios of the house send, read from their source."""
    folder = RETENTION.parents[1] / "scenarios"
    source = "".join(file.read_text(encoding="utf-8") for file in sorted(folder.glob("*.py")))
    for scenario, operations in {**OPERATIONS, **CLOSED}.items():
        assert f'"{scenario}"' in source
        assert all(f'"{operation}"' in source for operation in operations)


def test_open_and_closed_latencies_never_mix() -> None:
    """No operation belongs to two kinds of load, so none is asked both on schedule and in a closed loop."""
    operations = [operation for asked in [*OPERATIONS.values(), *CLOSED.values()] for operation in asked]
    assert len(operations) == len(set(operations))


def test_an_unknown_key_names_its_line(tmp_path: Path) -> None:
    """The message for a misspelt key gives the line on which it stands."""
    file = changed("retention", tmp_path, "  arrivals: constant", "  arivals: constant")
    number = file.read_text(encoding="utf-8").splitlines().index("  arivals: constant") + 1
    with pytest.raises(UsageError, match=rf"{number}\D"):
        load(file)


@pytest.mark.parametrize("content", ["", "name: x\nquest", "- 1\n- 2\n", "a: {b", "\x00\x01"])
def test_an_empty_or_half_written_file_is_refused(tmp_path: Path, content: str) -> None:
    """No content of a file leads to anything but a UsageError."""
    file = tmp_path / "broken.yaml"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match=r"broken\.yaml"):
        load(file)


@pytest.mark.parametrize("file", sorted(RETENTION.parent.glob("*.yaml")), ids=lambda file: file.stem)
def test_each_experiment_that_octoload_brings_holds_together(file: Path) -> None:
    """It loads under its own name, its plan visits all arms alike, and its first lines say how to run it."""
    experiment = load(file)
    assert experiment.name == file.stem
    trials = plan.write_up(experiment, None, plan.Generator())["trials"]
    visits = Counter(trial["arm"] for trial in trials)
    assert visits == dict.fromkeys(experiment.arms, experiment.design.pairs)
    head = file.read_text(encoding="utf-8").partition("\nname:")[0]
    assert f"octoload run {file.stem}" in head or f"octoload run experiments/{file.name}" in head


def test_the_brought_experiments_cover_each_scenario_that_queues_tasks() -> None:
    """Deployments at once and for later, runbooks, health checks, retention: each is in a question that is shipped."""
    used = {name for file in RETENTION.parent.glob("*.yaml") for name in load(file).workload.mix}
    assert used >= workload.QUEUING


def test_the_burst_is_forty_deployments_at_one_moment() -> None:
    """Twice in the measured phase, over as many pairs of project and environment as there are deployments."""
    experiment = load(RETENTION.with_name("burst.yaml"))
    counts = workload.sessions(experiment.workload, experiment.design.phases(experiment.workload))
    assert counts["deployment-stream"] == 80
    rows = (RETENTION.parent / "burst.csv").read_text(encoding="utf-8").splitlines()
    moments = Counter(row.partition(",")[0] for row in rows if row.endswith("deployment-stream"))
    assert list(moments.values()) == [40, 40]
    assert isinstance(experiment.history, History)
    assert experiment.history.projects * experiment.history.environments >= 2 * 40
