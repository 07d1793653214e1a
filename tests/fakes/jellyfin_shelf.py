"""What a fake media server has: films, series and episodes, what accounts have watched of them, and
their playlists.

Paths, parameters, fields and statuses are those of Jellyfin 10.11 (its `ItemsController`,
`TvShowsController`, `PlaystateController` and `PlaylistsController`) and of Emby 4. Names of
parameters are read in any case, and ids that are none are passed over, as both do.
"""

import json
import re
import uuid
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.exchange import Asked, Reply

Json = dict[str, Any]
TICKS = 10_000_000
"""In a second."""


@dataclass
class Thing:
    """A film, a series or an episode, as `BaseItemDto` has it."""

    type: str
    name: str
    id: str
    providers: dict[str, str]
    series_id: str | None = None
    season: int | None = None
    number: int | None = None
    last_number: int | None = None
    played: set[str] = field(default_factory=set)
    """Accounts that have watched it."""
    begun: set[str] = field(default_factory=set)


@dataclass
class Playlist:
    """A playlist: the items that it holds, by entry."""

    id: str
    name: str
    owner: str
    media_type: str | None
    entries: dict[str, Thing] = field(default_factory=dict)

    @property
    def titles(self) -> list[str]:
        return [each.name for each in self.entries.values()]


class Gone(Exception):
    """What is asked for is not there (404)."""


