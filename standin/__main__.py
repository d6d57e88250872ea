"""The command line of the stand-in: `python -m standin`, or `octoload standin`."""

import _thread
import argparse
import os
import re
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from standin import commands
from standin.control import command
from standin.database import FAULTS
from standin.documents import encode
from standin.errors import FailureError, StandinError, UsageError
from standin.hosts.family import usable_cores
from standin.hosts.manager import CHOICES
from standin.hosts.site import ACTIONS as HOST_ACTIONS
from standin.hosts.site import PLACES, Wish, parse_cpus, parse_seconds
from standin.orders import NODE_ACTIONS
from standin.parent import Parent
from standin.supervisor import Service, serve

KEY_VARIABLE = "OCTOLOAD_STANDIN_KEY"
#: The DSN, away from process lists, which show a password on a command line to everybody.
DATABASE_VARIABLE = "OCTOLOAD_STANDIN_DATABASE"
DESCRIPTION = """\
A small, genuine deployment server with the REST contract of Octopus, for learning octoload, testing it and
calibrating it. Numbers measured on it are never numbers of Octopus.

  %(prog)s                                    serve a fresh instance on port 8065, deleted at the end
  %(prog)s --data standin-data --nodes 2      serve the instance in a folder with two nodes (ports 8065, 8066)
  %(prog)s load history.jsonl.gz --data DIR   copy a history into the instance of a folder
"""


def main(words: Sequence[str] | None = None) -> int:
    """Run a command; return the exit code: 0 done, 2 bad usage, 5 PostgreSQL, a node or the network failed."""
    given = list(sys.argv[1:] if words is None else words)
    if not given or (given[0].startswith("-") and given[0] not in ("-h", "--help")):
        given = ["serve", *given]
    options = _parser().parse_args(given)
    _end_with_parent()
    try:
        options.run(options)
    except StandinError as exc:
        print(f"standin: {exc}", file=sys.stderr)
        return exc.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except FAULTS as exc:
        print(f"standin: {exc}", file=sys.stderr)
        return FailureError.exit_code
    return 0


def _end_with_parent() -> None:
    """Let SIGTERM and the parent's end act as Ctrl-C, which leaves nothing half done behind."""
    # A shell starts what runs in its background with Ctrl-C ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for name in ("SIGTERM", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: signal.raise_signal(signal.SIGINT))
    Parent().watch(_thread.interrupt_main)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="standin", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    subs = parser.add_subparsers(metavar="command", required=True)
    _add_serve(_command(subs, "serve", _serve, "serve in the foreground; `serve` may be left out"))
    one = _command(subs, "postgres", _postgres, "run PostgreSQL alone in the foreground, for several instances on it")
    one.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder of its files; made if missing")
    one.add_argument("--port", type=_port, default=0, help="port on 127.0.0.1 (default 0: any free one)")
    one = _command(subs, "load", _load, "copy a history (octoload.history) into an empty database")
    one.add_argument("file", type=Path, metavar="FILE", help="the stream of resources, .jsonl or .jsonl.gz")
    place = one.add_mutually_exclusive_group()
    place.add_argument("--data", type=Path, metavar="DIR", help="folder of an instance that is not being served now")
    place.add_argument(
        "--database",
        metavar="DSN",
        help=f"database on a running PostgreSQL; made if missing; better in {DATABASE_VARIABLE}",
    )
    one = _command(subs, "clone", _clone, "copy a database on the same PostgreSQL, file by file")
    _add_database(one)
    one.add_argument("--to", required=True, metavar="NAME", help="name of the copy")
    one.add_argument("--replace", action="store_true", help="drop an older copy of that name first")
    one = _command(subs, "settle", _settle, "vacuum, analyse and read all tables into memory")
    _add_database(one)
    one = _command(subs, "inspect", _inspect, "say rows by table, bytes, and the plan of the dashboard's query")
    _add_database(one)
    one.add_argument("--space", metavar="ID", help="the dashboard's space (default: the one with most deployments)")
    _add_dashboard(one)
    told = "add, kill, freeze or drain nodes of a stand-in that is serving"
    _add_order(_command(subs, "node", _order, told), "how the node is then", NODE_ACTIONS)
    told = "move the database, change capacities and distance, and say what the hosts of a stand-in have used"
    _add_order(_command(subs, "host", _order, told), "the mechanism in force and what each host has used", HOST_ACTIONS)
    return parser


