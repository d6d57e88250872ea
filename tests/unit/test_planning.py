"""Planning: the specification's table from a rig's A/A, and plain statements where an A/A is missing or too small."""

import io
import math
from pathlib import Path

import msgspec
import pytest
import run_folder
from rich.console import Console

from experiments import calibration
from experiments import planning as command
from experiments.calibration import alike, allowed_alarms, quick
from experiments.display import Display
from experiments.experiment import Experiment, check, load
from experiments.plan import Generator, write_up
from octoload.errors import InvalidRunError, UsageError
from reports import aa, planning, results, run
from reports import plan as plans
from reports import rig as rigs
from reports.rig import Noise, Rig

pytestmark = pytest.mark.unit

RETENTION = Path(command.__file__).with_name("retention.yaml")


def noise(sd: float, degrees: int = 5, bias: float = 1.0, p: float = 1.0) -> Noise:
    return Noise("dashboard", "p50", sd, degrees, degrees + 1, bias, p)


def rig(*endpoints: Noise, seconds: float = 120.0) -> Rig:
    return Rig({"cores": 2}, "standin", 1.76e9, 1, seconds, {"dashboard": 5.1}, 1.5, list(endpoints))


def printed(experiment: Experiment, known: Rig | None, effect: float | None = None) -> str:
    console = Console(width=120, record=True, file=io.StringIO())
    decided = plans.parse(write_up(experiment, None, Generator()))
    assert command.show(experiment, decided, known, effect, console) == 0
    return console.export_text()


@pytest.mark.parametrize(
    ("sd", "see", "gate", "equal"), [(0.05, 5, 4, 5), (0.08, 8, 6, 8), (0.12, 15, 12, 16), (0.20, 37, 29, 40)]
)
def test_an_outlook_is_a_row_of_the_specifications_table(sd: float, see: int, gate: int, equal: int) -> None:
    """Pairs to see 10 %, to pass a gate and to show equivalence are those of statistics §2.5, and no fewer will do."""
    design = plans.parse(run_folder.plan(design={"pairs": see})).design
    found = planning.outlook(sd, design, 1.10, 0.10)
    assert (found.pairs_to_see, found.pairs_to_pass, found.pairs_to_equal) == (see, gate, equal)
    assert found.power >= 0.80
    fewer = msgspec.structs.replace(design, pairs=see - 1)
    assert planning.outlook(sd, fewer, 1.10, 0.10).power < 0.80
    assert planning.outlook(sd, design, 1 / 1.10, 0.10).pairs_to_see == see


def test_no_fewer_pairs_are_advised_than_a_valid_run_has(tmp_path: Path) -> None:
    """A change of half on a quiet rig takes three pairs by its power, of which a run is INVALID: four are advised."""
    design = plans.parse(run_folder.plan(design={"pairs": 8})).design
    found = planning.outlook(0.02, design, 1.5, 0.10)
    assert (found.pairs_to_see, found.pairs_to_pass, found.pairs_to_equal) == (4, 4, 4)
    for pairs, valid in ((3, False), (4, True)):
        decided = run_folder.plan(design={"pairs": pairs})
        assert results.build(run_folder.build(tmp_path / str(pairs), decided)).valid is valid


def test_looks_cost_pairs() -> None:
    """A plan that may stop early resolves less with the same number of pairs."""
    once = plans.parse(run_folder.plan(design={"pairs": 16})).design
    twice = msgspec.structs.replace(once, looks=[8, 16])
    assert planning.outlook(0.1, twice, 1.1, 0.1).resolves > planning.outlook(0.1, once, 1.1, 0.1).resolves


def compared(folder: Path, *ratios: float, invalid: int) -> tuple[int, str]:
    """Write comparisons of such ratios, the last ones INVALID, and conclude from them: (exit code, what was said)."""
    for number, ratio in enumerate(ratios, start=1):
        decided = run_folder.plan(design={"seed": number, "seconds": 60.0}, changes=[])
        failing = number > len(ratios) - invalid
        run_folder.build(folder / f"{number:02d}", decided, ratio=ratio, failures=0.05 if failing else 0.0)
    console = Console(width=120, record=True, file=io.StringIO())
    code = calibration.conclude(folder, len(ratios), "standin", Display(console))
    return code, console.export_text()


def test_an_invalid_comparison_is_neither_an_alarm_nor_counted(tmp_path: Path) -> None:
    """Of three comparisons the second is another arm and the third INVALID: one alarm of two, and the noise of two."""
    code, said = compared(tmp_path, 1.0, 1.6, 3.0, invalid=1)
    kept = msgspec.json.decode((tmp_path / "calibration.json").read_bytes())
    assert code == 0
    assert (kept["comparisons"], kept["invalid"], kept["alarms"]) == (2, 1, [2])
    assert rigs.read(tmp_path / "rig.json").comparisons == 2
    assert "Comparison 03 is not counted: INVALID" in said


def test_an_aa_without_a_valid_comparison_gives_no_number(tmp_path: Path) -> None:
    """All INVALID: it says so, exits 3 and keeps no rig."""
    with pytest.raises(InvalidRunError, match="all 2 comparisons are INVALID"):
        compared(tmp_path, 1.0, 1.0, invalid=2)
    assert not (tmp_path / "rig.json").exists()


