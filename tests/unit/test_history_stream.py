"""The stream of a history: complete, in order, the same each time, and possible on an Octopus Server."""

import hashlib
import itertools
from collections import Counter, defaultdict
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seeders import plan, stream
from seeders.history import History
from seeders.rhythm import Rhythm, end_of_last_week
from seeders.stream import Deployment, Release, RunbookRun

pytestmark = pytest.mark.unit

histories = st.builds(
    History,
    name=st.sampled_from(["", "a", "A history"]),
    seed=st.integers(0, 2**63 - 1),
    spaces=st.integers(1, 2),
    environments=st.integers(1, 6),
    projects=st.integers(1, 12),
    releases_per_project=st.integers(0, 12),
    deployments_per_release=st.floats(0, 6),
    machines=st.integers(0, 5),
    tenants=st.integers(0, 4),
    variables=st.integers(0, 12),
    steps=st.integers(1, 9),
    channels=st.integers(0, 2),
    tag_sets=st.integers(0, 2),
    packages=st.integers(0, 3),
    runbooks=st.integers(0, 2),
    runs_per_runbook=st.integers(0, 3),
    users=st.integers(0, 10),
    promotion=st.booleans(),
    age_days=st.integers(1, 400),
    failure_share=st.floats(0, 1),
)
REFERENCES = ("project", "release", "environment", "lifecycle", "channel", "runbook")
MIDDLING = History(name="middling", projects=20, releases_per_project=100)


def records(history: History) -> list[dict]:
    return [msgspec.to_builtins(record) for record in plan.draw(history)]


def deployments_of(history: History) -> list[Deployment]:
    return [record for record in plan.draw(history) if isinstance(record, Deployment)]


@given(histories)
@settings(max_examples=40)
def test_totals_are_exact(history: History):
    """A space has exactly projects x releases_per_project releases, and the rounded share of deployments."""
    drawn = plan.draw(history)
    counts = Counter((type(record), getattr(record, "space", "")) for record in drawn)
    for number in range(history.spaces):
        assert counts[Release, f"s{number + 1}"] == history.projects * history.releases_per_project
        assert counts[Deployment, f"s{number + 1}"] == round(history.releases * history.deployments_per_release)
        assert counts[RunbookRun, f"s{number + 1}"] == history.projects * history.runbooks * history.runs_per_runbook
    assert drawn.total == counts.total()


@given(histories)
@settings(max_examples=40)
def test_each_record_comes_after_what_it_refers_to(history: History):
    """A loader can read the stream once, from top to bottom; keys are unique within kind and space."""
    seen: set[tuple[str, str, str]] = set()
    for record in records(history):
        space = record.get("space", "")
        refers = [
            ("space", "", space) if space else None,
            *((kind, space, record[kind]) for kind in REFERENCES if kind in record),
            *(("project_group", space, record[name]) for name in ("group",) if name in record),
            ("tenant", space, record["tenant"]) if record.get("tenant") else None,
        ]  # fmt: skip
        if record["kind"] == "machine":
            refers += [("environment", space, key) for key in record["environments"]]
        if record["kind"] == "tenant":
            refers += [("project", space, key) for key in record["projects"]]
            refers += [("tag", space, tag) for tag in record.get("tags", ())]
        if record["kind"] == "tag_set":
            seen |= {("tag", space, f"{record['name']}/{tag}") for tag in record["tags"]}
        if record["kind"] == "team":
            refers += [("user", "", key) for key in record["users"]]
        if record["kind"] == "package":
            seen.add(("package name", space, record["name"]))
        for step in record.get("steps", ()):
            refers += [("package name", space, step["package"])] if step.get("package") else []
        assert {refer for refer in refers if refer} <= seen
        if "key" in record:
            identity = (record["kind"], space, record["key"])
            assert identity not in seen
            seen.add(identity)


@given(histories)
@settings(max_examples=40)
def test_times_are_in_order_and_end_before_the_history(history: History):
    """Releases and deployments of all projects come by time; none is before the start or after the end."""
    last = -history.age_days * 86400.0
    for record in plan.draw(history):
        if isinstance(record, Release | Deployment | RunbookRun):
            moment = record.assembled if isinstance(record, Release) else record.queued
            assert last <= moment
            last = moment
        if isinstance(record, Deployment | RunbookRun):
            assert record.queued <= record.started <= record.completed <= 0


@given(histories)
@settings(max_examples=40)
def test_one_deployment_runs_at_a_time_in_a_project_and_environment(history: History):
    """No deployment starts before the last one of its project and environment is complete (facts §2.2)."""
    free: dict[tuple[str, str, str], float] = defaultdict(lambda: float("-inf"))
    for deployment in deployments_of(history):
        place = (deployment.space, deployment.project, deployment.environment)
        assert deployment.started >= free[place]
        free[place] = deployment.completed


@given(histories)
@settings(max_examples=40)
def test_promotion_follows_success(history: History):
    """A release is first deployed to an environment after a success in the one before, and one at a time (A.4)."""
    history = msgspec.structs.replace(history, promotion=True)
    succeeded: dict[tuple[str, str], set[int]] = defaultdict(set)
    completed: dict[tuple[str, str], float] = {}
    for deployment in deployments_of(history):
        release, order = (deployment.space, deployment.release), int(deployment.environment[1:])
        assert order == 1 or order - 1 in succeeded[release]
        assert deployment.queued >= completed.get(release, float("-inf"))
        completed[release] = deployment.completed
        if deployment.outcome == "Success":
            succeeded[release].add(order)


