"""What a media server has, what of it is watched there, and its playlists.

Who asks is an API key, which may do what an administrator may; each request names the account that
it is for. Jellyfin 10.11 takes all of it; Emby has the same paths but for what is played:
https://dev.emby.media/reference/RestAPI/ItemsService/getUsersByUseridItems.html.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import structlog
from structlog.typing import FilteringBoundLogger

from marquee.services.fields import Fields, Malformed
from marquee.services.http import Timing, Upstream, UpstreamNotFound
from marquee.services.media_server.dialects import ID, naming

PAGE = 500
"""Items of one answer."""
MOST_PAGES = 1000
LARGEST = 8 * 1024 * 1024
"""Bytes of an answer: an item without its pictures has some thousand."""
MOST_ENTRIES = 5000
"""Of a playlist: what its owner has added beyond stays."""
AT_ONCE = 50
"""Items named in one address."""
LONGEST_NAME = 255
"""Characters of a playlist's name."""
IMDB, NUMBER = re.compile(r"tt[0-9]{5,12}"), re.compile(r"[1-9][0-9]{0,11}")
PROVIDERS = (("Imdb", IMDB), ("Tmdb", NUMBER), ("Tvdb", NUMBER))

Kind = Literal["Movie", "Series"]
Watched = Literal["IsPlayed", "IsResumable"]
"""Played to the end by the account, or begun."""
T = TypeVar("T")


def names(
    *, imdb_id: str | None = None, tmdb_id: int | None = None, tvdb_id: int | None = None
) -> frozenset[str]:
    """What a title is called by others, as `Item.names` has it. Titles that share one are one."""
    known = (("Imdb", imdb_id), ("Tmdb", tmdb_id), ("Tvdb", tvdb_id))
    return frozenset(f"{provider}:{name}" for provider, name in known if name)


@dataclass(frozen=True, slots=True)
class Item:
    """A film, a series or an episode of the server."""

    id: str
    names: frozenset[str] = frozenset()
    """What others call it: `Imdb:tt0073195`, `Tmdb:578`."""
    season_number: int | None = None
    first_number: int | None = None
    last_number: int | None = None
    """Of an episode; those of several in one file are a range."""
    is_touched: bool = False
    """Whether the account has watched it, or begun to."""


