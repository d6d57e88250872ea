"""A server that answers like an Octopus and says what it was asked, for tests of the load engine.

It prints `ready: URL`, answers every page with the same few bytes, and at the end of its input prints the number of
requests by path, and with `--log` when it answered each request for the dashboard, and their number by API key.
`--stall SECONDS --every SECONDS` makes it do nothing at all for a while, again and again.
"""

import argparse
import asyncio
import collections
import datetime as dt
import gzip
import json
import ssl
import sys
import time
from email.utils import formatdate

ROOT = {"Application": "Octopus Deploy", "Version": "2026.3.1", "ApiVersion": "3.0.0"}
FIXED = {
    "/api": ROOT,
    "/api/users/me": {"Id": "Users-1"},
    "/api/spaces/all": [
        {"Id": "Spaces-1", "Name": "Default", "IsDefault": True, "Description": None},
        {"Id": "Spaces-2", "Name": "Load", "IsDefault": False, "Description": "octoload:abc"},
    ],
    "/api/Spaces-2/projects/all": [{"Id": f"Projects-{n}", "Name": f"Web {n}"} for n in range(1, 9)],
    "/api/Spaces-2/tasks": {"Items": [{"Id": f"ServerTasks-{n}"} for n in (3, 2, 1)]},
    "/api/Spaces-1/tasks": {"Items": []},
    "/api/Spaces-2/environments/all": [{"Id": "Environments-1", "Name": "Development"}],
}
RELEASE = {"ReleaseId": "Releases-1", "ReleaseVersion": "1.0.0"}
KEY = b"API-TEST"

options = argparse.Namespace(slow=0, log=False)
served = collections.Counter()
keys = collections.Counter()  # requests for the dashboard by API key
queued = {}  # times of tasks by id
answered = []  # times of the answers to requests for the dashboard


def answer(method, target, head, body):
    path = target.split("?")[0]
    served[path] += 1
    key = head.partition(b"X-Octopus-ApiKey: ")[2].split(b"\r\n")[0]
    keys[key.decode()] += path.endswith("dashboard")
    if path != "/api" and not key.startswith(KEY):
        return 401, {"ErrorMessage": "You must be logged in to request this resource."}
    if method == "POST":
        assert json.loads(body)["ProjectName"]
        return 201, RELEASE if "releases" in path else deploy()
    if "/tasks/" in path:
        return 200, {"Id": path.split("/")[-1], "QueueTime": queued.get(path.split("/")[-1])}
    if path.endswith("Projects-8"):
        return 404, {"ErrorMessage": "The resource 'Projects-8' was not found."}
    return 200, FIXED.get(path, {"Items": [{"Id": n, "Name": "x" * 40} for n in range(30)]})


def now():
    return time.time() + options.ahead


def deploy():
    """Queue a task, stamped by a clock that is wrong, and jumps back and forth when it is asked to."""
    task = f"ServerTasks-{len(queued) + 1}"
    stamp = dt.datetime.fromtimestamp(now() + options.jump * (len(queued) % 2), dt.UTC)
    queued[task] = stamp.isoformat(timespec="milliseconds")
    return {"DeploymentServerTasks": [{"DeploymentId": "Deployments-1", "ServerTaskId": task}]}


async def serve(reader, writer):
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            method, target, _ = head.split(b"\r\n")[0].decode().split(" ")
            length = head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]
            body = await reader.readexactly(int(length or 0))
            status, document = answer(method, target, head, body)
            if options.slow and "dashboard" in target:
                time.sleep(options.slow)  # noqa: ASYNC251  one page after the other, as with one core
            data, coding = json.dumps(document).encode(), b""
            if b"Accept-Encoding: gzip\r\n" in head:
                data, coding = gzip.compress(data), b"Content-Encoding: gzip\r\n"
            writer.write(
                b"HTTP/1.1 %d Fine\r\nContent-Type: application/json\r\nOctopus-Node: node-1\r\n%b"
                b"Date: %b\r\nContent-Length: %d\r\n\r\n%b"
                % (status, coding, formatdate(now(), usegmt=True).encode(), len(data), data)
            )
            if options.log and "dashboard" in target:
                answered.append(time.time())
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def stall(seconds, every):
    while True:
        await asyncio.sleep(every)
        time.sleep(seconds)  # noqa: ASYNC251  the whole server is to stand still


def say(line):
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def read_options():
    parser = argparse.ArgumentParser()
    parser.add_argument("--stall", type=float, default=0)
    parser.add_argument("--every", type=float, default=0)
    parser.add_argument("--slow", type=float, default=0, help="seconds that each page keeps the whole server busy")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--log", action="store_true")
    parser.add_argument("--ahead", type=float, default=0, help="seconds by which its clock is ahead")
    parser.add_argument("--jump", type=float, default=0, help="seconds by which its clock jumps back and forth")
    parser.add_argument("--certificate", help="PEM file with certificate and key: speaks TLS")
    return parser.parse_args()


async def main():
    context = None
    if options.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.certificate)
    server = await asyncio.start_server(serve, options.host, 0, backlog=1000, ssl=context)
    say(f"ready: http{'s' if context else ''}://{options.host}:{server.sockets[0].getsockname()[1]}")
    stalling = asyncio.create_task(stall(options.stall, options.every)) if options.stall else None
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    say(json.dumps({**served, "answered": answered, "keys": keys} if options.log else served))
    if stalling:
        stalling.cancel()


if __name__ == "__main__":
    options = read_options()
    asyncio.run(main())
