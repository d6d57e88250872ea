"""What each command of the command line does."""

import argparse
import datetime as dt
import importlib.resources
import os
import shutil
import time
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console

from experiments import address, calibration, cluster, comparing, plan, planning, rig, runner, workers
from experiments.address import Address
from experiments.display import Display
from experiments.experiment import Experiment, check, demonstration, load, with_pairs
from experiments.hooks import Hooks
from experiments.journal import Journal
from experiments.plan import Generator
from octoload import claims, files
from octoload.api import Octopus
from octoload.errors import InterruptedRunError, ServerError, UsageError
from octoload.yamlfile import nearest
from reports import carried, page, results, utilisation
from reports import plan as plans
from reports import rig as rigs
from reports import run as runs


def run(options: argparse.Namespace, console: Console) -> int:
    """Run an experiment and print its result."""
    source = find_experiment(options.experiment)
    experiment = load(source)
    if options.demo:
        experiment = demonstration(experiment)
    generator = _generator(options, experiment)
    # A history that is not there is said before anything is made.
    decided = plan.write_up(experiment, rig.choose_history(experiment, source), generator)
    folder = _folder(options, experiment, source, decided)
    console.print(experiment.question, style="bold", markup=False)
    console.print(f"Run: {folder}", markup=False)
    if generator.workers and generator.bind.open:
        console.print(OPEN_PORT.format(generator.bind), style="yellow", markup=False)
    if generator.web:
        console.print(f"Web page: http://{generator.web}/?tab=octopus", markup=False)
        if generator.web.open:
            console.print(OPEN_PAGE, style="yellow", markup=False)
    if not options.resume:
        _bring(folder, experiment, decided)
    try:
        with claims.hold(folder / "run.lock"):
            code = _run(runner.Run(experiment, source, folder, Display(console), generator), options, console)
            _keep(folder, experiment)
            return code
    except KeyboardInterrupt:
        raise InterruptedRunError("interrupted", _go_on(folder, options)) from None
    except ServerError as exc:
        exc.cure = f"{exc.cure}\n  {_go_on(folder, options)}".strip()
        raise


def _bring(folder: Path, experiment: Experiment, decided: dict[str, Any]) -> None:
    """Put into a new run what earlier ones have shown of this rig: its noise, and what its arms can carry."""
    if noise := planning.last_rig(experiment):
        rigs.write(folder, noise)
    if known := planning.last_carried(experiment, decided["workload"]["mix"]):
        carried.write(folder, known)


def _keep(folder: Path, experiment: Experiment) -> None:
    """Keep what searches have shown that the arms can carry, for the runs to come."""
    if not experiment.workload.search:
        return
    standin = msgspec.to_builtins(experiment.standin)
    if found := utilisation.of_searches(runs.read(folder), planning.target(experiment), standin):
        carried.write(folder, found)


#: What it means to listen beyond this machine.
OPEN_PORT = (
    "Whoever reaches {} can take part in this run or spoil it: Locust's port asks for no password. Keep it within a "
    "network that you trust. No API key passes through it."
)

#: What it means to show the page beyond this machine.
OPEN_PAGE = (
    "Whoever reaches the web page can watch this run, without a password; nobody can start or stop load with it."
)


def _generator(options: argparse.Namespace, experiment: Experiment) -> Generator:
    """Return what is to drive the load.

    Raises:
        UsageError: the options do not fit together.
    """
    if options.processes < 1 or options.workers < 0 or options.wait <= 0:
        wrong = f"--processes {options.processes} --workers {options.workers} --wait {options.wait:g}"
        raise UsageError(f"{wrong}: one is too small", "Processes are 1 or more (one a core), --wait above 0 seconds.")
    web = _web(options)
    if not options.workers:
        if options.bind:
            raise UsageError("--bind is for workers only", "Say how many with --workers N.")
        return Generator(options.processes, web=web)
    if options.processes > 1:
        raise UsageError("--processes and --workers exclude each other", "Start `octoload worker` here too.")
    if rig.on_standins(experiment) and not os.environ.get("OCTOLOAD_KEY"):
        cure = "Set it to a key of your own, such as API-LOAD, here and for each worker; a stand-in is on this machine."
        raise UsageError("workers need the stand-in's API key in OCTOLOAD_KEY", cure)
    bind = address.parse(options.bind, "--bind") if options.bind else Address()
    address.check_free(bind, "workers cannot be awaited", "--bind")
    return Generator(workers=options.workers, bind=bind, patience=options.wait, web=web)


