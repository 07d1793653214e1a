"""Whole answers, stored as bytes by Flask-Caching.

Public answers (`x-cache: {scope: public}`) are stored in the process and, where `REDIS_URL` is set,
in Redis for all processes. One request refreshes an answer while the others wait, or get the old
one; where refreshing fails, the last good answer is served with `Age` and `Cache-Status` (RFC
9211).

Private answers are stored in Redis alone, by user: a store that only one process sees could show a
user an answer from before the user's own write. Every write moves the user on to a new generation
of keys.
"""

from __future__ import annotations

import asyncio
import secrets
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import structlog
from cachelib.serializers import SimpleSerializer
from flask import Flask
from flask_caching import Cache
from flask_caching.backends import SimpleCache

from marquee.db import after_commit
from marquee.errors import Invalid
from marquee.late import late
from marquee.settings import Settings
from marquee.viewer import Viewer
from marquee.web.answers import (
    Answer,
    compressed,
    matches,
    preferred_coding,
    worth_compressing,
)
from marquee.web.parameters import Parameters
from marquee.web.plan import Plan
from marquee.web.request import Request

if TYPE_CHECKING:
    from redis import exceptions
else:
    exceptions = late("redis.exceptions")

log = structlog.get_logger("marquee")

KEPT_SECONDS = 24 * 3600
RETRY_SECONDS = 5
MOST_ANSWERS = 2000
LOCK_SECONDS = 15
UNTOLD_SECONDS = 0.5
"""Between attempts to tell Redis what it has missed."""
MOST_QUERIES = 500


@dataclass(slots=True)
class Entry:
    """A stored answer, with its forms by content coding. Moments are seconds of the epoch."""

    stored_at: float
    fresh_until: float
    forms: dict[str, Answer] = field(default_factory=dict)

    @property
    def fresh(self) -> bool:
        """Whether it may be served without a second thought."""
        return time.time() < self.fresh_until


class AsItIs(SimpleSerializer):
    """Does nothing: what is stored is bytes, and what holds them is changed by nobody who gets
    it.
    """

    def dumps(self, value: Any, protocol: int = 0) -> Any:  # noqa: ANN401, ARG002 - cachelib's
        """The value."""
        return value

    def loads(self, bvalue: Any) -> Any:  # noqa: ANN401 - cachelib's
        """The value."""
        return bvalue


class NearCache(SimpleCache):
    """Flask-Caching's store in the process, without pickling."""

    serializer = AsItIs()


class Stores:
    """The two stores behind all caching: this process's, and Redis where there is one."""

    def __init__(self, flask: Flask, settings: Settings) -> None:
        self.seconds = settings.cache_duration_seconds
        near = {
            "CACHE_TYPE": "marquee.web.caching.NearCache",
            "CACHE_THRESHOLD": MOST_ANSWERS,
            "CACHE_DEFAULT_TIMEOUT": KEPT_SECONDS,
        }
        self.near = Cache(flask, config=near)
        self._near = flask.extensions["cache"][self.near]
        self._near_lock = threading.Lock()
        self._far = None
        self._far_down_until = 0.0
        if settings.redis_url:
            options = {"socket_timeout": 0.5, "socket_connect_timeout": 0.5}
            far = {
                "CACHE_TYPE": "RedisCache",
                "CACHE_REDIS_URL": settings.redis_url,
                "CACHE_KEY_PREFIX": "marquee:",
                "CACHE_DEFAULT_TIMEOUT": KEPT_SECONDS,
                "CACHE_OPTIONS": options
                | ({"password": settings.redis_password} if settings.redis_password else {}),
            }
            self.far = Cache(flask, config=far)
            self._far = flask.extensions["cache"][self.far]

    @property
    def shared(self) -> bool:
        """Whether all processes see one store."""
        return self._far is not None

    def near_get(self, key: str) -> Entry | None:
        """An entry of this process."""
        with self._near_lock:
            entry: Entry | None = self._near.get(key)
        return entry

    def near_set(self, key: str, entry: Entry) -> None:
        """Keep an entry in this process."""
        with self._near_lock:
            self._near.set(key, entry)

    def far_get(self, key: str) -> object:
        """A value of Redis; None where it has none, or does not answer."""
        return self._far_try(lambda store: store.get(key))

    def far_set(self, key: str, value: object, seconds: int = KEPT_SECONDS) -> bool:
        """Keep a value in Redis; whether it could be done."""
        return bool(self._far_try(lambda store: store.set(key, value, timeout=seconds)))

    def far_lock(self, key: str) -> bool:
        """Whether this process may refresh the key now: no other one is at it."""
        taken = self._far_try(lambda store: store.add(f"lock:{key}", 1, timeout=LOCK_SECONDS))
        return taken is not False

    def far_unlock(self, key: str) -> None:
        """Let others refresh the key."""
        self._far_try(lambda store: store.delete(f"lock:{key}"))

    def _far_try(self, action: Callable[..., object]) -> object:
        """Nothing waits for a Redis that is down: it is left alone for some seconds."""
        if self._far is None or time.monotonic() < self._far_down_until:
            return None
        try:
            return action(self._far)
        except (exceptions.RedisError, OSError):
            self._far_down_until = time.monotonic() + RETRY_SECONDS
            log.warning("cache_unavailable", exc_info=True)
            return None


