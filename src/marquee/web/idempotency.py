"""`Idempotency-Key`: a retry gets the stored answer instead of doing the thing again.

After draft-ietf-httpapi-idempotency-key-header and Stripe's rules. The answer is stored in the
handler's own transaction, so that there is either both, the effect and the stored answer, or
neither. Refusals are not stored: the same key may be tried again.
"""

import hashlib
from datetime import datetime, timedelta

from sqlalchemy import LargeBinary, SmallInteger, UniqueConstraint, func, select
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, mapped_column

from marquee import clock
from marquee.db import Model, locked, session
from marquee.errors import Conflict, Unprocessable
from marquee.web.answers import Answer, encode_headers
from marquee.web.request import Request

KEPT = timedelta(hours=24)
HEADER = "idempotency-key"


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
        raise Conflict(
            "The first request with this key is still running.", "IDEMPOTENT_REQUEST_RUNNING"
        )
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
    headers = [*encode_headers(stored.headers), (b"idempotent-replayed", b"true")]
    return Answer(stored.status, stored.body, b"application/json" if stored.body else None, headers)


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
