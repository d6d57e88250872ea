"""A server that answers badly in every way there is, and says how, for tests of the load engine.

Whoever looks around finds an Octopus. Each request for the dashboard is then answered in another way; a good answer
to request number n has a body of 1000 + n bytes. At the end of its input it prints the ways in the order of requests.
"""

import asyncio
import json
import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from fake_octopus import FIXED, answer, say

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
#: Way -> bytes before the end of the connection (None: it stays open), where %n is the body of the request.
LAST_WORDS = {
    "close before the answer": b"",
    "close in the head": OK + b"Content-Le",
    "close in the body": OK + b"Content-Length: 99999\r\n\r\nabc",
    "close in a chunk": CHUNKED + b"ff\r\nabc",
    "bad chunk size": CHUNKED + b"zz\r\n",
    "long chunk": CHUNKED + b"1\r\nabc\r\n",
    "wrong length": OK + b"Content-Length: twelve\r\n\r\n",
    "two lengths": OK + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "endless head": OK + b"A: b\r\n" * 30_000,
    "garbage": bytes(range(256)) * 40,
    "another protocol": b"SSH-2.0-OpenSSH_9.2\r\n",
    "switch": b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
}
WHOLE = {
    "redirect": b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n",
    "too many": b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 3\r\nContent-Length: 0\r\n\r\n",
    "broken": b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n",
}
GOOD = ("good", "interim", "chunks", "until close", "close announced", "close unannounced", "more than asked", "drip")
MUTE = ("silence", "endless drip")
#: After these the server closes a connection without the client's knowing.
UNANNOUNCED = ("close unannounced", "mutation")
WAYS = [*GOOD, *MUTE, "reset in the body", "mutation", *LAST_WORDS, *WHOLE]

order = []
dice = random.Random(5)


def choose():
    """Return the next way: all of them once, then at random; a good one where a request before may be lost."""
    if order and order[-1] in UNANNOUNCED:
        return "good"
    unseen = [way for way in WAYS if way not in order]
    return unseen[0] if unseen else dice.choice([way for way in WAYS if way not in MUTE])


def plain(body, extra=b""):
    return OK + extra + b"Content-Length: %d\r\n\r\n" % len(body) + body


async def misbehave(way, number, writer):
    """Answer one request; return whether the connection stays open."""
    body = b"x" * (1000 + number)
    stays = True
    if way in LAST_WORDS or way in WHOLE:
        writer.write({**LAST_WORDS, **WHOLE}[way])
        stays = way in WHOLE
    elif way in MUTE:
        writer.write(OK if way == "endless drip" else b"")
        while not writer.transport.is_closing():
            writer.write(b"A: b\r\n" if way == "endless drip" else b"")
            await asyncio.sleep(0.05)
        stays = False
    elif way == "reset in the body":
        writer.write(OK + b"Content-Length: 99999\r\n\r\nabc")
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.transport.abort()
        stays = False
    elif way == "mutation":
        data = bytearray(plain(body))
        for _ in range(3):
            data[dice.randrange(60)] = dice.randrange(256)
        writer.write(data)
        await writer.drain()
        await asyncio.sleep(0.05)
        stays = False
    else:
        stays = await behave(way, body, writer)
    await writer.drain()
    return stays


async def behave(way, body, writer):
    if way == "interim":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + plain(body))
    elif way == "chunks":
        writer.write(CHUNKED + b"1;x=y\r\nx\r\n%x\r\n%b\r\n0\r\nA: b\r\n\r\n" % (len(body) - 1, body[1:]))
    elif way == "until close":
        writer.write(OK + b"\r\n" + body)
        return False
    elif way == "close announced":
        writer.write(plain(body, b"Connection: close\r\n"))
        return False
    elif way == "more than asked":
        writer.write(plain(body) + plain(b"not yours"))
    elif way == "drip":
        for byte in plain(body)[:70]:
            writer.write(bytes([byte]))
            await writer.drain()
        writer.write(plain(body)[70:])
    else:
        writer.write(plain(body))
        return way != "close unannounced"
    return True


async def serve(reader, writer):
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            target = head.split(b" ")[1].decode()
            if target.split("?")[0] in FIXED:
                status, document = answer("GET", target, head, b"")
                data = json.dumps(document).encode()
                writer.write(b"HTTP/1.1 %d Fine\r\nContent-Length: %d\r\n\r\n%b" % (status, len(data), data))
                await writer.drain()
                continue
            way = choose()
            order.append(way)
            if not await misbehave(way, len(order) - 1, writer):
                break
    except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
        pass
    writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=1000)
    say(f"ready: http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    say(json.dumps(order))
    server.close()


if __name__ == "__main__":
    asyncio.run(main())