class PublicAnswers:
    """Answers that are the same for everybody. Lives on the event loop."""

    def __init__(self, stores: Stores) -> None:
        self.stores = stores
        self._refreshing: dict[str, asyncio.Task[Answer]] = {}

    async def answer(
        self, plan: Plan, request: Request, perform: Callable[[], Awaitable[Answer]]
    ) -> Answer:
        """The stored answer while it is fresh; else what `perform` makes, once for all who ask."""
        try:
            key = answer_key(plan, request)
        except Invalid:
            return await perform()  # which counts it, and refuses it
        return await self._answer(key, request, perform)

    def _stored(self, key: str, request: Request) -> Answer | None:
        """While it is fresh, or another is being made."""
        entry = self.stores.near_get(key)
        if entry is not None and entry.fresh:
            return _served(entry, request, "hit")
        if entry is not None and key in self._refreshing:
            return _served(entry, request, "hit; fwd=stale")
        return None

    async def _answer(
        self, key: str, request: Request, perform: Callable[[], Awaitable[Answer]]
    ) -> Answer:
        if stored := self._stored(key, request):
            return stored
        task = self._refreshing.get(key)
        ours = task is None
        if task is None:
            task = asyncio.create_task(self._refresh(key, perform))
            self._refreshing[key] = task
            task.add_done_callback(lambda _done: self._refreshing.pop(key, None))
        made = await asyncio.shield(task)
        if made.status == HTTPStatus.TOO_MANY_REQUESTS and not ours:
            # Whoever asked first has used up a limit of their own; this one has not.
            return await self._answer(key, request, perform)
        entry = self.stores.near_get(key)
        if entry is not None and made.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return _served(entry, request, f"hit; fwd=stale; fwd-status={made.status}")
        if entry is not None and made.status == HTTPStatus.OK:
            return _served(entry, request, "fwd=miss; stored")
        return replace(made, headers=list(made.headers))

    async def _refresh(self, key: str, perform: Callable[[], Awaitable[Answer]]) -> Answer:
        if self.stores.shared and (found := await asyncio.to_thread(self._from_others, key)):
            return found
        try:
            made = await perform()
            if made.status == HTTPStatus.OK:
                entry = self._entry(made)
                self.stores.near_set(key, entry)
                if self.stores.shared:
                    await asyncio.to_thread(self.stores.far_set, f"public:{key}", entry)
            elif made.status >= HTTPStatus.INTERNAL_SERVER_ERROR and (
                old := self.stores.near_get(key)
            ):
                # What is down is not asked again by every request.
                old.fresh_until = time.time() + RETRY_SECONDS
                self.stores.near_set(key, old)
        finally:
            if self.stores.shared:
                await asyncio.to_thread(self.stores.far_unlock, key)
        return made

    def _from_others(self, key: str) -> Answer | None:
        """What another process has stored, or is about to store; None where it is ours to make."""
        deadline = time.monotonic() + LOCK_SECONDS
        while True:
            entry = self.stores.far_get(f"public:{key}")
            if isinstance(entry, Entry):
                self.stores.near_set(key, entry)
                if entry.fresh:
                    return entry.forms["identity"]
            if self.stores.far_lock(key) or time.monotonic() > deadline:
                return None
            if isinstance(entry, Entry):
                return entry.forms["identity"]
            time.sleep(0.05)

    def _entry(self, answer: Answer) -> Entry:
        now = time.time()
        forms = {"identity": answer}
        if worth_compressing(answer):
            forms |= {coding: compressed(answer, coding) for coding in ("br", "gzip")}
        return Entry(now, now + self.stores.seconds, forms)