def _command(
    subs: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    run: Callable[[argparse.Namespace], None],
    told: str,
) -> argparse.ArgumentParser:
    parser = subs.add_parser(name, help=told, description=told[0].upper() + told[1:] + ".")
    parser.set_defaults(run=run)
    return parser


def _add_serve(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Serve in the foreground until Ctrl-C. Says `ready: URL api-key: KEY`, and before that `node: URL` for each "
        "node when there are several."
    )
    parser.add_argument("--port", type=_port, default=8065, help="port of the first node (default 8065; 0: any free)")
    parser.add_argument("--nodes", type=_count, default=1, help="node processes, on the following ports (default 1)")
    parser.add_argument("--api-key", metavar="API-…", help=f"the administrator's key; better in {KEY_VARIABLE}")
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="folder of the instance (default: one deleted at the end)"
    )
    parser.add_argument(
        "--database",
        metavar="DSN",
        help=f"a running PostgreSQL instead of our own; made if missing; better in {DATABASE_VARIABLE}",
    )
    parser.add_argument(
        "--time-scale",
        type=_factor,
        default=1.0,
        metavar="F",
        help="divide Octopus' timers by F: queue look 20 s, heartbeat 60 s, orphans 60 min (default 1). Retention is "
        "run every 4 hours by itself at scale 1 only: at other scales it runs when it is asked for, so that it "
        "surprises no experiment",
    )
    parser.add_argument(
        "--no-schedule",
        action="store_false",
        dest="schedule",
        help="never run Retention by itself, at scale 1 neither",
    )
    _add_dashboard(parser)
    _add_hosts(parser)


def _add_order(parser: argparse.ArgumentParser, told: str, actions: Mapping[str, str]) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description = f"Says one line of JSON: {told}.\n\nactions:\n" + "\n".join(
        f"  {words:<18}{told}" for words, told in actions.items()
    )
    parser.set_defaults(subject=parser.prog.split()[-1])
    parser.add_argument("action", help="what to do")
    parser.add_argument("words", nargs="*", metavar="WORD", help="with what")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder that `serve --data` was given")


def _add_hosts(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "hosts", "Groups of processes that stand for machines: a part of this machine's CPUs each, 75 % of them in all."
    )
    group.add_argument(
        "--host-cpus", metavar="N", help="CPUs of each node's host, such as 0.6; without it all share the machine"
    )
    group.add_argument(
        "--sql", choices=PLACES, help=f"the database beside the first node, or alone (default {PLACES[0]})"
    )
    group.add_argument("--sql-cpus", metavar="N", help="CPUs of the database's own host (default: as a node's)")
    group.add_argument(
        "--sql-latency",
        metavar="TIME",
        help="round trip to the database's own host, such as 1ms, by a proxy that costs CPU and time itself; 0ms keeps "
        "the proxy, so that the distance can be changed later (default: no proxy)",
    )
    group.add_argument(
        "--host-mechanism",
        choices=CHOICES,
        help="how hosts are held to their CPUs: a control group's quota, or a governor that stops and continues "
        "processes, whose figures are rough (default auto: the first that works)",
    )


def _add_dashboard(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--dashboard-sql",
        choices=("ranked", "lateral", "more"),
        default="ranked",
        help="how dashboards are computed: by ranking all deployments, as Octopus' public schema does it (default), by "
        "stepping into an index, or by ranking a quarter of them once more; versions with a known difference, for "
        "trying out a comparison of versions",
    )


