"""Pictures, ids of others and providers of a title: as they are stored, fetched again from TMDB
where there is a key and they are older than a day.
"""

from datetime import timedelta
from typing import Any

from marquee import clock
from marquee.catalogue.images.addresses import image_url
from marquee.catalogue.metadata.columns import ATTRIBUTION, ELSEWHERE
from marquee.catalogue.metadata.refreshing import Titles, bring_up_to_date
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.movies.sources import client
from marquee.catalogue.tvshows.models import TVShow
from marquee.db import find, session
from marquee.errors import Unavailable
from marquee.viewer import Viewer

FRESH = timedelta(days=1)
JUSTWATCH = f"{ATTRIBUTION} Where titles are to be seen is known from JustWatch."
"""As the terms of use of the providers' data ask."""
UNNAMED = {
    "width": None,
    "height": None,
    "language": None,
    "vote_average": None,
    "vote_count": 0,
}
"""What is not known of a picture that the title names alone, or that is drawn."""

Answer = tuple[dict[str, Any], int, dict[str, str]]
"""A body, its status, and how old it is where TMDB could not be asked."""


def images(viewer: Viewer, model: Titles, title_id: int, image_type: str | None) -> Answer:
    """The pictures of a title, the best of each type first."""
    title, age = _latest(viewer, model, title_id)
    found = [each | {"url": image_url(each["image_type"], each["path"])} for each in title.images]
    types = {each["image_type"] for each in found}
    own = (("poster", title.poster_path), ("backdrop", title.backdrop_path))
    drawn = f"/{model.__tablename__}-{title.id}.webp"
    found += [
        {"image_type": kind, "path": path, "url": image_url(kind, path or drawn), **UNNAMED}
        for kind, path in own
        if kind not in types
    ]
    shown = [each for each in found if image_type in (None, each["image_type"])]
    return {"images": shown, "attribution": title.attribution}, 200, age


def external_ids(viewer: Viewer, model: Titles, title_id: int) -> Answer:
    """What others call a title."""
    title, age = _latest(viewer, model, title_id)
    ids = {"tmdb_id": title.tmdb_id, "imdb_id": title.imdb_id}
    if isinstance(title, TVShow):
        ids["tvdb_id"] = title.tvdb_id
    return {**ids, **{name: title.external_ids.get(name) for name in ELSEWHERE}}, 200, age


def watch_providers(viewer: Viewer, model: Titles, title_id: int, country: str | None) -> Answer:
    """Where a title is to be seen, in one country or in all."""
    title, age = _latest(viewer, model, title_id)
    found = [each for each in title.watch_providers if country in (None, each["country"])]
    return {"watch_providers": found, "attribution": JUSTWATCH if found else None}, 200, age


def _latest(viewer: Viewer, model: Titles, title_id: int) -> tuple[Movie | TVShow, dict[str, str]]:
    """The title, brought up to date if need be; where TMDB fails, as it is, and how old that is.

    Raises NotFound.
    """
    title: Movie | TVShow
    if model is Movie:
        title = find(Movie.visible_to(viewer), title_id)
    else:
        title = find(TVShow.visible_to(viewer), title_id)
    tmdb, updated, now = client(), title.metadata_updated_at, clock.now()
    if tmdb is None or (updated is not None and now - updated < FRESH):
        return title, {}
    since = updated or title.updated_at
    try:
        bring_up_to_date(tmdb, model, title)
    except Unavailable as error:
        age = {
            # The database's clock, by which titles are listed, may be ahead of ours.
            "Age": str(max(0, int((now - since).total_seconds()))),
            "Cache-Status": f"marquee; hit; fwd=stale; fwd-status={error.status}",
        }
        return title, age
    session.expire(title)
    return title, {}
