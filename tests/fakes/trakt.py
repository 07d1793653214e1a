"""A fake of Trakt, version 2 of its API, as far as connecting and rating go; a public client can
use it.

Paths, headers, fields, pages and statuses are those of https://trakt.docs.apiary.io. How it can be
broken is said in `tests/fakes/server.py` and `tests/fakes/faults.py`.
"""

import json
import re
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import ceil
from typing import Any

from tests.fakes.exchange import Asked, Reply
from tests.fakes.server import FakeServer

CLIENT_ID, CLIENT_SECRET = "9b36d8c0db59eff5038aea7a417d73e6", "d6ea27703957b69939b8104ed4524595"
REDIRECT_URI = "http://127.0.0.1:8080/trakt/callback"
DAY = 24 * 3600
LONGEST_PAGE = 250
SINGULAR = {"movies": "movie", "shows": "show"}
Json = dict[str, Any]


@dataclass
class Title:
    """A film or a series that Trakt knows."""

    kind: str
    title: str
    year: int
    ids: Json

    @property
    def shown(self) -> Json:
        return {"title": self.title, "year": self.year, "ids": self.ids}


@dataclass
class Member:
    """An account, and what it has rated: by the title's id at Trakt, score and moment."""

    username: str
    ratings: dict[int, tuple[int, str]] = field(default_factory=dict)


@dataclass
class Leave:
    """The tokens that a member's leave is proven by."""

    member: Member
    access_token: str = field(default_factory=lambda: secrets.token_hex(32))
    refresh_token: str = field(default_factory=lambda: secrets.token_hex(32))
    is_access_good: bool = True
    is_refresh_good: bool = True


