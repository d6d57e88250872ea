"""The paging envelope and its links (octopus-api §B.2)."""

from collections.abc import Sequence
from typing import Any

from standin.web.query import ALL, Window


def envelope(  # noqa: PLR0917 - the six things a page is made of, each of another type
    item_type: str, items: Sequence[Any], total: int, window: Window, path: str, filters: str = ""
) -> dict[str, Any]:
    """Return one page of a list as clients expect it; `filters` is the rest of the query, with a leading `&`."""
    pages = number_of_pages(total, window.take)
    return {
        "Id": None,
        "ItemType": item_type,
        "IsStale": False,
        "TotalResults": total,
        "ItemsPerPage": window.take,
        "NumberOfPages": pages,
        "LastPageNumber": max(pages - 1, 0),
        "Items": items,
        "Links": page_links(total, window, path, filters),
    }


def number_of_pages(total: int, take: int) -> int:
    """Return how many pages of `take` items `total` items fill."""
    return -(-total // take) if take else 0


def page_links(total: int, window: Window, path: str, filters: str) -> dict[str, str]:
    """Return the links of a page: `Page.Next` only where one follows, `Page.Previous` only where one precedes."""
    skip, take = window.skip, window.take

    def at(start: int, size: int = take) -> str:
        return f"{path}?skip={start}&take={size}{filters}"

    last = max(number_of_pages(total, take) - 1, 0) * take
    links = {
        "Self": at(skip),
        "Template": f"{path}{{?skip,take}}",
        "Page.All": at(0, ALL),
        "Page.Current": at(skip),
        "Page.Last": at(last),
    }
    if take and skip + take < total:
        links["Page.Next"] = at(skip + take)
    if skip > 0:
        links["Page.Previous"] = at(max(skip - take, 0))
    return links
