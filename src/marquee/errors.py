"""The ways in which a request is refused. Services raise these; web/envelope.py answers them.

Each has an HTTP status and a machine code of the contract's `ErrorCode`. Whatever else escapes from
a handler is a bug of ours and answers 500.
"""


class Refusal(Exception):
    """Base of every expected refusal: status, code, a sentence for people, and optional details."""

    status = 400
    code = "VALIDATION_ERROR"

    def __init__(
        self,
        message: str,
        code: str | None = None,
        *,
        details: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.details = details
        self.headers = headers or {}


class Invalid(Refusal):
    """A value that the contract cannot check means nothing (400)."""

    @classmethod
    def value(cls, where: str, path: str, message: str) -> "Invalid":
        """A refusal of one value: `where` is body, query, path, header or cookie."""
        error = {"in": where, "path": path, "message": message}
        return cls("The request breaks the contract.", details={"errors": [error]})


class Unauthenticated(Refusal):
    """No credential, or one that does not hold (401)."""

    status, code = 401, "INVALID_TOKEN"


class Forbidden(Refusal):
    """The caller is known, but may not do this (403)."""

    status, code = 403, "INSUFFICIENT_PERMISSIONS"


class NotFound(Refusal):
    """There is no such thing, or the caller may not know of it (404)."""

    status, code = 404, "NOT_FOUND"


class Conflict(Refusal):
    """The request is valid, but the present state forbids it (409)."""

    status, code = 409, "CONFLICT"


class PreconditionFailed(Refusal):
    """`If-Match` names another version than the present one (412)."""

    status, code = 412, "PRECONDITION_FAILED"


class Unprocessable(Refusal):
    """The request is valid, but a rule refuses it (422)."""

    status, code = 422, "UNPROCESSABLE"


class RateLimited(Refusal):
    """Too many requests (429). Headers say when to come again."""

    status, code = 429, "RATE_LIMITED"


class Unavailable(Refusal):
    """Something that Marquee depends on is down (503)."""

    status, code = 503, "EXTERNAL_API_ERROR"

    def __init__(self, message: str, code: str | None = None, *, retry_after: int = 5) -> None:
        super().__init__(message, code, headers={"Retry-After": str(retry_after)})


class NotConfigured(Unavailable):
    """The operation needs a service that this server has not been told of (503)."""

    code = "NOT_CONFIGURED"


class TimedOut(Unavailable):
    """Something that Marquee depends on took too long (504)."""

    status, code = 504, "EXTERNAL_API_TIMEOUT"
