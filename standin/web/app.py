"""The web application of one node: every request goes through one table of routes."""

from starlette.applications import Starlette

from standin.web.state import NodeState


def create_app(state: NodeState) -> Starlette:
    """Return the ASGI application of a node.

    The caller owns `state.pool` and closes it after the server has stopped; the database already has its schema, the
    default space and an administrator with an API key. The application starts no task of its own.
    """
    app = Starlette(routes=[])
    app.state.node = state
    return app
