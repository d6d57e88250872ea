"""The command line `octoload`."""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from rich.console import Console

import octoload
from experiments import commands, seeding
from octoload.errors import InterruptedRunError, OctoloadError, UsageError
from octoload.files import disk_error

EPILOG = """
exit codes:
  0 finished, or gate passed   1 gate failed     2 wrong usage or input   3 the measurement was INVALID
  4 gate inconclusive          5 server failed   130 interrupted; finished trials are kept
  70 a fault of octoload itself

first steps:
  octoload run experiments/retention.yaml --demo    what a retention policy is worth, on a simulated server
  octoload standin                                  the simulated Octopus Server by itself
"""


def main(arguments: Sequence[str] | None = None) -> int:  # noqa: PLR0911  one return for each way to end
    """Run one command; return its exit code. Never shows a traceback for what a user can mend."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["standin"]:
        return _standin(words[1:])
    signal.signal(signal.SIGTERM, _interrupt)
    options = parser().parse_args(words)
    try:
        code: int = options.command(options, Console(highlight=False, soft_wrap=True))
    except OctoloadError as exc:
        print(f"octoload: {exc}", file=sys.stderr)
        return exc.exit_code
    except KeyboardInterrupt:
        print("octoload: interrupted", file=sys.stderr)
        return InterruptedRunError.exit_code
    except BrokenPipeError:
        return 0
    except OSError as exc:
        print(f"octoload: {disk_error(Path(exc.filename or '.'), exc)}", file=sys.stderr)
        return UsageError.exit_code
    except Exception as exc:  # noqa: BLE001  the last resort: a fault of ours, kept for a report, in one line for the user
        return _fault(exc)
    return code


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands but `standin`, which has its own."""
    top = argparse.ArgumentParser(
        prog="octoload",
        description="What would X be worth on my Octopus Server? A ratio, its interval and a verdict.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"octoload {octoload.__version__}")
    subs = top.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_run(subs)
    _add_worker(subs)
    _add_report(subs)
    _add_restore(subs)
    seeding.add_commands(subs)
    _add_calibrate(subs)
    _add_plan(subs)
    _add_compare(subs)
    subs.add_parser("standin", help="the simulated Octopus Server (octoload standin --help)", add_help=False)
    return top


def _add_run(subs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    run = subs.add_parser(
        "run",
        help="run an experiment and say what the change is worth",
        description="Run an experiment: fill the servers, put the arms in force, drive load in randomised pairs, "
        "report. A run that was interrupted goes on with --resume.",
    )
    run.add_argument("experiment", help="a YAML file, or the name of one that octoload brings (retention)")
    run.add_argument("--out", type=Path, metavar="DIR", help="folder of the run (default: a new one under runs/)")
    run.add_argument("--resume", action="store_true", help="go on with the last unfinished run, or the one in --out")
    run.add_argument(
        "--demo", action="store_true", help="a small design of 6 pairs of 10 s that shows how it works; marked as such"
    )
    run.add_argument("--processes", type=int, default=1, metavar="N", help="Locust processes (default: 1)")
    run.add_argument(
        "--workers",
        type=int,
        default=0,
        metavar="N",
        help="wait for N workers, which `octoload worker` starts here or on other machines, and let them drive the "
        "load; further ones stand by",
    )
    run.add_argument(
        "--bind",
        metavar="HOST:PORT",
        help="address of this machine on which workers are awaited (default 127.0.0.1:5557: this machine only). The "
        "port asks for no password: whoever reaches it can take part in the run or spoil it",
    )
    run.add_argument(
        "--wait", type=float, default=120.0, metavar="SECONDS", help="how long missing workers are waited for (120)"
    )
    run.add_argument(
        "--web",
        metavar="[HOST:]PORT",
        help="serve Locust's web page while the run goes on, with the server's task queue and the trial plan in its "
        "tab Octopus; somebody who looks costs the server two requests a second (default: no page)",
    )
    run.add_argument("--keep-data", action="store_true", help="keep the stand-in's databases when the run has ended")
    run.set_defaults(command=commands.run)


def _add_worker(subs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    worker = subs.add_parser(
        "worker",
        help="drive load for runs that are led elsewhere (octoload run --workers)",
        description="Serve one run after the other as a worker, until interrupted. API keys are taken from this "
        "machine's environment, under the names that the run's experiment gives (`key_variable` of an arm, "
        "OCTOPUS_API_KEY unless it says otherwise; OCTOLOAD_KEY for a stand-in): a master sends names, never keys. A "
        "worker sends its load, and those keys, wherever its master says: name only a master that you trust.",
    )
    worker.add_argument("--master", required=True, metavar="HOST[:PORT]", help="where the run listens (--bind)")
    worker.add_argument(
        "--processes", type=int, default=1, metavar="N", help="workers to be; one a core is right (default: 1)"
    )
    worker.add_argument(
        "--log",
        type=Path,
        default=Path("octoload-worker.log"),
        metavar="FILE",
        help="Locust's log (default: %(default)s)",
    )
    worker.set_defaults(command=commands.worker)


def _add_report(subs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    report = subs.add_parser("report", help="make results and pages of a run again", description="Reads files only.")
    report.add_argument("run", type=Path, help="folder of a run")
    report.set_defaults(command=commands.report)


def _add_restore(subs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    restore = subs.add_parser(
        "restore",
        help="put back what a run which broke off had switched",
        description="A run puts back what it switched when it ends. One that was killed, or lost its network, could "
        "not: this reads its journal, runs the `after` command of an arm that was cut off, and sets each node's task "
        "cap and drain as they were before.",
    )
    restore.add_argument("run", type=Path, help="folder of a run")
    restore.set_defaults(command=commands.restore)


def _add_calibrate(subs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    calibrate = subs.add_parser(
        "calibrate",
        help="compare an arm with itself, to see what this rig can resolve and how often it cries wolf",
        description="A/A: an experiment's baseline under two names, in comparisons of 6 pairs on one server. Keeps how "
        "much each metric wavers for `octoload plan` and for every report (rig.json). Without an experiment: four "
        "pages that only read, in short trials on a simulated server.",
    )
    calibrate.add_argument("experiment", nargs="?", help="a YAML file or the name of one; its load, its trials")
    calibrate.add_argument("--against", metavar="URL", help="a real instance (its key in OCTOPUS_API_KEY)")
    calibrate.add_argument(
        "--times", type=int, metavar="N", help="comparisons (default: 10, with an experiment of your own 1)"
    )
    calibrate.add_argument(
        "--seconds", type=float, help="measured seconds of a trial (default: the experiment's; without one 10)"
    )
    calibrate.add_argument(
        "--out", type=Path, metavar="DIR", help="folder of the runs (default: a new one under runs/)"
    )
    calibrate.add_argument(
        "--resume", action="store_true", help="go on with the last unfinished calibration, or the one in --out"
    )
    calibrate.set_defaults(command=commands.calibrate)


def _add_plan(subs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    plan = subs.add_parser(
        "plan",
        help="say what an experiment can show on this rig, and how long it takes",
        description="Reads files only: the experiment, and the last A/A of this machine under runs/ "
        "(octoload calibrate).",
    )
    plan.add_argument("experiment", help="a YAML file, or the name of one that octoload brings")
    plan.add_argument("--effect", type=float, metavar="RATIO", help="the change to look for (default: the margin)")
    plan.add_argument("--pairs", type=int, metavar="N", help="pairs, instead of the experiment's")
    plan.add_argument("--rig", type=Path, metavar="FILE", help="a rig.json, instead of the newest under runs/")
    plan.add_argument("--demo", action="store_true", help="the small design of `run --demo`")
    plan.set_defaults(command=commands.foresee)


def _add_compare(subs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    compare = subs.add_parser(
        "compare",
        help="say whether an effect has changed between two finished runs",
        description="Compares the effects (contender against baseline) of two runs of one experiment. Refused when "
        "data, workload or rig differ. Reads files only.",
    )
    compare.add_argument("first", type=Path, metavar="RUN", help="folder of the earlier run")
    compare.add_argument("second", type=Path, metavar="RUN", help="folder of the later run")
    compare.set_defaults(command=commands.compare)
    trend = subs.add_parser(
        "trend",
        help="show an experiment's result over many runs and mark where it changed",
        description="Reads the finished runs below a folder; of those that differ in data, workload or rig, the kind "
        "of the newest one is shown. Reads files only.",
    )
    trend.add_argument("folder", type=Path, nargs="?", default=Path("runs"), metavar="DIR", help="(default: runs)")
    trend.add_argument("--experiment", metavar="NAME", help="which experiment (default: that of the newest run)")
    trend.set_defaults(command=commands.trend)


def _standin(words: list[str]) -> int:
    """Hand over to the stand-in, which is a program of its own."""
    command = [sys.executable, "-m", "standin", *words]
    process = subprocess.Popen(command, env={**os.environ, "OCTOLOAD_PARENT": str(os.getpid())})
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"):
        if hasattr(signal, name):
            # From a terminal Ctrl-C reaches the stand-in as well; being asked twice does it no harm.
            signal.signal(getattr(signal, name), lambda *_: process.terminate())
    return process.wait()


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Treat a polite request to end like Ctrl-C: an event loop has its own way to take that."""
    handler = signal.getsignal(signal.SIGINT)
    if callable(handler):
        handler(number, frame)
    else:  # Ctrl-C is ignored, as in the background of a script
        raise KeyboardInterrupt(number)


def _fault(exc: Exception) -> int:
    """Keep the traceback in a file and say so in one line."""
    with tempfile.NamedTemporaryFile("w", prefix="octoload-fault-", suffix=".txt", delete=False) as file:
        file.write("".join(traceback.format_exception(exc)))
    print(
        f"octoload: a fault of octoload itself: {type(exc).__name__}: {exc}\n"
        f"  Finished trials are kept. Please report it with {file.name}",
        file=sys.stderr,
    )
    return 70
