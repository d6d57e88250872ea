"""Whole runs reduced to a verdict: the truth is found, faults void it, and the exit code says so."""

import io
import shutil
from pathlib import Path
from typing import Any

import msgspec
import other_folders
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import run_folder
from rich.console import Console

from octoload.errors import UsageError
from octoload.files import read_json
from reports import markdown, page, results, run, words
from reports.results import Results

pytestmark = pytest.mark.unit

FULL = {"pairs": 8, "demonstration": False}


def states(found: Results) -> dict[str, str]:
    return {check.name: check.state for check in found.checks}


def rewrite(file: Path, **members: Any) -> None:
    content = msgspec.json.decode(file.read_bytes())
    file.write_bytes(msgspec.json.encode(content | members))


def test_a_known_speed_up_is_found_and_said(tmp_path: Path) -> None:
    """A dashboard made 6.4 times faster: the interval holds the truth, the sentence says it, the file agrees."""
    found = results.build(run_folder.build(tmp_path))
    (effect,) = found.of("primary")
    assert effect.ci_low < 1 / 6.4 < effect.ci_high
    assert effect.verdict == "better"
    assert found.sentence.startswith("Keeping 3 releases makes the dashboard ")
    assert "; Hodges-Lehmann 6." in found.sentence
    resolved = words.times(effect.resolves)
    assert found.sentence.endswith(f"6 pairs, randomised; this rig resolves {resolved} x; simulated server).")
    low, high = (float(text) for text in found.sentence.partition("95 % CI ")[2].partition(";")[0].split(" to "))
    assert low == pytest.approx(1 / effect.ci_high, rel=0.02)
    assert high == pytest.approx(1 / effect.ci_low, rel=0.02)
    assert found.valid
    written = read_json(tmp_path / "results.json", "results", 1)
    assert written["sentence"] == found.sentence
    assert written["effects"][0]["ratio"] == pytest.approx(effect.ratio)
    assert len(written["trials"]) == 12
    assert set(written["database"]) == {"keep-all", "keep-3"}


def test_the_same_folder_gives_the_same_file(tmp_path: Path) -> None:
    """Reports are a function of the folder alone."""
    folder = run_folder.build(tmp_path)
    first = (results.build(folder), (folder / "results.json").read_bytes())
    assert (results.build(folder), (folder / "results.json").read_bytes()) == first


@pytest.mark.parametrize(
    ("ratio", "noise", "word", "said", "code"),
    [
        (1 / 2, 0.01, "better", "x faster (", results.PASSED),
        (1.5, 0.01, "worse", "x slower (", results.FAILED),
        (1.0, 0.01, "equivalent", "makes no difference to the dashboard that matters", results.PASSED),
        (1.0, 0.30, "inconclusive", "more pairs are needed", results.UNDECIDED),
    ],
)
def test_a_gate_turns_verdicts_into_exit_codes(
    tmp_path: Path, ratio: float, noise: float, word: str, said: str, code: int
) -> None:
    """Better and equivalent pass, worse fails, inconclusive is a code of its own; without a gate all are 0."""
    decided = run_folder.plan(gate=True, design={**FULL, "seconds": 60.0})
    found = results.build(run_folder.build(tmp_path, decided, ratio=ratio, noise=noise))
    assert found.of("primary")[0].verdict == word
    assert said in found.sentence
    assert found.exit_code == code
    rewrite(tmp_path / "plan.json", gate=False)
    assert results.build(tmp_path).exit_code == results.PASSED


def test_a_run_that_failed_too_often_is_invalid_not_slow(tmp_path: Path) -> None:
    """Five percent failures void every trial: exit code 3, no ratio is claimed, the reason is named."""
    found = results.build(run_folder.build(tmp_path, failures=0.05))
    assert found.exit_code == results.INVALID
    assert not found.valid
    assert found.sentence.startswith("INVALID")
    assert "errors" in found.sentence
    assert "faster" not in found.sentence


def test_an_invalid_trial_takes_its_pair_along_and_is_listed(tmp_path: Path) -> None:
    """One trial marked invalid leaves five pairs, a caution, and its name in the list."""
    folder = run_folder.build(tmp_path)
    whole = results.build(folder).of("primary")[0]
    file = next(folder.glob("trials/05-*/trial.json"))
    fault = {"name": "steal", "value": 0.2, "limit": 0.05, "state": "invalid", "message": "stolen"}
    rewrite(file, valid=False, checks=[fault])
    found = results.build(folder)
    (effect,) = found.of("primary")
    assert effect.pairs == 5
    assert effect.log_ratios == whole.log_ratios[:2] + whole.log_ratios[3:]
    assert effect.hl_low is None
    assert states(found)["pairs"] == states(found)["trials left out"] == "warn"
    assert any("trial 5 " in warning and "steal" in warning for warning in found.warnings)


