"""Notices from PostgreSQL: what a process must hear of at once that another has changed.

One thread and one connection of a server process LISTEN for all who subscribe. A notice that was
missed while the connection was down is never made up for: subscribers are told that they are deaf,
and when they hear again.
"""

import selectors
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import structlog
from psycopg2 import Error
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from marquee.db import engine_for

log = structlog.get_logger("marquee")

LONGEST_WAIT = 5.0
IDLE_SECONDS = 10.0
"""How often a connection on which nothing comes is asked whether it still stands."""


@dataclass(frozen=True)
class Subscriber:
    """Who wants to hear a channel: `heard(payload)`, and `hears(True or False)` as that changes."""

    channel: str
    heard: Callable[[str], None]
    hears: Callable[[bool], None]


_subscribers: list[Subscriber] = []


def subscribe(subscriber: Subscriber) -> None:
    """Ask for the notices of a channel, before `listen` is called."""
    _subscribers.append(subscriber)


def listen(engine: Engine) -> None:
    """Start to listen, in a thread of its own, on the database of an engine."""
    url = engine.url.render_as_string(hide_password=False)
    own = engine_for(url, pool_size=1)
    threading.Thread(target=_listen, args=(own,), name="notices", daemon=True).start()


def _listen(engine: Engine) -> None:
    wait = 0.1
    while True:
        try:
            with closing(engine.raw_connection()) as pooled:
                connection: Any = pooled.driver_connection
                connection.autocommit = True
                pooled.detach()
                with closing(connection):
                    _ask(connection)
                    wait = 0.1
                    _hear(connection)
        except (DBAPIError, Error, OSError) as error:
            log.warning("notices_interrupted", error=str(error).strip()[:200])
        except Exception:
            # A subscriber's bug: whoever is deaf for a moment is slow, not wrong.
            log.exception("notices_interrupted")
        finally:
            _tell(hears=False)
        time.sleep(wait)
        wait = min(wait * 2, LONGEST_WAIT)


def _ask(connection: Any) -> None:  # noqa: ANN401 - psycopg2's, beneath SQLAlchemy
    cursor = connection.cursor()
    for each in _subscribers:
        cursor.execute(f'LISTEN "{each.channel}"')
    _tell(hears=True)


def _hear(connection: Any) -> None:  # noqa: ANN401
    by_channel: dict[str, list[Subscriber]] = {}
    for each in _subscribers:
        by_channel.setdefault(each.channel, []).append(each)
    # Not `select.select`, which cannot wait for the 1,025th file of a busy process.
    with selectors.DefaultSelector() as selector:
        selector.register(connection, selectors.EVENT_READ)
        while True:
            if not selector.select(IDLE_SECONDS):
                connection.cursor().execute("select 1")
            connection.poll()
            while connection.notifies:
                notice = connection.notifies.pop(0)
                for each in by_channel[notice.channel]:
                    each.heard(notice.payload)


def _tell(*, hears: bool) -> None:
    for each in _subscribers:
        each.hears(hears)
