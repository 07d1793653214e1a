"""Trakt (https://trakt.docs.apiary.io): what people rated there, by their leave.

OAuth 2 with a client secret. Access tokens last for as long as each answer says; a refresh token is
good once. People's tokens are shown to Trakt alone, and no answer to them is kept or logged.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import Any, Literal, TypeVar
from urllib.parse import urlencode

import orjson
import structlog
from structlog.typing import FilteringBoundLogger

from marquee import __version__, settings
from marquee.errors import NotConfigured, Unavailable
from marquee.services.fields import Fields, Malformed
from marquee.services.http import (
    LONGEST_WAIT,
    RATE_LIMITED,
    Timing,
    Upstream,
    UpstreamRefused,
)
from marquee.services.wire import Answer, Failed

Kind = Literal["movies", "shows"]

PAGE = 250
"""Ratings asked for at a time: what Trakt gives at the most."""
MOST_PAGES = 1000
"""An account holds 20,000 ratings at the most; an answer that promises more pages is a lie."""
MOST_SENT = 500
"""Ratings sent at a time."""
LONGEST_CALL = 10.0
"""Seconds that a call for reading may take, with all its attempts."""
ATTEMPTS = 3
LONGEST_NAME, LONGEST_TOKEN = 255, 4096
LONGEST_LIFE = 366 * 24 * 3600
HIGHEST = 10
ACCOUNT_STATUSES = frozenset({420, 423, 426})
"""The account has reached its limit, is locked, or must be a paying one."""
IMDB_ID = re.compile(r"tt[0-9]{7,12}")
COUNT = re.compile(r"[0-9]{1,9}")

T = TypeVar("T")


class TraktRefused(Unavailable):
    """Trakt does not take the code or the token that we have of a person."""


class AccountLimited(Unavailable):
    """Trakt refuses for what the account is: at its limit, locked, or not a paying one."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a person's leave is proven by, until `expires_at`."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Ids:
    """What others call a title. Films have no `tvdb_id` of use."""

    imdb_id: str | None = None
    tmdb_id: int | None = None
    tvdb_id: int | None = None


@dataclass(frozen=True, slots=True)
class Rated:
    """A score of 1 to 10."""

    ids: Ids
    score: int
    rated_at: datetime


@dataclass(frozen=True, slots=True)
class Page:
    """Some ratings, and how many pages there are."""

    ratings: list[Rated]
    pages: int


class Trakt:
    """Trakt, for all threads of a process.

    All methods that take a token raise TraktRefused where it does not hold, AccountLimited where
    the account may not, and Unavailable or TimedOut where Trakt does not serve.
    """

    def __init__(  # noqa: PLR0913 - what an application is known by
        self,
        client_id: str,
        client_secret: str,
        *,
        base_url: str,
        web_url: str,
        timeout: float = 5.0,
        timing: Timing | None = None,
        log: FilteringBoundLogger | None = None,
    ) -> None:
        """`timeout` is the longest that one answer may take, in seconds."""
        self._client_id, self._client_secret = client_id, client_secret
        self._web_url = web_url.rstrip("/")
        self._timing, self._log = timing or Timing(), log or structlog.get_logger()
        self._upstream = Upstream(
            "trakt",
            base_url,
            connect_timeout=min(3.0, timeout),
            read_timeout=timeout,
            total_timeout=min(2 * timeout, LONGEST_CALL),
            attempts=ATTEMPTS,
            carries_passwords=True,
            redirects=0,
            # By its path alone, one person's answer would be kept for another.
            keep_bytes=0,
            headers={
                "Content-Type": "application/json",
                "User-Agent": f"Marquee/{__version__}",
                "trakt-api-key": client_id,
                "trakt-api-version": "2",
            },
            secrets=(client_secret,),
            timing=self._timing,
            log=self._log,
        )

    def authorize_url(self, *, redirect_uri: str, state: str) -> str:
        """Where a person's browser goes to give leave."""
        query = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": redirect_uri,
            "state": state,
        }
        return f"{self._web_url}/oauth/authorize?{urlencode(query)}"

    def exchange(self, code: str, *, redirect_uri: str) -> Tokens:
        """The first tokens, for a code that Trakt sent the browser back with."""
        grant = {"grant_type": "authorization_code", "code": code}
        return self._granted({**grant, "redirect_uri": redirect_uri})

    def refresh(self, refresh_token: str, *, redirect_uri: str) -> Tokens:
        """The next tokens; those before them end."""
        grant = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return self._granted({**grant, "redirect_uri": redirect_uri})

    def revoke(self, access_token: str) -> None:
        """End a person's leave."""
        body = {"token": access_token, **self._credentials()}
        path = "/oauth/revoke"
        self._asked(partial(self._upstream.request, "POST", path, body=body, read=_nothing))

    def username(self, access_token: str) -> str:
        """What the person is called at Trakt, at most 255 characters."""
        headers = _bearer(access_token)
        ask = partial(self._upstream.get, "/users/settings", headers=headers, read=_username)
        return self._asked(ask)

    def ratings(self, access_token: str, kind: Kind, page: int) -> Page:
        """A page of what the person rated, from page 1. What is no rating is left out, and
        logged; but a page of nothing else is no answer.
        """
        path = f"/sync/ratings/{kind}?{urlencode({'page': page, 'limit': PAGE})}"
        name = kind.removesuffix("s")
        read = partial(_page, name=name, skip=self._skipped)
        headers = _bearer(access_token)
        return self._asked(partial(self._upstream.fetch, path, headers=headers, read=read))

    def rate(self, access_token: str, kind: Kind, ratings: Sequence[Rated]) -> None:
        """Rate up to 500 titles, whether they were rated or not. Trakt passes over titles that it
        does not know.
        """
        items = [
            {"ids": _written(each.ids), "rating": each.score, "rated_at": _moment(each.rated_at)}
            for each in ratings
        ]
        self._sent("/sync/ratings", access_token, {kind: items})

    def unrate(self, access_token: str, kind: Kind, titles: Sequence[Ids]) -> None:
        """Remove the ratings of up to 500 titles, whether they are rated or not."""
        items = [{"ids": _written(each)} for each in titles]
        self._sent("/sync/ratings/remove", access_token, {kind: items})

    def _granted(self, grant: dict[str, str]) -> Tokens:
        body = {**grant, **self._credentials()}
        read = partial(_tokens, now=self._timing.now())
        path = "/oauth/token"
        return self._asked(partial(self._upstream.request, "POST", path, body=body, read=read))

    def _sent(self, path: str, access_token: str, body: dict[str, Any]) -> None:
        headers = _bearer(access_token)
        ask = partial(
            self._upstream.request, "POST", path, body=body, headers=headers, read=_nothing
        )
        try:
            self._asked(ask)
        except Unavailable as refusal:
            # A person's writes are let through one a second. To send them again does no harm.
            pause = _pause(refusal)
            if pause is None:
                raise
            self._timing.sleep(pause)
            self._asked(ask)

    @staticmethod
    def _asked(ask: Callable[[], T]) -> T:
        """What is read out of an answer; refusals of persons and accounts by their names."""
        try:
            return ask()
        except UpstreamRefused as refusal:
            raise TraktRefused("Trakt does not take this code or token.") from refusal
        except Unavailable as refusal:
            cause = refusal.__cause__
            status = cause.status if isinstance(cause, Failed) else None
            if status in ACCOUNT_STATUSES:
                raise AccountLimited(f"Trakt refuses this account ({status}).") from refusal
            raise

    def _credentials(self) -> dict[str, str]:
        return {"client_id": self._client_id, "client_secret": self._client_secret}

    def _skipped(self, error: Malformed) -> None:
        self._log.warning("upstream_item_skipped", upstream="trakt", error=str(error))


