"""Answers that are the same for all who may have them (`x-cache: {scope: private, stored: once}`),
stored once: those of operations that read an outside service.

Whether the caller may have one has been decided before. As with public answers, one request
refreshes an answer while the others wait, or get the old one; where refreshing fails, the last good
answer is served with `Age` and `Cache-Status` (RFC 9211).
"""

import time
from collections.abc import Callable
from dataclasses import replace
from threading import Lock

from sqlalchemy.exc import SQLAlchemyError

from marquee.db import checkpoint, session
from marquee.errors import Refusal
from marquee.web.answers import Answer
from marquee.web.caching import RETRY_SECONDS, Entry, Stores, answer_key
from marquee.web.envelope import answer_to
from marquee.web.plan import Plan
from marquee.web.request import Request

LOCKS = 64
SERVER_ERROR = 500


class SharedAnswers:
    """Lives in the handler threads. An answer that another process has stored in Redis is taken;
    two processes may refresh one at a time.
    """

    def __init__(self, stores: Stores) -> None:
        self.stores = stores
        self._refreshing = [Lock() for _ in range(LOCKS)]

    def answer(self, plan: Plan, request: Request, make: Callable[[], Answer]) -> Answer:
        """The stored answer while it is fresh; else what `make` makes, once for all who ask."""
        key = answer_key(plan, request)
        entry = self._find(key)
        if entry is not None and entry.fresh:
            return _served(entry, "hit")
        # Who waits for an outside service, or for one who does, needs no connection meanwhile.
        checkpoint()
        lock = self._refreshing[hash(key) % LOCKS]
        if not lock.acquire(blocking=entry is None):
            return _served(entry, "hit; fwd=stale") if entry else make()
        try:
            entry = self._find(key)
            if entry is not None and entry.fresh:
                return _served(entry, "hit")
            return self._refreshed(key, entry, make)
        finally:
            lock.release()

    def _refreshed(self, key: str, old: Entry | None, make: Callable[[], Answer]) -> Answer:
        try:
            made = make()
        except (Refusal, SQLAlchemyError) as error:
            status = answer_to(error).status
            if old is None or status < SERVER_ERROR:
                raise
            session.rollback()
            # What is down is not asked again by every request.
            old.fresh_until = time.time() + RETRY_SECONDS
            self.stores.near_set(key, old)
            return _served(old, f"hit; fwd=stale; fwd-status={status}")
        now = time.time()
        kept = replace(made, headers=list(made.headers))
        entry = Entry(now, now + self.stores.seconds, {"identity": kept})
        self.stores.near_set(key, entry)
        if self.stores.shared:
            self.stores.far_set(f"shared:{key}", entry)
        return _served(entry, "fwd=miss; stored")

    def _find(self, key: str) -> Entry | None:
        """The newer one of this process's and Redis's, without Redis while ours is fresh."""
        near = self.stores.near_get(key)
        if (near is not None and near.fresh) or not self.stores.shared:
            return near
        far = self.stores.far_get(f"shared:{key}")
        if not isinstance(far, Entry) or (near is not None and near.stored_at >= far.stored_at):
            return near
        self.stores.near_set(key, far)
        return far


def _served(entry: Entry, how: str) -> Answer:
    """A stored answer with its age."""
    form, now = entry.forms["identity"], time.time()
    left = max(0, round(entry.fresh_until - now))
    headers = [
        *form.headers,
        (b"age", b"%d" % max(0, now - entry.stored_at)),
        (b"cache-status", f"marquee; {how}; ttl={left}".encode()),
    ]
    return Answer(form.status, form.body, form.content_type, headers)