class PrivateAnswers:
    """Answers of one user. Lives in the handler threads.

    A write while Redis is away is told to it as soon as it is back: what it has stored for the user
    is of before.
    """

    def __init__(self, stores: Stores) -> None:
        self.stores = stores
        self._untold: set[str] = set()
        self._lock = threading.Lock()

    def answer(
        self, plan: Plan, request: Request, viewer: Viewer, make: Callable[[], Answer]
    ) -> Answer:
        """The stored answer of this user, else what `make` makes."""
        if not self.stores.shared or str(viewer.id) in self._untold:
            return make()
        generation = self.stores.far_get(_generation_key(viewer.id)) or "0"
        key = f"private:{viewer.id}:{generation}:{answer_key(plan, request)}"
        stored = self.stores.far_get(key)
        if isinstance(stored, Answer):
            return stored
        made = make()
        self.stores.far_set(key, replace(made, headers=list(made.headers)), self.stores.seconds)
        return made

    def forget_after_commit(self, request: Request) -> None:
        """A write of a user, or to a user's things: what was stored for either is of yesterday."""
        if not self.stores.shared:
            return
        users = {str(request.viewer.id)} if request.viewer else set()
        users |= {request.path_values["user_id"]} if "user_id" in request.path_values else set()
        for user in users:
            after_commit(partial(self._move_on, user))

    def _move_on(self, user: str) -> None:
        if self._tell(user):
            return
        with self._lock:
            teller = None if self._untold else threading.Thread(target=self._tell_all, daemon=True)
            self._untold.add(user)
        if teller:
            teller.start()

    def _tell(self, user: str) -> bool:
        return self.stores.far_set(_generation_key(user), secrets.token_hex(6))

    def _tell_all(self) -> None:
        while self._untold:
            time.sleep(UNTOLD_SECONDS)
            for user in list(self._untold):
                if not self._tell(user):
                    break
                with self._lock:
                    self._untold.discard(user)


def _generation_key(user: int | str) -> str:
    return f"generation:{user}"


def answer_key(plan: Plan, request: Request) -> str:
    """What an answer depends on, but for who asks. Raises Invalid for a query that breaks the
    contract.
    """
    asked = _asked(plan.parameters, request.query)
    told = "".join(f"\n{name}:{request.headers.get(name)}" for name in plan.varies_by)
    return f"{plan.operation_id}:{request.path}?{asked}{told}"


@lru_cache(maxsize=MOST_QUERIES)
def _asked(parameters: Parameters, query: str) -> str:
    """What a query asks for, however it is written: a new spelling is no new answer. Raises
    Invalid.
    """
    return repr(sorted(parameters.read_query(query).items()))


def _served(entry: Entry, request: Request, how: str) -> Answer:
    """A stored answer with its age, for this client."""
    coding = preferred_coding(request.headers.get("accept-encoding", "")) or "identity"
    form = entry.forms.get(coding) or entry.forms["identity"]
    now = time.time()
    left = max(0, round(entry.fresh_until - now))
    headers = [
        *form.headers,
        (b"age", b"%d" % max(0, now - entry.stored_at)),
        (b"cache-status", f"marquee; {how}; ttl={left}".encode()),
    ]
    if form.header(b"cache-control") is None:
        headers.append((b"cache-control", b"public, max-age=%d" % left))
    condition = request.headers.get("if-none-match")
    if condition and (etag := form.header(b"etag")) and matches(condition, etag):
        return Answer(HTTPStatus.NOT_MODIFIED, headers=headers)
    return Answer(form.status, form.body, form.content_type, headers)