class Shelf:
    """What a server of a kind has. `people` are the ids of its accounts."""

    def __init__(self, kind: str, people: Collection[str]) -> None:
        self.kind = kind
        self.people = people
        self.things: list[Thing] = []
        self.playlists: dict[str, Playlist] = {}
        self._ids = 1000

    def add(self, type_: str, name: str, **values: Any) -> Thing:
        """Put something there: `add("Movie", "Jaws", providers={"Imdb": "tt0073195"})`."""
        thing = Thing(type_, name, self._new_id(), **{"providers": {}, **values})
        self.things.append(thing)
        return thing

    def answer(self, asked: Asked) -> Reply | None:
        """Answer what is allowed to ask; None for a path that is not served."""
        path = re.sub("^/emby", "", asked.path, flags=re.IGNORECASE)
        query = {name.lower(): value for name, value in asked.query.items()}
        for method, form, serve in self._served():
            if method == asked.method and (found := re.fullmatch(form, path, re.IGNORECASE)):
                return serve(query, asked.body, *found.groups())
        return None

    def _served(self) -> Sequence[tuple[str, str, Callable[..., Reply]]]:
        playlist = "/Playlists/([^/]+)/Items"
        served: list[tuple[str, str, Callable[..., Reply]]] = [
            ("GET", "/Items", self._items),
            ("GET", "/Users/([^/]+)/Items", self._items),
            ("GET", "/Shows/([^/]+)/Episodes", self._episodes),
            ("POST", "/Playlists", self._create),
            ("GET", playlist, self._entries),
            ("POST", playlist, self._extend),
            ("DELETE", playlist, self._shorten),
            ("DELETE", "/Users/([^/]+)/PlayedItems/([^/]+)", self._unplayed_of),
        ]
        if self.kind == "jellyfin":  # since 10.9
            served.append(("DELETE", "/UserPlayedItems/([^/]+)", self._unplayed))
        return served

    def _items(self, query: dict[str, str], _: bytes, user: str = "") -> Reply:
        user = self._person(user or query.get("userid", ""))
        kinds = query.get("includeitemtypes", "").split(",")
        found = [each for each in self.things if each.type in kinds]
        for name in filter(None, query.get("filters", "").split(",")):
            watched = {"IsPlayed": "played", "IsResumable": "begun"}[name]
            found = [each for each in found if user in getattr(each, watched)]
        if query.get("sortby") == "SortName":
            found.sort(key=lambda each: each.name.lower())
        return self._paged(found, query, user)

    def _episodes(self, query: dict[str, str], _: bytes, series_id: str) -> Reply:
        user = self._person(query.get("userid", ""))
        series = self._thing(series_id)
        found = [each for each in self.things if each.series_id == series.id]
        if "season" in query:
            found = [each for each in found if each.season == int(query["season"])]
        return self._paged(found, query, user)

    def _unplayed_of(self, _query: dict[str, str], _: bytes, user: str, item: str) -> Reply:
        return self._unplayed({"userid": user}, _, item)

    def _unplayed(self, query: dict[str, str], _: bytes, item: str) -> Reply:
        user, thing = self._person(query.get("userid", "")), self._thing(item)
        thing.played.discard(user)
        thing.begun.discard(user)
        return Reply(200, self._watched(thing, user))

    def _create(self, query: dict[str, str], body: bytes) -> Reply:
        given = {name.lower(): value for name, value in json.loads(body or b"{}").items()}
        if self.kind == "emby":
            given = {}
        ids = query["ids"].split(",") if query.get("ids") else given.get("ids") or []
        told = {**given, **query}
        owner = self._person(told.get("userid", ""))
        made = Playlist(self._new_id(), told["name"], owner, told.get("mediatype"))
        self.playlists[made.id] = made
        self._put(made, ids)
        return Reply(200, {"Id": made.id})

    def _entries(self, query: dict[str, str], _: bytes, id_: str) -> Reply:
        playlist = self._playlist(id_, query.get("userid", ""))
        if playlist is None:
            return Reply(403, None)
        start, limit = int(query.get("startindex", 0)), int(query.get("limit", 10**6))
        entries = list(playlist.entries.items())
        shown = [
            {**self._shown(thing, playlist.owner), "PlaylistItemId": entry}
            for entry, thing in entries[start : start + limit]
        ]
        answer = {"Items": shown, "TotalRecordCount": len(entries), "StartIndex": start}
        return Reply(200, answer)

    def _extend(self, query: dict[str, str], _: bytes, id_: str) -> Reply:
        playlist = self._playlist(id_, query.get("userid", ""))
        if playlist is None:
            return Reply(403, None)
        self._put(playlist, query.get("ids", "").split(","))
        return Reply(204, None)

    def _shorten(self, query: dict[str, str], _: bytes, id_: str) -> Reply:
        # An API key is asked for no account here.
        if id_ not in self.playlists:
            raise Gone
        for entry in query.get("entryids", "").split(","):
            self.playlists[id_].entries.pop(entry, None)
        return Reply(204, None)

    def _put(self, playlist: Playlist, ids: Sequence[str]) -> None:
        """Add items in this order, but none that is there already."""
        by_id = {each.id: each for each in self.things}
        for thing in (by_id[id_] for id_ in ids if id_ in by_id):
            if thing not in playlist.entries.values():
                playlist.entries[self._new_id()] = thing

    def _playlist(self, id_: str, user: str) -> Playlist | None:
        """None where it is another account's."""
        user = self._person(user)
        if id_ not in self.playlists:
            raise Gone
        found = self.playlists[id_]
        return found if found.owner == user else None

    def _person(self, id_: str) -> str:
        if id_ not in self.people:
            raise Gone
        return id_

    def _thing(self, id_: str) -> Thing:
        for each in self.things:
            if each.id == id_:
                return each
        raise Gone

    def _paged(self, found: list[Thing], query: dict[str, str], user: str) -> Reply:
        start, limit = int(query.get("startindex", 0)), int(query.get("limit", 10**6))
        with_providers = "ProviderIds" in query.get("fields", "").split(",")
        shown = [self._shown(each, user) for each in found[start : start + limit]]
        if not with_providers:
            for each in shown:
                del each["ProviderIds"]
        answer = {"Items": shown, "TotalRecordCount": len(found), "StartIndex": start}
        return Reply(200, answer)

    def _shown(self, thing: Thing, user: str) -> Json:
        numbers = {
            "SeriesId": thing.series_id,
            "ParentIndexNumber": thing.season,
            "IndexNumber": thing.number,
            "IndexNumberEnd": thing.last_number,
        }
        return {
            "Name": thing.name,
            "Id": thing.id,
            "Type": thing.type,
            "IsFolder": thing.type == "Series",
            "MediaType": "Unknown" if thing.type == "Series" else "Video",
            "ProviderIds": thing.providers,
            "UserData": self._watched(thing, user),
            **{name: value for name, value in numbers.items() if value is not None},
        }

    def _watched(self, thing: Thing, user: str) -> Json:
        return {
            "PlaybackPositionTicks": 60 * TICKS if user in thing.begun else 0,
            "PlayCount": int(user in thing.played),
            "IsFavorite": False,
            "Played": user in thing.played,
            "Key": thing.id,
            "ItemId": thing.id,
        }

    def _new_id(self) -> str:
        self._ids += 1
        return uuid.uuid4().hex if self.kind == "jellyfin" else str(self._ids)