def test_a_clock_that_ran_backwards_voids_its_trial(tmp_path: Path) -> None:
    """Requests that end before they were due, and a measured phase that ends before it begins, are no numbers."""
    folder = run_folder.build(tmp_path)
    first, second = (next(folder.glob(f"trials/{number}-*")) for number in ("03", "05"))
    table = pq.read_table(first / "requests.parquet")
    early = pa.compute.subtract(table["intended"], 5.0)
    pq.write_table(table.set_column(table.column_names.index("done"), "done", early), first / "requests.parquet")
    facts = msgspec.json.decode((second / "trial.json").read_bytes())
    rewrite(second / "trial.json", measured_until=facts["measured_from"] - 5)
    found = results.build(folder)
    (left_out,) = [warning for warning in found.warnings if "trials left out" in warning]
    assert left_out.count("generator's clock") == 2
    assert found.of("primary")[0].pairs == 4
    assert page.render(run.read(folder), found)


def test_the_latest_attempt_counts(tmp_path: Path) -> None:
    """A trial that was repeated is read from its last attempt, wherever the earlier ones lie."""
    folder = run_folder.build(tmp_path)
    place = next(folder.glob("trials/03-*"))
    shutil.copytree(place, place.with_name(f"{place.name}.attempt-1"))
    rewrite(place / "trial.json", attempt=2)
    rewrite(place.with_name(f"{place.name}.attempt-1") / "trial.json", valid=False)
    found = results.build(folder)
    assert [trial.attempt for trial in found.trials] == [1, 1, 2, *[1] * 9]
    assert found.of("primary")[0].pairs == 6


@pytest.mark.parametrize(("kept", "state"), [(5, "warn"), (3, "invalid")])
def test_an_unfinished_run_says_what_is_missing(tmp_path: Path, kept: int, state: str) -> None:
    """Pairs are counted as far as the run came; below four there is no verdict."""
    folder = run_folder.build(tmp_path)
    for number in range(2 * kept + 1, 13):
        shutil.rmtree(next(folder.glob(f"trials/{number:02d}-*")))
    found = results.build(folder)
    assert states(found)["pairs"] == state
    assert any("--resume" in warning for warning in found.warnings)
    assert found.valid == (state == "warn")


def test_an_empty_run_is_invalid_without_a_traceback(tmp_path: Path) -> None:
    """A plan alone gives an INVALID result."""
    folder = run_folder.build(tmp_path)
    for extra in ("trials", "arms"):
        shutil.rmtree(folder / extra)
    assert results.build(folder).exit_code == results.INVALID


def test_a_change_that_did_nothing_is_found(tmp_path: Path) -> None:
    """Retention that deleted no row voids the run; so do different rows where none were meant."""
    folder = run_folder.build(tmp_path)
    assert states(results.build(folder))["rows"] == "ok"
    rewrite(folder / "arms/keep-3/database.json", rows=run_folder.ROWS)
    assert states(results.build(folder))["rows"] == "invalid"
    rewrite(folder / "plan.json", changes=[])
    assert states(results.build(folder))["rows"] == "ok"
    rewrite(folder / "arms/keep-3/database.json", rows=run_folder.ROWS | {"Event": 90_000})
    assert states(results.build(folder))["rows"] == "invalid"


def test_each_arm_differs_where_it_says_so_and_nowhere_else(tmp_path: Path) -> None:
    """An arm of another depth that has the baseline's rows or fingerprint voids the run, as undeclared rows do."""
    folder = other_folders.depths(tmp_path)
    assert {states(results.build(folder))[name] for name in ("rows", "rows, d16k", "rows, d32k")} == {"ok"}
    manifest = (folder / "arms/d16k/manifest.json").read_bytes()
    shutil.copy(folder / "arms/d4k/manifest.json", folder / "arms/d16k/manifest.json")
    assert states(results.build(folder))["rows, d16k"] == "invalid"
    (folder / "arms/d16k/manifest.json").write_bytes(manifest)
    rewrite(folder / "plan.json", meant={"d8k": ["rows"], "d16k": ["rows"]})
    assert states(results.build(folder))["rows"] == "invalid"
    rewrite(folder / "plan.json", meant={arm: ["rows"] for arm in ("d8k", "d16k", "d32k")})
    rewrite(folder / "arms/d32k/database.json", rows={"Deployment": 4_000, "Event": 16_000})
    found = results.build(folder)
    assert states(found)["rows, d32k"] == "invalid"
    assert "d32k is meant to change rows" in " ".join(found.warnings)


