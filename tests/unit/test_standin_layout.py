"""What a machine's CPUs are shared out to: never more than may be given, each host on one CPU."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standin.errors import UsageError
from standin.hosts.cgroups import find_place
from standin.hosts.database import with_address
from standin.hosts.layout import GRANTED, GRANTED_OF_ONE, arrange, grant
from standin.hosts.site import parse_cpus, parse_seconds

pytestmark = pytest.mark.unit


def test_three_nodes_and_a_database_fit_on_two_cores() -> None:
    """0.6 and three times 0.3 CPUs are the 1.5 that two cores give; the database shares its core with one node."""
    hosts = arrange([("node-1", 0.3), ("node-2", 0.3), ("node-3", 0.3), ("sql", 0.6)], [0, 1])
    cores = {host.name: host.core for host in hosts}
    assert sorted(sum(host.cpus for host in hosts if host.core == core) for core in (0, 1)) == pytest.approx([0.6, 0.9])
    assert sum(core == cores["sql"] for core in cores.values()) == 2


@pytest.mark.parametrize(
    ("capacities", "said"),
    [
        ([0.6, 0.6, 0.6], "1.5 of the 2"),
        ([0.05], "from 0.1"),
        ([1.2], "to 0.9"),
        ([0.7, 0.7, 0.1, -0.0], "from 0.1"),
    ],
)
def test_more_than_there_is_is_refused(capacities: list[float], said: str) -> None:
    """The message names what is wanted and what is given at most."""
    with pytest.raises(UsageError, match=said):
        arrange([(f"host-{number}", cpus) for number, cpus in enumerate(capacities)], [0, 1])


@given(
    st.lists(st.floats(0.1, 0.9), max_size=12),
    st.integers(1, 8),
    st.lists(st.tuples(st.integers(0, 11), st.floats(0.1, 0.9)), max_size=6),
)
def test_no_cpu_gives_more_than_it_may(capacities: list[float], cores: int, changes: list[tuple[int, float]]) -> None:
    """However hosts are made and changed, the sums hold, of all CPUs and of each; what does not fit changes nothing."""
    try:
        hosts = arrange([(f"host-{number}", cpus) for number, cpus in enumerate(capacities)], range(cores))
    except UsageError:
        return
    for number, cpus in changes:
        try:
            changed = grant(hosts, f"host-{number}", cpus, range(cores))
        except UsageError:
            continue
        hosts = [host for host in hosts if host.name != changed.name] + [changed]
    assert sum(host.cpus for host in hosts) <= GRANTED * cores + 1e-6
    for core in range(cores):
        assert sum(host.cpus for host in hosts if host.core == core) <= GRANTED_OF_ONE + 1e-6


def test_distances_are_read() -> None:
    """A length of time has a unit; anything else is refused with an example."""
    assert [parse_seconds(text) for text in ("1ms", "0.5ms", "0", "0ms", ".002s", "1s")] == [
        pytest.approx(seconds) for seconds in (0.001, 0.0005, 0.0, 0.0, 0.002, 1.0)
    ]
    for text in ("1", "ms", "-1ms", "2s", "1 ms", "nan"):
        with pytest.raises(UsageError, match="1ms"):
            parse_seconds(text)
    for text in ("many", "nan", "inf"):
        with pytest.raises(UsageError, match="no capacity"):
            parse_cpus(text)


def test_an_address_is_replaced_and_the_account_kept() -> None:
    """The password stays in the DSN, whatever it holds."""
    assert with_address("postgresql://me:p%40ss@h:5432/db", "127.0.0.1:9") == "postgresql://me:p%40ss@127.0.0.1:9/db"


def describe(folder: Path, mountinfo: str, groups: str) -> Path:
    (folder / "mountinfo").write_text(mountinfo)
    (folder / "cgroup").write_text(groups)
    return folder


def test_groups_of_version_2_are_made_at_the_own_group_or_above(tmp_path: Path) -> None:
    """Of the groups above the own one, those that have the CPU controller; version 1 is not looked for then."""
    mount = tmp_path / "mount"
    own = mount / "user.slice" / "app.scope"
    own.mkdir(parents=True)
    (mount / "cgroup.controllers").write_text("cpuset cpu io\n")
    (mount / "user.slice" / "cgroup.controllers").write_text("cpu pids\n")
    (own / "cgroup.controllers").write_text("pids\n")
    line = f"30 20 0:26 / {mount} rw,nosuid - cgroup2 cgroup2 rw\n"
    places = list(find_place(describe(tmp_path, line, "0::/user.slice/app.scope\n")))
    assert [(place.version, place.folders) for place in places] == [(2, (mount / "user.slice",)), (2, (mount,))]
    assert {place.home for place in places} == {(own,)}


@pytest.mark.parametrize("together", [True, False])
def test_groups_of_version_1_are_made_in_both_controllers(tmp_path: Path, *, together: bool) -> None:
    """The quota and the account are two controllers, mounted at one place or at two."""
    names = [("cpu,cpuacct", tmp_path / "both")] if together else [(n, tmp_path / n) for n in ("cpu", "cpuacct")]
    for _, folder in names:
        (folder / "job").mkdir(parents=True)
    lines = [f"31 20 0:27 / {folder} rw - cgroup cgroup rw,{name}\n" for name, folder in names]
    groups = [f"{number}:{name}:/job\n" for number, (name, _) in enumerate(names, start=1)]
    (place,) = find_place(describe(tmp_path, "".join(lines), "".join(groups)))
    assert (place.version, place.folders) == (1, tuple(folder / "job" for _, folder in names))
