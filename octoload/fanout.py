"""Work done by several hands at once in one event loop; the first failure ends all of it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


async def each(work: Callable[[T], Awaitable[object]], items: Iterable[T], hands: int) -> None:
    """Do the work for each item, at most `hands` at once, in the order of the items; they are drawn as needed.

    Raises:
        Exception: the first that any of the work raised; the rest was cancelled.
    """
    iterator = iter(items)

    async def hand() -> None:
        for item in iterator:
            await work(item)

    tasks = [asyncio.ensure_future(hand()) for _ in range(hands)]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