def _add_database(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--database", metavar="DSN", help=f"postgresql://user@host:port/name; better in {DATABASE_VARIABLE}"
    )


def _serve(options: argparse.Namespace) -> None:
    if options.nodes > (cores := len(usable_cores())) and options.host_cpus is None:
        _tell(
            f"standin: {options.nodes} nodes share {cores} CPUs here: what a node more adds cannot be seen in this "
            "way; --host-cpus 0.2 gives each a part of its own"
        )
    serve(
        Service(
            port=options.port,
            nodes=options.nodes,
            api_key=options.api_key or os.environ.pop(KEY_VARIABLE, ""),
            data=options.data,
            database=_dsn(options),
            time_scale=options.time_scale,
            dashboard=options.dashboard_sql,
            schedule=options.schedule,
            hosts=_hosts(options),
        ),
        _say,
    )


def _postgres(options: argparse.Namespace) -> None:
    commands.run_postgres(options.data, options.port, _say)


def _load(options: argparse.Namespace) -> None:
    dsn = _dsn(options)
    if not dsn and options.data is None:
        raise _no_database("Give --data or --database, or")
    _say(commands.load(options.file, options.data, dsn, _tell))


def _clone(options: argparse.Namespace) -> None:
    _say(commands.clone(_named(options), options.to, replace=options.replace))


def _settle(options: argparse.Namespace) -> None:
    _say(commands.settle(_named(options)))


def _inspect(options: argparse.Namespace) -> None:
    _say(commands.inspect(_named(options), options.space, options.dashboard_sql))


def _order(options: argparse.Namespace) -> None:
    _say(encode(command(options.data, options.subject, options.action, options.words)))


def _hosts(options: argparse.Namespace) -> Wish | None:
    """Return what is wanted of hosts, None for none."""
    if options.host_cpus is None:
        given = [name for name in ("sql", "sql-cpus", "sql-latency", "host-mechanism") if _given(options, name)]
        if given:
            raise UsageError(
                f"--{given[0]} says nothing without hosts", "Give each node's host its CPUs: --host-cpus 0.6."
            )
        return None
    cpus = parse_cpus(options.host_cpus)
    return Wish(
        host_cpus=cpus,
        sql_cpus=cpus if options.sql_cpus is None else parse_cpus(options.sql_cpus),
        sql=options.sql or PLACES[0],
        latency=None if options.sql_latency is None else parse_seconds(options.sql_latency),
        mechanism=options.host_mechanism or CHOICES[0],
    )


def _given(options: argparse.Namespace, name: str) -> bool:
    return getattr(options, name.replace("-", "_")) is not None


def _dsn(options: argparse.Namespace) -> str:
    """Return the DSN that was given, on the command line or in the environment; children do not inherit it."""
    kept = os.environ.pop(DATABASE_VARIABLE, "")
    return str(options.database or kept)


def _named(options: argparse.Namespace) -> str:
    dsn = _dsn(options)
    if not dsn:
        raise _no_database("Give --database, or")
    return dsn


def _no_database(cure: str) -> UsageError:
    return UsageError("no database is named", f"{cure} set {DATABASE_VARIABLE} to postgresql://user@host:port/name.")


def _say(line: str) -> None:
    print(line, flush=True)


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _port(text: str) -> int:
    if not re.fullmatch(r"\d{1,5}", text) or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"'{text}' is no port; give a number from 0 to 65535")
    return int(text)


def _count(text: str) -> int:
    if not re.fullmatch(r"\d{1,3}", text) or not 1 <= int(text) <= 32:
        raise argparse.ArgumentTypeError(f"'{text}' is no number of nodes; give 1 to 32")
    return int(text)


def _factor(text: str) -> float:
    try:
        factor = float(text)
    except ValueError:
        factor = 0.0
    if not 0.001 <= factor <= 100_000:
        raise argparse.ArgumentTypeError(f"'{text}' is no time scale; give a number such as 1 or 100")
    return factor


if __name__ == "__main__":
    sys.exit(main())
