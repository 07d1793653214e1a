"""Signing in with an account of the media server.

A password is shown to the server once, and the session that begins there by it is ended at once.
"""

import re
from contextlib import suppress
from dataclasses import dataclass, field

import structlog
from structlog.typing import FilteringBoundLogger

from marquee.errors import Unavailable
from marquee.services.fields import Fields, Malformed
from marquee.services.http import Timing, Upstream, UpstreamRefused
from marquee.services.media_server.dialects import ID, naming

LARGEST = 64 * 1024
"""Bytes of an answer; a usual one has some thousand."""
LONGEST_NAME = 255
"""In characters; what is longer is cut."""
HIGHEST_RATING = 32767
TOKEN = re.compile(r"[0-9A-Za-z._~+/=-]{1,500}")


@dataclass(frozen=True, slots=True)
class MediaUser:
    """An account of the media server."""

    id: str
    name: str
    is_admin: bool
    max_parental_rating: int | None
    """The highest rating that may be watched, in the server's own points; None for no bound."""


@dataclass(frozen=True, slots=True)
class _Granted:
    """What a good password opens."""

    user: MediaUser
    is_disabled: bool
    token: str = field(repr=False)


class MediaServer:
    """One media server, for all threads of a process."""

    def __init__(
        self,
        base_url: str,
        kind: str = "jellyfin",
        *,
        timeout: float = 5.0,
        timing: Timing | None = None,
        log: FilteringBoundLogger | None = None,
    ) -> None:
        """`kind` is jellyfin or emby, `timeout` the longest that one answer may take (seconds)."""
        self.kind = kind
        self._upstream = Upstream(
            "media_server",
            base_url,
            connect_timeout=min(3.0, timeout),
            read_timeout=timeout,
            total_timeout=timeout,
            max_bytes=LARGEST,
            carries_passwords=True,
            timing=timing or Timing(),
            log=log or structlog.get_logger(),
        )

    def sign_in(self, name: str, password: str) -> MediaUser | None:
        """The account with this name and password; None where the server refuses them.

        It refuses as well who is disabled there, or may not come at this hour or from this device.
        Raises Unavailable and TimedOut when it does not serve. Takes up to twice the timeout: the
        session is ended there too.
        """
        if not name.strip():
            return None  # it would answer 400, as if we had asked wrongly
        try:
            granted = self._upstream.request(
                "POST",
                "/Users/AuthenticateByName",
                body={"Username": name, "Pw": password},
                headers=naming(self.kind),
                read=_granted,
            )
        except UpstreamRefused:
            return None
        self._log_out(granted.token)
        return None if granted.is_disabled else granted.user

    def _log_out(self, token: str) -> None:
        # Whoever has the right password is let in, also where the server fails only now.
        with suppress(Unavailable):
            self._upstream.request(
                "POST", "/Sessions/Logout", headers=naming(self.kind, token), read=lambda _: None
            )


def _granted(value: object) -> _Granted:
    answer = Fields(value, "answer")
    token, user = answer.matching("AccessToken", TOKEN), answer.inner("User")
    policy = user.inner("Policy") if user else None
    if token is None or user is None or policy is None:
        raise Malformed("answer has no token, user or policy")
    user_id, rating = user.matching("Id", ID), policy.known_count("MaxParentalRating")
    if user_id is None:
        raise Malformed("answer.User.Id is not an id")
    found = MediaUser(
        id=user_id,
        name=user.some_text("Name", LONGEST_NAME),
        is_admin=policy.flag("IsAdministrator"),
        max_parental_rating=None if rating is None else min(rating, HIGHEST_RATING),
    )
    return _Granted(found, policy.flag("IsDisabled"), token)
