"""Answers that are spoilt on their way to a test: a member is dropped, or the status is another one."""

import json
import os
from collections.abc import Mapping
from typing import Any

import httpx

from tests import contract

#: `GET environments/{id} drop Slug` or `POST environments status`
VARIABLE = "OCTOLOAD_TAMPER"


def proving_client(url: str, headers: Mapping[str, str], calls: contract.Calls, timeout: float = 30) -> httpx.Client:
    """Return a client whose calls count as proofs; what it is answered is spoilt as the environment variable says."""
    order = os.environ.get(VARIABLE)
    return httpx.Client(
        base_url=url,
        headers=headers,
        timeout=timeout,
        event_hooks={"response": [calls.note]},
        transport=Tampering(order) if order else None,
    )


class Tampering(httpx.BaseTransport):
    """Spoils the answers of one operation."""

    def __init__(self, order: str) -> None:
        method, path, self._what, *names = order.split()
        self._key = contract.key(method, path)
        self._names = set(names)
        self._inner = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Pass a request on; spoil its answer if it is the one."""
        response = self._inner.handle_request(request)
        route = contract.route_of(request)
        if route is None or contract.key(route.method, route.path) != self._key or response.status_code >= 400:
            return response
        content, status = response.read(), response.status_code
        if self._what == "status":
            status = 202
        elif response.headers["content-type"].startswith("application/json"):
            content = json.dumps(self._drop(json.loads(content))).encode()
        return httpx.Response(status, headers={"content-type": response.headers["content-type"]}, content=content)

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()

    def _drop(self, answer: Any) -> Any:
        """Drop the members from an object, from each item of a page, or from each of an array."""
        if isinstance(answer, list):
            return [self._drop(one) for one in answer]
        if isinstance(answer.get("Items"), list):
            answer = {**answer, "Items": [self._drop(one) for one in answer["Items"]]}
        return {name: value for name, value in answer.items() if name not in self._names}
