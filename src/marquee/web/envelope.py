"""Errors as the contract shows them: one envelope for every 4xx and 5xx, on every path."""

import structlog
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from marquee.errors import Refusal, Unauthenticated, Unavailable
from marquee.web.answers import Answer, json_answer

log = structlog.get_logger("marquee")

# SQLSTATE classes of a server that cannot serve now: connection, resources, intervention.
DOWN = ("08", "53", "57")
IN_EACH_OTHERS_WAY = frozenset(("40001", "40P01", "55P03"))
"""Of a transaction that others have kept from ending: it was undone, and may be tried again."""
CHALLENGE = 'Bearer realm="marquee"'


def answer_to(error: Exception) -> Answer:
    """The answer to whatever a handler or the engine raised."""
    refusal = as_refusal(error)
    if refusal is None:
        log.error("unhandled_exception", exc_info=error)
        return envelope(500, "INTERNAL_ERROR", "Something went wrong on our side.")
    headers = dict(refusal.headers)
    if isinstance(refusal, Unauthenticated):
        headers.setdefault("WWW-Authenticate", CHALLENGE)
    return envelope(refusal.status, refusal.code, refusal.message, refusal.details, headers)


def envelope(
    status: int,
    code: str,
    message: str,
    details: dict[str, object] | None = None,
    headers: dict[str, str] | None = None,
) -> Answer:
    """An error answer. Nothing stores it: by the next request it may be of yesterday."""
    error: dict[str, object] = {"code": code, "message": message[:1000]}
    if details:
        error["details"] = details
    return json_answer(status, {"error": error}, {"Cache-Control": "no-store", **(headers or {})})


def as_refusal(error: Exception) -> Refusal | None:
    """The refusal that an exception means; None for a bug."""
    if isinstance(error, Refusal):
        return error
    if is_database_down(error):
        log.error("database_unavailable", exc_info=error)
        return Unavailable("The database cannot be reached.", "DATABASE_UNAVAILABLE", retry_after=2)
    if isinstance(error, DBAPIError) and getattr(error.orig, "pgcode", None) in IN_EACH_OTHERS_WAY:
        log.warning("transactions_in_each_others_way", exc_info=error)
        message = "Others are changing the same just now."
        return Unavailable(message, "DATABASE_UNAVAILABLE", retry_after=1)
    return None


def is_database_down(error: Exception) -> bool:
    """Whether the database, rather than the statement, is at fault."""
    if isinstance(error, PoolTimeout):
        return True
    if not isinstance(error, DBAPIError):
        return False
    state = getattr(error.orig, "pgcode", None)
    if state is None:
        return error.connection_invalidated or isinstance(error, (OperationalError, InterfaceError))
    return state[:2] in DOWN