class Library:
    """One media server by an API key of it, for all threads of a process.

    Every method raises Unavailable and TimedOut when the server does not serve, and
    UpstreamNotFound, which is Unavailable, where it knows no such account.
    """

    def __init__(  # noqa: PLR0913 - what there is to say of it
        self,
        base_url: str,
        kind: str,
        api_key: str,
        *,
        timeout: float = 30.0,
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
            total_timeout=2 * timeout,
            max_bytes=LARGEST,
            keep_bytes=0,
            headers=naming(kind, api_key),
            secrets=(api_key,),
            timing=timing or Timing(),
            log=log or structlog.get_logger(),
        )

    def items(self, user_id: str, kind: Kind, watched: Watched | None = None) -> Iterator[Item]:
        """What an account may see, page by page as it is asked for; or what it has watched."""
        query = {
            "UserId": user_id,
            "Recursive": "true",
            "IncludeItemTypes": kind,
            "Fields": "ProviderIds",
            "SortBy": "SortName",
            "EnableImages": "false",
            **({"Filters": watched} if watched else {}),
        }
        return self._paged("/Items", query)

    def episodes(self, user_id: str, series_id: str, season: int | None = None) -> list[Item]:
        """The episodes of a series, or of one season; none of a series that is gone."""
        query = {"UserId": user_id, "EnableImages": "false"}
        number = {} if season is None else {"Season": str(season)}
        try:
            return list(self._paged(f"/Shows/{series_id}/Episodes", {**query, **number}))
        except UpstreamNotFound:
            return []

    def mark_unplayed(self, user_id: str, item_id: str) -> None:
        """Forget that an account has watched a film or an episode, or begun it. What is gone, or
        hidden from the account, is left alone.
        """
        if self.kind == "emby":
            path, query = f"/Users/{user_id}/PlayedItems/{item_id}", {}
        else:
            path, query = f"/UserPlayedItems/{item_id}", {"UserId": user_id}
        self._unless_gone("DELETE", path, query, read=_nothing)

    def create_playlist(self, user_id: str, name: str, item_ids: Sequence[str]) -> str:
        """A new playlist of an account, with these films; its id. Not tried again: it might be
        made twice.
        """
        first = list(item_ids[:AT_ONCE])
        told: dict[str, Any] = {"Name": name[:LONGEST_NAME], "UserId": user_id}
        if self.kind == "emby":
            query = {**told, "MediaType": "Video", "Ids": ",".join(first)}
            made = self._upstream.request("POST", "/Playlists", query, read=_made)
        else:
            body = {**told, "MediaType": "Video", "Ids": first, "IsPublic": False}
            made = self._upstream.request("POST", "/Playlists", body=body, read=_made)
        self._add(user_id, made, item_ids[AT_ONCE:])
        return made

    def fill_playlist(self, user_id: str, playlist_id: str, item_ids: Sequence[str]) -> bool:
        """Let a playlist of an account have these films and no others, in this order; False where
        it is gone. Who looks meanwhile may find fewer.
        """
        path = f"/Playlists/{playlist_id}/Items"
        whole = {"UserId": user_id, "Limit": MOST_ENTRIES, "EnableImages": "false"}
        entries = self._unless_gone("GET", path, whole, read=_entries)
        if entries is None:
            return False
        # First, as a film that is there would not be added again, and stay in its place.
        for some in _several(entries):
            query = {"EntryIds": ",".join(some)}
            self._upstream.request("DELETE", path, query, read=_nothing)
        self._add(user_id, playlist_id, item_ids)
        return True

    def _add(self, user_id: str, playlist_id: str, item_ids: Sequence[str]) -> None:
        path = f"/Playlists/{playlist_id}/Items"
        for some in _several(item_ids):
            query = {"Ids": ",".join(some), "UserId": user_id}
            self._upstream.request("POST", path, query, read=_nothing)

    def _paged(self, path: str, query: dict[str, str]) -> Iterator[Item]:
        start = 0
        for _ in range(MOST_PAGES):
            asked: dict[str, str | int] = {**query, "StartIndex": start, "Limit": PAGE}
            count, total, items = self._upstream.get(path, asked, read=_page)
            yield from items
            start += count
            if not count or start >= total:
                break

    def _unless_gone(
        self, method: str, path: str, query: dict[str, Any], *, read: Callable[[object], T]
    ) -> T | None:
        try:
            return self._upstream.request(method, path, query, read=read)
        except UpstreamNotFound:
            return None


def _several(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """As many at a time as an address may name."""
    return (ids[start : start + AT_ONCE] for start in range(0, len(ids), AT_ONCE))


def _nothing(_: object) -> None:
    """Of an answer whose status says all."""


def _page(value: object) -> tuple[int, int, list[Item]]:
    """How many items an answer has, how many there are, and those that are good."""
    answer = Fields(value, "answer")
    total, count = answer.count("TotalRecordCount"), len(answer.items("Items"))
    return count, total, answer.each("Items", _item)


def _item(fields: Fields) -> Item:
    known, mine = fields.inner("ProviderIds"), fields.inner("UserData")
    called = [(name, known.matching(name, form)) for name, form in PROVIDERS] if known else []
    first, last = fields.known_count("IndexNumber"), fields.known_count("IndexNumberEnd")
    return Item(
        id=_id(fields, "Id"),
        names=frozenset(f"{provider}:{name}" for provider, name in called if name),
        season_number=fields.known_count("ParentIndexNumber"),
        first_number=first,
        last_number=first if last is None else last,
        is_touched=bool(mine and (mine.flag("Played") or mine.count("PlaybackPositionTicks"))),
    )


def _entries(value: object) -> list[str]:
    return [_id(each, "PlaylistItemId") for each in Fields(value, "answer").inners("Items")]


def _made(value: object) -> str:
    return _id(Fields(value, "answer"), "Id")


def _id(fields: Fields, name: str) -> str:
    found = fields.matching(name, ID)
    if found is None:
        raise Malformed(f"{name} is not an id")
    return found