def current() -> Trakt:
    """Trakt for this process. Raises NotConfigured where the settings name no application."""
    values = settings.current()
    if not values.trakt_client_id or not values.trakt_client_secret:
        message = "TRAKT_CLIENT_ID and TRAKT_CLIENT_SECRET are not set."
        raise NotConfigured(message, retry_after=3600)
    return of(values)


@cache
def of(values: settings.Settings) -> Trakt:
    """Trakt as these settings name it; one for each, as it knows how Trakt fares."""
    return Trakt(
        values.trakt_client_id,
        values.trakt_client_secret,
        base_url=values.trakt_base_url,
        web_url=values.trakt_web_url,
        timeout=values.trakt_timeout,
    )


def _bearer(access_token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {access_token}"}


def _pause(refusal: Unavailable) -> float | None:
    """Seconds after which a write that came too early may come again; None if it is not that."""
    cause = refusal.__cause__
    if not isinstance(cause, Failed) or cause.status != RATE_LIMITED or cause.pause is None:
        return None
    return cause.pause if cause.pause <= LONGEST_WAIT else None


def _nothing(_answer: object) -> None:
    """Read nothing."""


def _tokens(value: object, now: datetime) -> Tokens:
    answer = Fields(value, "answer")
    seconds = answer.identifier("expires_in", LONGEST_LIFE)
    access, refresh = (
        answer.some_text(name, LONGEST_TOKEN) for name in ("access_token", "refresh_token")
    )
    return Tokens(access, refresh, now + timedelta(seconds=seconds))


def _username(value: object) -> str:
    user = Fields(value, "answer").inner("user")
    if user is None:
        raise Malformed("answer has no user")
    return user.some_text("username", LONGEST_NAME)


def _page(answer: Answer, name: str, skip: Callable[[Malformed], None]) -> Page:
    try:
        items = orjson.loads(answer.body)
    except orjson.JSONDecodeError as error:
        raise Malformed("answer is not JSON") from error
    ratings = Fields({"ratings": items}, "answer", skip).each(
        "ratings", lambda item: _rated(item, name)
    )
    if items and not ratings:
        raise Malformed("answer has no rating that is one")
    # Without the header it is all that there is.
    count = answer.headers.get("X-Pagination-Page-Count", "1")
    if not COUNT.fullmatch(count):
        raise Malformed("X-Pagination-Page-Count is not a number")
    return Page(ratings, min(int(count), MOST_PAGES))


def _rated(item: Fields, name: str) -> Rated:
    title = item.inner(name)
    ids = title.inner("ids") if title else None
    if ids is None:
        raise Malformed(f"a rating has no {name} with ids")
    found = Ids(
        ids.matching("imdb", IMDB_ID),
        ids.known_count("tmdb") or None,
        ids.known_count("tvdb") or None,
    )
    return Rated(found, item.identifier("rating", HIGHEST), _read_moment(item.text("rated_at", 40)))


def _read_moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Malformed("rated_at is not a moment") from error


def _written(ids: Ids) -> dict[str, str | int]:
    named = {"imdb": ids.imdb_id, "tmdb": ids.tmdb_id, "tvdb": ids.tvdb_id}
    return {name: value for name, value in named.items() if value is not None}


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