def test_an_aa_gives_deviation_and_bias_of_its_rig(tmp_path: Path) -> None:
    """Two comparisons of six pairs with a block noise of 0.1 show 0.14 a pair (sqrt 2 times), 10 degrees, no bias."""
    places = []
    for seed in (1, 2):
        decided = run_folder.plan(design={"seed": seed, "seconds": 60.0}, changes=[])
        places.append(run_folder.build(tmp_path / str(seed), decided, ratio=1.0, noise=0.1))
    made = aa.summarise([run.read(place) for place in places], "standin")
    found = made.of("dashboard", "p50")
    assert found is not None
    assert (found.degrees, found.pairs, made.comparisons) == (10, 12, 2)
    assert 0.06 < found.sd < 0.26
    assert found.planning_sd > found.sd
    assert abs(math.log(found.bias)) < 0.2
    assert made.between == pytest.approx(4.0)
    assert rigs.read(rigs.write(tmp_path, made)) == made


def test_a_biased_rig_voids_a_run_and_a_fair_one_does_not(tmp_path: Path) -> None:
    """A rig that told an arm from itself by more than half the margin makes every verdict INVALID."""
    folder = run_folder.build(tmp_path)
    for bias, p, state in ((1.0, 1.0, "ok"), (1.02, 0.01, "warn"), (1.08, 0.01, "invalid")):
        rigs.write(folder, rig(noise(0.05, bias=bias, p=p)))
        checks = {check.name: check for check in results.build(folder).checks}
        assert checks["A/A: dashboard p50"].state == state
    assert "Its last A/A promised" in checks["resolution: dashboard p50"].message


def test_a_plan_says_what_the_rig_resolves_and_how_long_it_takes() -> None:
    """8 pairs of 15 + 120 s with 1.5 s between take 36 minutes; six pairs with sd 0.05 plan with 0.073."""
    text = printed(load(RETENTION), rig(noise(0.05)))
    assert "16 trials: 36 min" in text
    assert "0.073" in text
    assert "chance of 1.10 x" in text


def test_a_plan_without_an_aa_supposes_three_machines_and_says_so() -> None:
    """No A/A gives no number for the rig, but a table of supposed ones and the way to measure."""
    text = printed(load(RETENTION), None)
    assert "octoload calibrate retention" in text
    assert [f"sd {sd:g}" in text for sd in planning.SUPPOSED] == [True] * 3


@pytest.mark.parametrize("known", [noise(0.05, degrees=1), noise(0.0), Noise("audit", "p50", 0.1, 5, 6, 1.0, 1.0)])
def test_an_aa_that_is_too_small_gives_no_number(known: Noise) -> None:
    """Two pairs, no noise at all, or another endpoint: the deviation is not known."""
    assert "not known" in printed(load(RETENTION), rig(known))


def test_a_plan_warns_of_quantiles_that_trials_cannot_carry() -> None:
    """A p99 of 5.1 requests a second needs 1,000 of them: 196 s."""
    experiment = load(RETENTION)
    objectives = msgspec.structs.replace(experiment.objectives, primary=["dashboard p99"])
    text = printed(msgspec.structs.replace(experiment, objectives=objectives), None)
    assert "measure 196 s" in " ".join(text.split())


def test_a_length_is_told_of_all_but_drains() -> None:
    """Trials with what passes between them; searches of the usual number of steps; a drain takes what it takes."""
    told = {}
    for name in ("retention", "api-capacity", "ha-nodes"):
        decided = plans.parse(write_up(load(RETENTION.with_name(f"{name}.yaml")), None, Generator()))
        told[name] = planning.seconds(decided, 10, 1.0)
    assert told == {"retention": 10 * (120 + 15 + 1.0), "api-capacity": 10 * (15 * 33 + 1.0), "ha-nodes": None}


@pytest.mark.parametrize("effect", [1.0, 0.0, -1.0, math.nan])
def test_an_effect_that_is_none_is_refused(effect: float) -> None:
    """What is no ratio other than 1 cannot be looked for."""
    with pytest.raises(UsageError, match="--effect"):
        printed(load(RETENTION), None, effect)


def test_an_aa_compares_the_baseline_with_itself() -> None:
    """Both arms are the experiment's baseline, with its load and trials; against a URL there is no stand-in."""
    experiment = load(RETENTION)
    made = check(alike(experiment, None), "A/A")
    assert made.arms["one"] == made.arms["same"]
    assert (made.design.seconds, made.workload) == (experiment.design.seconds, experiment.workload)
    real = check(alike(quick(experiment), 20.0, "http://octopus.example"), "A/A")
    assert (real.standin, real.history, real.design.seconds) == (None, None, 20.0)
    assert "release-and-deploy" not in real.workload.mix


@pytest.mark.parametrize(("comparisons", "allowed"), [(1, 1), (10, 2), (20, 3)])
def test_a_rig_is_blamed_only_for_more_alarms_than_chance_brings(comparisons: int, allowed: int) -> None:
    """Of 20 comparisons 3 may raise an alarm: more happen in under 2 % of sound rigs."""
    assert allowed_alarms(comparisons) == allowed