def test_a_control_that_moves_is_a_caution(tmp_path: Path) -> None:
    """A control twice as fast is flagged with both explanations; one that stays is not."""
    still = results.build(run_folder.build(tmp_path / "still"))
    moved = results.build(run_folder.build(tmp_path / "moved", others={"audit": 0.5}))
    assert states(still)["control: audit p50"] == "ok"
    assert states(moved)["control: audit p50"] == "warn"


def test_labels_follow_the_plan(tmp_path: Path) -> None:
    """A demonstration and a simulated server are said with every result; a real, full run carries neither."""
    demo = results.build(run_folder.build(tmp_path / "demo"))
    assert states(demo)["demonstration"] == states(demo)["simulated server"] == "warn"
    assert any("20 times faster" in warning for warning in demo.warnings)
    decided = run_folder.plan(server={"kind": "octopus"}, design=FULL)
    real = results.build(run_folder.build(tmp_path / "real", decided))
    assert not {"demonstration", "simulated server"} & set(states(real))
    assert "simulated" not in real.sentence


def test_different_questions_to_the_arms_are_found(tmp_path: Path) -> None:
    """When the contender was asked for far fewer dashboards, the mix voids the comparison."""
    folder = run_folder.build(tmp_path)
    the_run = run.read(folder)
    thinned = [
        msgspec.structs.replace(
            pair.contender.operations["dashboard"], requests=pair.contender.operations["dashboard"].requests // 3
        )
        for pair in the_run.pairs
    ]
    for trial in the_run.trials:
        if trial.facts.arm == "keep-3":
            trial.operations["dashboard"] = thinned[trial.facts.pair - 1]
    assert states(results.reduce(the_run))["mix"] == "invalid"


def test_pollers_that_back_off_are_no_different_question(tmp_path: Path) -> None:
    """A slow arm is polled less often, which changes the share of every operation: as in life, and no fault."""
    voided = {}
    for closed in ([], ["audit"]):
        the_run = run.read(run_folder.build(tmp_path / str(len(closed)), run_folder.plan(closed=closed)))
        for trial in the_run.trials:
            operations = trial.operations
            if trial.facts.arm == "keep-3":
                operations["audit"] = msgspec.structs.replace(operations["audit"], requests=5)
        voided[bool(closed)] = states(results.reduce(the_run))["mix"]
    assert voided == {False: "invalid", True: "ok"}


def test_a_coarse_schedule_is_said(tmp_path: Path) -> None:
    """Where one trial's generator had no timerfd, every report says that the schedule is 1 ms coarse."""
    folder = run_folder.build(tmp_path)
    assert states(results.build(folder))["schedule clock"] == "ok"
    file = next(folder.glob("trials/01-*/trial.json"))
    facts = msgspec.json.decode(file.read_bytes())
    rewrite(file, generator={**facts["generator"], "schedule": "timer"})
    found = results.build(folder)
    assert states(found)["schedule clock"] == "warn"
    assert any("1 ms coarse" in warning for warning in found.warnings)
    assert "1 ms coarse" in page.render(run.read(folder), found)


@pytest.mark.parametrize("name", ["plan.json", "trials/01-*/trial.json", "trials/01-*/requests.parquet"])
def test_a_damaged_run_is_one_clear_error(tmp_path: Path, name: str) -> None:
    """The file is named, and what to do about it."""
    folder = run_folder.build(tmp_path)
    rewritten = next(folder.glob(name))
    rewritten.write_bytes(b'{"format": "octoload.trial", "version": 1}')
    with pytest.raises(UsageError, match=rewritten.name) as caught:
        results.build(folder)
    assert caught.value.cure


def test_console_and_markdown_say_the_same(tmp_path: Path) -> None:
    """Both hold the sentence and every caution; hostile names do not become markup."""
    decided = run_folder.plan(question="Is <b>|this|</b> `code`?")
    folder = run_folder.build(tmp_path, decided)
    found = results.build(folder)
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(results.console(found))
    text = " ".join(console.export_text().split())
    page = markdown.render(run.read(folder), found)
    assert found.sentence in text
    assert found.sentence in page
    assert all(" ".join(warning.split()) in text for warning in found.warnings)
    assert r"\<b\>\|this\|\</b\> \`code\`" in page


@pytest.mark.parametrize(("step", "state"), [(0.002, "ok"), (0.008, "warn"), (0.012, "invalid")])
def test_a_servers_clock_that_goes_away_is_found(tmp_path: Path, step: float, state: str) -> None:
    """Bounds of ±5 ms that move on from trial to trial void the run when they are 100 ms apart at least."""
    folder = run_folder.build(tmp_path)
    for number, file in enumerate(sorted(folder.glob("trials/*-keep-3/trial.json"))):
        low = 2.0 + 2 * number * step
        rewrite(file, clocks={"node-1": {"low": low, "high": low + 0.010, "calls": 9, "by": "creating calls"}})
    assert states(results.build(folder))["clocks"] == state