def _web(options: argparse.Namespace) -> Address | None:
    """Return where Locust's web page is to be, if anywhere."""
    if not options.web:
        return None
    web = address.here(options.web, "--web")
    address.check_free(web, "the web page cannot be served", "--web")
    return web


def _go_on(folder: Path, options: argparse.Namespace) -> str:
    """Say what was kept and how to go on."""
    done = sum(".attempt-" not in file.parent.name for file in folder.glob("trials/*/trial.json"))
    words = ["octoload run", options.experiment, *(["--demo"] if options.demo else [])]
    words += [f"--processes {options.processes}"] if options.processes > 1 else []
    words += [f"--workers {options.workers}"] if options.workers else []
    words += [f"--bind {options.bind}"] if options.bind else []
    words += [f"--web {options.web}"] if options.web else []
    words += ["--resume --out", str(folder)]
    return f"{done} finished trials are kept in {folder}. Go on with: {' '.join(words)}"


def _run(the_run: runner.Run, options: argparse.Namespace, console: Console) -> int:
    if the_run.left() or the_run.unconfirmed():
        the_run()
    code = _report(the_run.folder, console)
    if not options.keep_data:
        the_run.clear()
    return code


def worker(options: argparse.Namespace, console: Console) -> int:
    """Drive load for runs that are led elsewhere, until interrupted."""
    if options.processes < 1:
        raise UsageError(f"--processes is {options.processes}", "It is 1 or more; one a core is right.")
    master = address.parse(options.master, "--master")
    address.check_known(master)
    workers.serve(master, options.processes, options.log, Display(console))
    return 0


def restore(options: argparse.Namespace, console: Console) -> int:
    """Put back what a run that broke off had switched on servers that go on without it."""
    experiment = load(options.run / "experiment.yaml")
    with claims.hold(options.run / "run.lock"):
        return _restore(experiment, options.run, console)


def _restore(experiment: Experiment, run: Path, console: Console) -> int:
    journal = Journal(run / "journal.jsonl")
    for done in Hooks(journal, run / "logs").restore():
        console.print(f"Undone: {done}", markup=False)
    urls = {arm.url: arm.key_variable for arm in experiment.arms.values() if arm.url}
    if not urls:
        console.print("No node to put back: the servers of this run were stand-ins, which ended with it.")
        return 0
    for url, variable in urls.items():
        key = os.environ.get(variable, "")
        if not key:
            raise UsageError(f"there is no API key in {variable}", "Set it as for the run.")
        with Octopus(url, key) as octopus:
            back = cluster.restore(octopus, journal)
        console.print(f"{url}: {', '.join(back) or 'all nodes are as they were'}", markup=False)
    return 0


def report(options: argparse.Namespace, console: Console) -> int:
    """Make results and pages of a finished run again."""
    files.read_json(options.run / "plan.json", "plan", 1)
    return _report(options.run, console)


def _report(folder: Path, console: Console) -> int:
    finished, found = results.finish(runs.read(folder), time.time())
    written = page.write(finished, found)
    console.print(results.console(found))
    console.print(f"\nReport: {written}", markup=False)
    return int(found.exit_code)


def calibrate(options: argparse.Namespace, console: Console) -> int:
    """Compare an arm with itself and count the false alarms."""
    times = options.times if options.times is not None else (1 if options.experiment else 10)
    if times < 1 or (options.seconds is not None and options.seconds <= 0):
        raise UsageError("--times and --seconds are above 0", "Leave them out for 10 comparisons of 10 s trials.")
    source = find_experiment(options.experiment or "retention")
    experiment = load(source) if options.experiment else calibration.quick(load(source))
    alike = check(calibration.alike(experiment, options.seconds, options.against), "the A/A")
    folder = _calibration_folder(options, alike, source)
    try:
        with claims.hold(folder / "run.lock"):
            return calibration.run(folder, alike, source, times, Display(console))
    except KeyboardInterrupt:
        cure = f"Finished trials are kept in {folder}. Go on with the same command and: --resume --out {folder}"
        raise InterruptedRunError("interrupted", cure) from None


