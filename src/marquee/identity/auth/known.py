"""Callers that this process has looked up lately, so that most requests need no query for theirs.

Only while notices are heard (`marquee.notices`): triggers of the database tell every process whose
session, key, account or roles have changed, and what is known of them is forgotten. Whatever goes
wrong with that, nothing is believed for longer than `SECONDS`.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from cachetools import TTLCache

from marquee import clock, notices, settings
from marquee.viewer import Viewer

CHANNEL = "marquee_viewers"
SECONDS, MOST = 5.0, 10_000

Key = tuple[str, int | bytes]
Found = tuple[Viewer, datetime | None]
"""Who a credential stands for, and until when it holds."""


@dataclass
class _State:
    hears: bool = False
    notices: int = 0
    """How many there have been."""
    last_of_all: int = 0
    """The number of the last one that was about everybody."""


_state = _State()
_viewers: TTLCache[Key, tuple[Found, int]] = TTLCache(MOST, SECONDS)
"""What was found, and how many notices there had been before it was looked up."""
_last_of: dict[int, int] = {}
"""The number of the last notice about a user."""
_lock = threading.Lock()


def viewer(key: Key, look_up: Callable[[], Found | None]) -> Viewer | None:
    """Who a credential stands for: as known, else as looked up."""
    with _lock:
        kept = _viewers.get(key) if _state.hears else None
        if kept is not None and _is_good(*kept):
            return kept[0][0]
        notices_before = _state.notices
    found = look_up()
    if found is None:
        return None
    with _lock:
        if _state.hears and _is_good(found, notices_before):
            _viewers[key] = found, notices_before
    return found[0]


def forget(user_id: str) -> None:
    """Forget what is known of a user, by the id as notices have it; any other word is everybody.

    Nothing is searched for: what was looked up before the notice is not believed any more.
    """
    with _lock:
        _state.notices += 1
        if user_id.isdecimal() and len(_last_of) < MOST:
            _last_of[int(user_id)] = _state.notices
            return
        _state.last_of_all = _state.notices
        _last_of.clear()
        _viewers.clear()


def hears(hears: bool) -> None:  # noqa: FBT001 - a subscriber's signature
    """Begin to believe what is known, or cease to, as notices are heard or are not."""
    forget("")
    _state.hears = hears and settings.current().cache_callers


def _is_good(found: Found, notices_before: int) -> bool:
    """Whether a credential still holds, and nothing has been heard since it was looked up."""
    who, until = found
    heard = max(_state.last_of_all, _last_of.get(who.id, 0))
    return notices_before >= heard and (until is None or until > clock.now())


notices.subscribe(notices.Subscriber(CHANNEL, forget, hears))
