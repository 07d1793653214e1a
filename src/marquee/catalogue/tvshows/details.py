"""All that is told of one series."""

from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam

from marquee.catalogue.companies.models import Network, Studio
from marquee.catalogue.genres.models import Genre
from marquee.catalogue.named import as_json, named_by
from marquee.catalogue.people.credits import people_of
from marquee.catalogue.people.models import Credit
from marquee.catalogue.translations.models import Translation
from marquee.catalogue.translations.service import translated
from marquee.catalogue.tvshows.episodes import SEASONS
from marquee.catalogue.tvshows.models import TVShow
from marquee.catalogue.tvshows.service import DETAILS
from marquee.db import Rows, as_dict, first, missing, rows
from marquee.viewer import Viewer

NAMED = (as_json(TVShow.networks, Network), as_json(TVShow.studios, Studio))
GENRES = named_by(TVShow.genres, Genre)
NETWORKS = named_by(TVShow.networks, Network)


def detailed(viewer: Viewer, tvshow_id: int, languages: tuple[str, ...]) -> dict[str, Any]:
    """A series with its seasons, its people, its networks and its studios in the best of these
    languages, by three queries and one for the language. Raises NotFound.
    """
    found = first(_details(TVShow.visible_to(viewer)), {"tvshow_id": tvshow_id})
    if found is None:
        raise missing(TVShow, tvshow_id)
    (shown,) = translated([found], Translation.tvshow_id, languages)
    return {
        **as_dict(shown),
        **people_of(Credit.tvshow_id, tvshow_id),
        "seasons": rows(SEASONS, {"tvshow_id": tvshow_id}),
        "networks": found.networks_named or [],
        "studios": found.studios_named or [],
    }


@cache
def _details(visible: Select[Any]) -> Select[Any]:
    one = visible.where(TVShow.id == bindparam("tvshow_id"))
    return one.with_only_columns(*DETAILS, *NAMED)


def genres(show: TVShow) -> Rows:
    """The genres of a series, in its order."""
    return rows(GENRES, {"title_id": show.id})


def networks(show: TVShow) -> Rows:
    """The networks of a series, in its order."""
    return rows(NETWORKS, {"title_id": show.id})
