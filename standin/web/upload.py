"""Multipart bodies, read as they come: the first file of one, however large (octopus-api §A.13)."""

from collections.abc import AsyncIterator

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_options_header
from werkzeug.sansio import multipart

from standin.errors import Rejected
from standin.web.call import Call
from standin.web.refusals import bad_request

#: Bytes that may wait for the end of a part's headers.
LARGEST_HEADERS = 1 << 20
MOST_PARTS = 100


async def first_file(call: Call) -> tuple[str, AsyncIterator[bytes]]:
    """Return the name of the first file in a body and its bytes, which must be read to their end.

    The field's own name does not matter: each client has another (octopus-api §A.13).

    Raises:
        Rejected: 400, the body has no file, or is no multipart form. Reading on raises it as well.
    """
    events = _events(call)
    async for event in events:
        if isinstance(event, multipart.File):
            return event.filename, _content(events)
    raise bad_request("A package file must be provided")


async def _content(events: AsyncIterator[multipart.Event]) -> AsyncIterator[bytes]:
    """Yield the bytes of the present part, then read the rest of the body away."""
    ended = False
    async for event in events:
        if isinstance(event, multipart.Data) and not ended:
            yield event.data
            ended = not event.more_data


async def _events(call: Call) -> AsyncIterator[multipart.Event]:
    kind, options = parse_options_header(call.headers.get("content-type", ""))
    boundary = options.get("boundary", "")
    if kind.lower() != "multipart/form-data" or not boundary:
        raise bad_request("A package file must be provided", ["The body must be multipart/form-data with one file."])
    decoder = multipart.MultipartDecoder(boundary.encode("latin-1", "replace"), max_parts=MOST_PARTS)
    async for chunk in call.stream():
        for start in range(0, len(chunk), LARGEST_HEADERS):
            for event in _decode(decoder, chunk[start : start + LARGEST_HEADERS]):
                yield event
    for event in _decode(decoder, None):
        yield event


def _decode(decoder: multipart.MultipartDecoder, chunk: bytes | None) -> list[multipart.Event]:
    """Give the decoder a piece of the body (None: there is no more) and return what it has found."""
    found: list[multipart.Event] = []
    try:
        decoder.receive_data(chunk)
        while not isinstance(event := decoder.next_event(), multipart.NeedData):
            found.append(event)
            if isinstance(event, multipart.Epilogue):
                break
    except (ValueError, RequestEntityTooLarge) as exc:
        raise _malformed() from exc
    if len(decoder.buffer) > LARGEST_HEADERS:
        raise _malformed()
    return found


def _malformed() -> Rejected:
    return bad_request("The request body is not a valid multipart form.")