def _calibration_folder(options: argparse.Namespace, alike: Experiment, source: Path) -> Path:
    """Return where to calibrate: the folder asked for, the last unfinished one, or a new one."""
    if not options.resume:
        folder: Path = options.out or _new_folder("calibration")
        if any(folder.glob("*/plan.json")):
            raise UsageError(f"{folder} holds a calibration already", "Go on with --resume, or choose another --out.")
        folder.mkdir(parents=True, exist_ok=True)
        return folder
    begun = calibration.unfinished("calibration")
    if not options.out and not begun:
        raise UsageError("there is no unfinished calibration under runs/", "Leave --resume out, or name one by --out.")
    folder = options.out or begun[-1]
    first = calibration.comparison_folder(folder, 1)
    if not (first / "plan.json").exists():
        raise UsageError(f"{folder} holds no calibration to go on with", "Leave --resume out to start one.")
    _same_plan(first, plan.write_up(calibration.numbered(alike, 1), rig.choose_history(alike, source), Generator()))
    return folder


def foresee(options: argparse.Namespace, console: Console) -> int:
    """Say what an experiment will be able to show on this rig, and how long it takes."""
    source = find_experiment(options.experiment)
    experiment = load(source)
    if options.demo:
        experiment = demonstration(experiment)
    if options.pairs is not None:
        experiment = with_pairs(experiment, options.pairs)
    known = rigs.read(options.rig) if options.rig else planning.last_rig(experiment)
    decided = plans.parse(plan.write_up(experiment, rig.choose_history(experiment, source), Generator()))
    return planning.show(experiment, decided, known, options.effect, console)


def compare(options: argparse.Namespace, console: Console) -> int:
    """Hold two finished runs against each other."""
    return comparing.show(options.first, options.second, console)


def trend(options: argparse.Namespace, console: Console) -> int:
    """Show how an experiment's result went over many runs."""
    return comparing.show_trend(options.folder, options.experiment, console)


def find_experiment(name: str) -> Path:
    """Return the file of an experiment: a path, or the name of one that octoload brings.

    Raises:
        UsageError: there is none.
    """
    path = Path(name)
    if path.is_file():
        return path
    brought = Path(str(importlib.resources.files("experiments")))
    names = {file.stem: file for file in sorted(brought.glob("*.yaml"))}
    if name in names:
        return names[name]
    raise UsageError(f"there is no experiment {name!r}", nearest(path.stem, names))


def _folder(options: argparse.Namespace, experiment: Experiment, source: Path, decided: dict[str, Any]) -> Path:
    """Return the folder to run in: the one asked for, the last unfinished one, or a new one."""
    folder: Path | None = options.out
    if options.resume:
        folder = folder or _unfinished(experiment)
        if not (folder / "plan.json").exists():
            raise UsageError(f"{folder} holds no run to go on with", "Leave --resume out to start one.")
        _same(folder, source, decided)
        return folder
    folder = folder or _new_folder(experiment.name)
    if (folder / "plan.json").exists():
        raise UsageError(f"{folder} holds a run already", "Go on with it by --resume, or choose another --out.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, folder / "experiment.yaml")
    except OSError as exc:
        raise files.disk_error(folder, exc) from exc
    return folder


#: What trials of one run must have in common besides the experiment's file, and what to do when they have not.
_COMMON = {
    "arms": ("other arms", "Name the same experiment or instance"),
    "design": ("another design", "Give the same options (--demo)"),
    "workload": ("another workload", "Put the trace's file back as it was"),
    "history": ("another history", "Put the history's file back as it was"),
    "generator": ("another generator", "Give the same options (--processes, --workers)"),
    "octoload": ("another version of octoload", "Install that version"),
}


def _same(folder: Path, source: Path, decided: dict[str, Any]) -> None:
    """Refuse to go on otherwise than the run began: its trials would not be comparable."""
    if (folder / "experiment.yaml").read_bytes() != source.read_bytes():
        raise UsageError(f"{source} has changed since the run in {folder} began", "Start a new run.")
    _same_plan(folder, decided)


def _same_plan(folder: Path, decided: dict[str, Any]) -> None:
    kept = files.read_json(folder / "plan.json", "plan", 1)
    now = msgspec.json.decode(msgspec.json.encode(decided))
    for member, (what, cure) in _COMMON.items():
        if kept.get(member) != now[member]:
            raise UsageError(f"the run in {folder} began with {what}", f"{cure}, or start anew.")


def _unfinished(experiment: Experiment) -> Path:
    runs = sorted(Path("runs").glob(f"*-{experiment.name}*/plan.json"))
    unfinished = [file.parent for file in runs if runner.trials_left(file.parent)]
    if not unfinished:
        raise UsageError(f"there is no unfinished run of {experiment.name!r} under runs/", "Leave --resume out.")
    return unfinished[-1]


def _new_folder(name: str) -> Path:
    stamp = dt.datetime.now(dt.UTC).strftime("%Y-%m-%d-%H%M%S")
    return Path("runs") / f"{stamp}-{name}"
