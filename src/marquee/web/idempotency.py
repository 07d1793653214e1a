"""`Idempotency-Key`: a retry gets the stored answer instead of doing the thing again.

After draft-ietf-httpapi-idempotency-key-header and Stripe's rules. The answer is stored in the
handler's own transaction, so that there is either both, the effect and the stored answer, or
neither. Refusals are not stored: the same key may be tried again.

While a request runs, an advisory lock of its transaction says so. What waits for an outside service
gives its transaction up meanwhile: it is then `running`, which is a row without an answer.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta

from sqlalchemy import LargeBinary, SmallInteger, UniqueConstraint, delete, func, select
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapped, mapped_column

from marquee import clock
from marquee.db import Model, checkpoint, locked, session
from marquee.errors import Conflict, Unprocessable
from marquee.web.answers import Answer, encode_headers
from marquee.web.request import Request

KEPT = timedelta(hours=24)
LONGEST = timedelta(minutes=1)
"""After this, a request without an answer is one whose server died."""
HEADER = "idempotency-key"
NO_ANSWER = 0
"""The status of a request that is running."""


class StoredAnswer(Model):
    """The answer to the first request with a key of one caller."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (UniqueConstraint("user_id", "key"),)

    user_id: Mapped[int]
    key: Mapped[str]
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[int] = mapped_column(SmallInteger)
    headers: Mapped[dict[str, str]] = mapped_column(JSONB)
    body: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)


def earlier_answer(request: Request, user_id: int, key: str) -> Answer | None:
    """The stored answer of an earlier request with this key, if there is one.

    Raises Conflict while that request is still running, Unprocessable if it was another one.
    """
    if not locked("idempotency", user_id, key):
        raise _still_running()
    stored = session.scalar(
        select(StoredAnswer).where(
            StoredAnswer.user_id == user_id,
            StoredAnswer.key == key,
            StoredAnswer.created_at > clock.now() - KEPT,
        )
    )
    if stored is None:
        return None
    if stored.fingerprint != fingerprint(request):
        raise Unprocessable("This key was used with another request.", "IDEMPOTENCY_KEY_REUSED")
    if stored.status == NO_ANSWER:
        if stored.created_at > clock.now() - LONGEST:
            raise _still_running()
        return None
    headers = [*encode_headers(stored.headers), (b"idempotent-replayed", b"true")]
    return Answer(stored.status, stored.body, b"application/json" if stored.body else None, headers)


@contextmanager
def running(request: Request, user_id: int, key: str) -> Iterator[None]:
    """Let every other request with this key see that the first is at work, whatever transaction it
    is in. Where it fails, the key is free again.
    """
    store(request, user_id, key, Answer(NO_ANSWER))
    checkpoint()
    try:
        yield
    except BaseException:
        session.remove()
        ours = StoredAnswer.user_id == user_id, StoredAnswer.key == key
        with suppress(SQLAlchemyError):
            session.execute(delete(StoredAnswer).where(*ours, StoredAnswer.status == NO_ANSWER))
            checkpoint()
        raise


def _still_running() -> Conflict:
    words = "The first request with this key is still running."
    return Conflict(words, "IDEMPOTENT_REQUEST_RUNNING")


def store(request: Request, user_id: int, key: str, answer: Answer) -> None:
    """Keep an answer, in the transaction of what it tells of; an expired one makes room."""
    headers = {name.decode(): value.decode("latin-1") for name, value in answer.headers}
    values = {
        "fingerprint": fingerprint(request),
        "status": answer.status,
        "headers": headers,
        "body": answer.body,
        "created_at": clock.now(),
    }
    new = insert(StoredAnswer).values(user_id=user_id, key=key, **values)
    session.execute(new.on_conflict_do_update(index_elements=["user_id", "key"], set_=values))


def fingerprint(request: Request) -> bytes:
    """What makes two requests the same: method, path, query and body."""
    parts = (request.method, request.path, request.query)
    return hashlib.sha256("\0".join(parts).encode() + b"\0" + request.body).digest()