@given(histories)
@settings(max_examples=30)
def test_names_and_versions_are_unique_where_octopus_wants_it(history: History):
    """Names are unique in a space whatever their case; versions are unique in a project, and only grow."""
    names: Counter[tuple[str, str, str]] = Counter()
    versions: dict[tuple[str, str], tuple[int, ...]] = {}
    for record in records(history):
        if "name" in record and record["kind"] not in ("user", "package"):
            place = (record.get("space", ""), record["project"] if record["kind"] in ("channel", "runbook") else "")
            names[record["kind"], place, record["name"].lower()] += 1
        if record["kind"] == "release":
            project, version = (record["space"], record["project"]), tuple(map(int, record["version"].split(".")))
            assert version > versions.get(project, ())
            versions[project] = version
    assert not [name for name, count in names.items() if count > 1]


@given(histories)
@settings(max_examples=20)
def test_a_history_is_the_same_each_time(history: History):
    """The same settings give the same lines; another seed gives others."""
    footer = stream.write(plan.draw(history))
    other = msgspec.structs.replace(history, seed=history.seed ^ 1)
    assert stream.write(plan.draw(history)) == footer
    assert stream.write(plan.draw(other)).fingerprint != footer.fingerprint


def test_the_fingerprint_is_that_of_the_lines_as_written():
    """Whoever hashes the lines between header and footer gets the footer's fingerprint and counts."""
    written = bytearray()
    footer = stream.write(plan.draw(MIDDLING), written.extend)
    assert footer.fingerprint == f"sha256:{hashlib.sha256(written).hexdigest()}"
    kinds = Counter(msgspec.json.decode(line)["kind"] for line in written.splitlines())
    assert kinds == footer.counts


def test_the_timeline_of_a_seed_does_not_change_between_versions():
    """A fingerprint that was published stays valid: chance is drawn the same way on every Python and machine."""
    timed = [record for record in plan.draw(MIDDLING) if isinstance(record, Release | Deployment)]
    digest = hashlib.sha256(msgspec.json.encode([(r.key, r.project) for r in timed])).hexdigest()
    assert digest[:16] == "e184485ec8e10058"


def test_few_projects_are_busy_and_all_have_some():
    """The busiest of 20 projects makes an eighth to a quarter of the releases, the quietest at least a hundredth."""
    counts = Counter(record.project for record in plan.draw(MIDDLING) if isinstance(record, Release))
    total = counts.total()
    assert 1 / 8 < max(counts.values()) / total < 1 / 4
    assert min(counts.values()) / total > 1 / 100


def test_fewer_releases_reach_each_next_environment():
    """Most releases reach the first environment, and each next one sees fewer."""
    reached = Counter(order for _, order in {(d.release, d.environment) for d in deployments_of(MIDDLING)})
    by_order = [reached[f"e{number}"] for number in range(1, 5)]
    assert by_order[0] > 0.85 * MIDDLING.releases
    assert by_order == sorted(by_order, reverse=True)
    assert by_order[-1] > 0


def test_failures_have_their_share_and_are_tried_again():
    """The asked share of deployments fails, with the comment that makes their script fail, and most get a retry."""
    deployments = deployments_of(msgspec.structs.replace(MIDDLING, failure_share=0.2))
    failed = [d for d in deployments if d.outcome == "Failed"]
    assert len(failed) / len(deployments) == pytest.approx(0.2, rel=0.1)
    assert {bool(d.comments) for d in failed} == {True}
    assert not any(d.comments for d in deployments if d.outcome == "Success")
    journeys = itertools.groupby(sorted(deployments, key=lambda d: (d.release, d.queued)), key=lambda d: d.release)
    pairs = [pair for _, journey in journeys for pair in itertools.pairwise(journey)]
    retried = [(one, two) for one, two in pairs if one.outcome == "Failed"]
    assert len(retried) > len(failed) / 3
    assert all(one.environment == two.environment for one, two in retried)


def test_people_release_in_working_hours():
    """Nine in ten releases are made from Monday to Friday, and most of them from 8 to 18 o'clock."""
    until = end_of_last_week(1_764_000_000.0)
    moments = [until + r.assembled for r in plan.draw(MIDDLING) if isinstance(r, Release)]
    weekdays = [moment for moment in moments if (moment // 86400 + 3) % 7 < 5]
    assert len(weekdays) > 0.9 * len(moments)
    assert sum(8 <= moment % 86400 / 3600 < 18 for moment in weekdays) > 0.75 * len(weekdays)


@given(st.floats(0, 4e9))
def test_a_history_ends_at_midnight_before_a_monday(now: float):
    """The end lies at most a week back, on 00:00 UTC of a Monday."""
    until = end_of_last_week(now + 7 * 86400)
    assert 0 <= now + 7 * 86400 - until < 7 * 86400 + 1
    assert (until / 86400 + 3) % 7 == pytest.approx(0, abs=1e-6) or (until / 86400 + 3) % 7 == pytest.approx(
        7, abs=1e-6
    )


@given(st.integers(1, 400), st.floats(0, 1), st.floats(0, 100))
def test_working_hours_go_forward(days: int, share: float, hours: float):
    """More working hours later is later, and never after the end."""
    rhythm = Rhythm(days)
    moment = rhythm.draw(Random(share), 1, rhythm.start)[0]
    assert moment - 1e-3 <= rhythm.after(moment, hours) <= 0


@given(st.integers(0, 10**6), st.lists(st.floats(0.01, 100), min_size=1, max_size=50))
def test_apportioned_parts_add_up(total: int, weights: list[float]):
    """Parts add up exactly and are within one of their exact share."""
    parts = plan.apportion(total, weights)
    assert sum(parts) == total
    assert all(abs(part - total * w / sum(weights)) < 1 + 1e-6 for part, w in zip(parts, weights, strict=True))
