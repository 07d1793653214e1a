"""Writing a profile: in a thread of its own, whoever reads along.

A few are written at a time in a process. The thread holds no database connection while it waits for
words, and the text is stored when it is whole, also where the client has gone.
"""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import orjson
import structlog

from marquee.db import transaction
from marquee.errors import Refusal, Unavailable
from marquee.services import text
from marquee.taste.taste_profiles import claiming, facts, figures, narrating
from marquee.taste.taste_profiles.claiming import Claim
from marquee.taste.taste_profiles.kinds import Kind
from marquee.taste.taste_profiles.naming import Names, sentences

log = structlog.get_logger("marquee")

AT_A_TIME = 8
RETRY_SECONDS = 5
LONGEST = 1500
"""Characters of a synopsis."""
HEARTBEAT, SILENCE = 15.0, b": heartbeat\n\n"
BUG = {"code": "INTERNAL_ERROR", "message": "Something went wrong on our side."}


class Places:
    """The places of those who write in this process."""

    def __init__(self, number: int) -> None:
        self._free = threading.BoundedSemaphore(number)

    def take(self) -> "Place":
        """A place, if there is one. Raises Unavailable (OVERLOADED)."""
        if not self._free.acquire(blocking=False):
            message = "Too many profiles are being written at the moment."
            raise Unavailable(message, "OVERLOADED", retry_after=RETRY_SECONDS)
        return Place(self._free)


class Place:
    """One of them. It is free again when it is left, and when nobody knows of it any more: what
    was to be written is forgotten with a transaction that fails.
    """

    def __init__(self, free: threading.BoundedSemaphore) -> None:
        self._free: threading.BoundedSemaphore | None = free

    def leave(self) -> None:
        """Free it, once."""
        free, self._free = self._free, None
        if free is not None:
            free.release()

    __del__ = leave


places = Places(AT_A_TIME)


class Writing:
    """One profile that is being written, and who reads along."""

    def __init__(self, user_id: int, kind: Kind, claim: Claim, place: Place) -> None:
        self._user_id, self._kind, self._claim, self._place = user_id, kind, claim, place
        self._said: list[bytes] = []
        self._is_over = False
        self._reader: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None

    def start(self) -> None:
        """Write. The claim has been committed."""
        threading.Thread(target=self._run, name="taste-profile", daemon=True).start()

    async def events(self, heartbeat: float = HEARTBEAT) -> AsyncIterator[bytes]:
        """What is written as server-sent events, for one reader: each sentence, then the end. A
        comment where nothing has come for so many seconds.
        """
        woken, sent = asyncio.Event(), 0
        self._reader = asyncio.get_running_loop(), woken
        while True:
            is_over = self._is_over
            for event in self._said[sent:]:
                yield event
                sent += 1
            if is_over:
                return
            try:
                async with asyncio.timeout(heartbeat):
                    await woken.wait()
            except TimeoutError:
                yield SILENCE
            woken.clear()

    def _run(self) -> None:
        try:
            self._say("done", stats=self._write())
        except Refusal as refusal:
            self._fail({"code": refusal.code, "message": refusal.message})
        except Exception:
            log.exception("taste_profile_failed", user=self._user_id, kind=self._kind.name)
            self._fail(BUG)
        finally:
            self._place.leave()
            self._is_over = True
            self._wake()

    def _write(self) -> dict[str, Any]:
        """Write and store it, and say each sentence. The figures are those of the end."""
        with transaction():
            titles = facts.known(self._user_id, self._kind)
        synopsis, model = "", text.Narrator.name
        for sentence, by in written(titles, self._kind):
            more = f" {sentence}" if synopsis else sentence
            synopsis, model = synopsis + more, by
            self._say("text", content=more)
        with transaction():
            claiming.store(self._claim, synopsis, model)
            return figures.of(self._user_id, self._kind)

    def _fail(self, why: dict[str, str]) -> None:
        # Where this fails too, the claim ends with its time.
        with contextlib.suppress(Exception), transaction():
            claiming.give_back(self._claim)
        self._say("error", **why)

    def _say(self, kind: str, **more: object) -> None:
        self._said.append(b"data: %s\n\n" % orjson.dumps({"type": kind, **more}))
        self._wake()

    def _wake(self) -> None:
        if self._reader is not None:
            loop, woken = self._reader
            with contextlib.suppress(RuntimeError):  # a loop that has been closed
                loop.call_soon_threadsafe(woken.set)


def written(titles: list[facts.Known], kind: Kind) -> Iterator[tuple[str, str]]:
    """The sentences of a synopsis, with what wrote each. Raises Unavailable and TimedOut, also in
    the middle.

    Sentences that name a title are left out. Where none is left, or there is nothing to write of,
    the narrator speaks.
    """
    found = facts.of(titles, kind)
    plain = narrating.plainly(found, kind)
    is_silent = True
    if found["titles"]:
        writer = text.current()
        said = writer.write(text.Brief(narrating.task(kind), found, plain, LONGEST))
        names = _names(titles) if writer.name != text.Narrator.name else Names(())
        for sentence in sentences(said):
            if names.are_in(sentence):
                log.info("taste_profile_sentence_left_out", model=writer.name)
                continue
            is_silent = False
            yield sentence, writer.name
    if is_silent:
        for sentence in sentences([plain]):
            yield sentence, text.Narrator.name


def _names(titles: list[facts.Known]) -> Names:
    called = [name for each in titles for name in (each.title, each.original_title) if name]
    return Names(called, {name for each in titles for name in (*each.genres, *each.countries)})