class Refused(Exception):
    """An answer that is no good one."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


class FakeTrakt(FakeServer):
    """Trakt. `authorize` is what its page does when a member agrees; `rate` rates there.

    `expires_in` is how long access tokens last, `most_ratings` how many an account holds.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.titles: list[Title] = []
        self.codes: dict[str, Member] = {}
        self.leaves: list[Leave] = []
        self.expires_in = DAY
        self.most_ratings = 10_000
        self.page = LONGEST_PAGE

    def add(self, kind: str, title: str, year: int = 2000, **ids: Any) -> Title:
        """Let it know a title: `add("movies", "Jaws", 1975, imdb="tt0073195", tmdb=578)`."""
        slug = f"{re.sub('[^a-z0-9]+', '-', title.lower())}-{year}"
        known: Json = {"trakt": len(self.titles) + 1, "slug": slug, "imdb": None, "tmdb": None}
        if kind == "shows":
            known["tvdb"] = None
        made = Title(kind, title, year, {**known, **ids})
        self.titles.append(made)
        return made

    def authorize(self, member: Member) -> str:
        """The code that a browser comes back with."""
        code = secrets.token_hex(32)
        self.codes[code] = member
        return code

    def rate(self, member: Member, title: Title, score: int, rated_at: datetime) -> None:
        """Let a member rate."""
        moment = rated_at.astimezone(UTC).isoformat(timespec="milliseconds")
        member.ratings[title.ids["trakt"]] = (score, moment.replace("+00:00", "Z"))

    def scores(self, member: Member) -> dict[str, int]:
        """What a member has rated, by title."""
        names = {title.ids["trakt"]: title.title for title in self.titles}
        return {names[number]: score for number, (score, _) in member.ratings.items()}

    def answer(self, asked: Asked) -> Reply:
        """Answer as Trakt does: first the application, then the person, then the path."""
        try:
            return self._answered(asked)
        except Refused as refused:
            return refused.reply

    def problem(self, status: int) -> Reply:
        """Answer an error, most of which have no body."""
        headers = {"Retry-After": "1"} if status == 429 else {}
        return Reply(status, b"", headers)

    def _answered(self, asked: Asked) -> Reply:
        if asked.headers.get("content-type") != "application/json":
            raise Refused(self.problem(415))
        match asked.method, asked.path:
            case "POST", "/oauth/token":
                return self._granted(json.loads(asked.body))
            case "POST", "/oauth/revoke":
                return self._revoked(json.loads(asked.body))
        return self._for_member(self._member(asked), asked)

    def _for_member(self, member: Member, asked: Asked) -> Reply:
        match asked.method, asked.path:
            case (("GET" | "HEAD"), "/users/settings"):
                return Reply(200, _settings(member))
            case (("GET" | "HEAD"), ("/sync/ratings/movies" | "/sync/ratings/shows")):
                return self._listed(member, asked)
            case "POST", "/sync/ratings":
                return self._rated(member, json.loads(asked.body))
            case "POST", "/sync/ratings/remove":
                return self._removed(member, json.loads(asked.body))
        return self.problem(404)

    def _member(self, asked: Asked) -> Member:
        if asked.headers.get("trakt-api-key") != CLIENT_ID:
            raise Refused(self.problem(403))
        if asked.headers.get("trakt-api-version") != "2":
            raise Refused(self.problem(412))
        for leave in self.leaves:
            given = asked.headers.get("authorization") == f"Bearer {leave.access_token}"
            if given and leave.is_access_good:
                return leave.member
        raise Refused(self.problem(401))

    def _granted(self, body: Json) -> Reply:
        if (body.get("client_id"), body.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return _oauth_error("invalid_client")
        if body.get("redirect_uri") != REDIRECT_URI:
            return _oauth_error("invalid_grant")
        if body.get("grant_type") == "authorization_code":
            member = self.codes.pop(body.get("code", ""), None)
        else:
            member = self._refreshed(body.get("refresh_token"))
        if member is None:
            return _oauth_error("invalid_grant")
        leave = Leave(member)
        self.leaves.append(leave)
        return Reply(
            200,
            {
                "access_token": leave.access_token,
                "token_type": "bearer",
                "expires_in": self.expires_in,
                "refresh_token": leave.refresh_token,
                "scope": "public",
                "created_at": int(datetime.now(UTC).timestamp()),
            },
        )

    def _refreshed(self, token: str | None) -> Member | None:
        """Use a refresh token up, and with it the access token that came with it."""
        for leave in self.leaves:
            if leave.refresh_token == token and leave.is_refresh_good:
                leave.is_refresh_good = leave.is_access_good = False
                return leave.member
        return None

    def _revoked(self, body: Json) -> Reply:
        if (body.get("client_id"), body.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return _oauth_error("invalid_client")
        for leave in self.leaves:
            if leave.access_token == body.get("token"):
                leave.is_refresh_good = leave.is_access_good = False
        return Reply(200, {})

    def _listed(self, member: Member, asked: Asked) -> Reply:
        """The latest first; all of them where no page is asked for."""
        kind = asked.path.rpartition("/")[2]
        items = [
            {
                "rated_at": member.ratings[title.ids["trakt"]][1],
                "rating": member.ratings[title.ids["trakt"]][0],
                "type": SINGULAR[kind],
                SINGULAR[kind]: title.shown,
            }
            for title in self.titles
            if title.kind == kind and title.ids["trakt"] in member.ratings
        ]
        items.sort(key=lambda item: str(item["rated_at"]), reverse=True)
        if "page" not in asked.query and "limit" not in asked.query:
            return Reply(200, items)
        page = int(asked.query.get("page", "1"))
        limit = min(int(asked.query.get("limit", "10")), self.page)
        headers = {
            "X-Pagination-Page": str(page),
            "X-Pagination-Limit": str(limit),
            "X-Pagination-Page-Count": str(ceil(len(items) / limit)),
            "X-Pagination-Item-Count": str(len(items)),
        }
        return Reply(200, items[(page - 1) * limit : page * limit], headers)

    def _rated(self, member: Member, body: Json) -> Reply:
        found, unknown = self._known(body)
        new = {title.ids["trakt"] for title, _ in found} - member.ratings.keys()
        if len(member.ratings) + len(new) > self.most_ratings:
            raise Refused(self.problem(420))
        for title, item in found:
            now = datetime.now(UTC)
            moment = datetime.fromisoformat(item["rated_at"]) if "rated_at" in item else now
            self.rate(member, title, item["rating"], moment)
        return Reply(201, {"added": _counted(found), "not_found": unknown})

    def _removed(self, member: Member, body: Json) -> Reply:
        found, unknown = self._known(body)
        gone = [
            (title, item) for title, item in found if member.ratings.pop(title.ids["trakt"], None)
        ]
        return Reply(200, {"deleted": _counted(gone), "not_found": unknown})

    def _known(self, body: Json) -> tuple[list[tuple[Title, Json]], Json]:
        found, unknown = [], {kind: [] for kind in (*SINGULAR, "seasons", "episodes")}
        for kind in SINGULAR:
            for item in body.get(kind, []):
                title = self._titled(kind, item.get("ids", {}))
                if title is None:
                    unknown[kind].append({"ids": item.get("ids", {})})
                else:
                    found.append((title, item))
        return found, unknown

    def _titled(self, kind: str, ids: Json) -> Title | None:
        for name in ("trakt", "slug", "imdb", "tmdb", "tvdb"):
            for title in self.titles:
                given = ids.get(name)
                if given and title.kind == kind and str(title.ids.get(name)) == str(given):
                    return title
        return None


def _oauth_error(code: str) -> Reply:
    return Reply(401, {"error": code, "error_description": f"The grant is no good: {code}."})


def _counted(found: list[tuple[Title, Json]]) -> Json:
    kinds = [title.kind for title, _ in found]
    return {kind: kinds.count(kind) for kind in (*SINGULAR, "seasons", "episodes")}


def _settings(member: Member) -> Json:
    ids = {"slug": member.username.lower(), "uuid": f"{abs(hash(member.username)):032x}"}
    user = {
        "username": member.username,
        "private": False,
        "name": member.username.title(),
        "vip": False,
        "vip_ep": False,
        "ids": ids,
        "joined_at": "2010-09-25T17:49:25.000Z",
    }
    return {"user": user, "account": {"timezone": "Europe/Berlin", "date_format": "dmy"}}
