"""The ways in which the contract says no; each becomes one error envelope (octopus-api §B.4)."""

from collections.abc import Sequence

from standin.errors import Rejected

NOT_LOGGED_IN = "You must be logged in to perform this action. Please provide a valid API key or log in again."


def bad_request(message: str, errors: Sequence[str] = ()) -> Rejected:
    """Refuse what breaks a rule (400): a value, a reference, or a version that is no longer current."""
    return Rejected(400, message, errors)


def invalid(*errors: str) -> Rejected:
    """Refuse a resource for one reason or more (400)."""
    message = "There was a problem with your request." if len(errors) > 1 else errors[0]
    return Rejected(400, message, errors)


def not_logged_in() -> Rejected:
    """Refuse a request that has no key, or none that is known (401)."""
    return Rejected(401, NOT_LOGGED_IN)


def not_allowed(method: str, path: str) -> Rejected:
    """Refuse a method that a route does not have (405)."""
    return Rejected(405, f"The method {method[:20]} is not allowed at '{path[:200]}'.")


def too_large(limit: int) -> Rejected:
    """Refuse a body that is larger than any resource (413)."""
    return Rejected(413, f"The request body is larger than {limit // 2**20} MB.")


def forbidden(permission: str) -> Rejected:
    """Refuse what the user has no permission for (403)."""
    message = f"You do not have permission to perform this action. Missing permission: {permission}."
    return Rejected(403, message, [message])


def forged() -> Rejected:
    """Refuse a change whose cookies came without the CSRF token of their session (403)."""
    return Rejected(403, "A change made with cookies needs the CSRF token of its session in X-Octopus-Csrf-Token.")


def limited(policy: str, seconds: int) -> Rejected:
    """Refuse a request beyond the rate of a policy (429); `seconds` is when the next one is allowed."""
    message = f"The rate limit '{policy}' has been reached. Please try again in {seconds} s."
    return Rejected(429, message, headers=[("Retry-After", str(seconds))])


def unsupported(kind: str) -> Rejected:
    """Refuse a body of another type (415)."""
    return Rejected(415, f"The request body must be application/json, not {kind[:100]}.")
