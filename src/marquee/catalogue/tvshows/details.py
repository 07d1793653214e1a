"""All that is told of one series."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, any_, bindparam, func, select
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by
from sqlalchemy.orm import InstrumentedAttribute

from marquee.catalogue.companies.models import Network, Studio
from marquee.catalogue.genres.models import Genre
from marquee.catalogue.people.credits import people_of
from marquee.catalogue.people.models import Credit
from marquee.catalogue.translations.models import Translation
from marquee.catalogue.translations.service import translated
from marquee.catalogue.tvshows.episodes import SEASONS
from marquee.catalogue.tvshows.models import TVShow
from marquee.catalogue.tvshows.service import DETAILS
from marquee.db import first, missing, rows
from marquee.viewer import Viewer

Rows = Sequence[Row[*tuple[Any, ...]]]
Columns = Sequence[InstrumentedAttribute[Any]]
Names = InstrumentedAttribute[list[str]]
GENRE: Columns = (Genre.id, Genre.slug, Genre.name)
STUDIO: Columns = (Studio.id, Studio.name)
NETWORK: Columns = (
    *(Network.id, Network.tmdb_id, Network.name),
    *(Network.logo_path, Network.origin_country),
)


def _named(
    model: type[Network | Studio],
    names: Names,
    columns: Columns,
) -> ColumnElement[Any]:
    """What a series names, in its order, as JSON."""
    pairs = [part for each in columns for part in (each.key, each)]
    listed = aggregate_order_by(
        func.jsonb_build_object(*pairs), func.array_position(names, model.name)
    )
    return (
        select(func.jsonb_agg(listed, type_=JSONB))
        .where(model.name == any_(names))
        .label(f"{model.__tablename__}_named")
    )


NAMED = (
    _named(Network, TVShow.networks, NETWORK),
    _named(Studio, TVShow.studios, STUDIO),
)


def detailed(viewer: Viewer, tvshow_id: int, languages: tuple[str, ...]) -> dict[str, Any]:
    """A series with its seasons, its people, its networks and its studios in the best of these
    languages, by three queries and one for the language. Raises NotFound.
    """
    found = first(_details(TVShow.visible_to(viewer)), {"tvshow_id": tvshow_id})
    if found is None:
        raise missing(TVShow, tvshow_id)
    (shown,) = translated([found], Translation.tvshow_id, languages)
    return {
        **(shown if isinstance(shown, dict) else shown._mapping),  # noqa: SLF001 - a row's public mapping
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
    return rows(GENRES, {"tvshow_id": show.id})


def networks(show: TVShow) -> Rows:
    """The networks of a series, in its order."""
    return rows(NETWORKS, {"tvshow_id": show.id})


def _of_show(
    model: type[Genre | Network],
    names: Names,
    columns: Columns,
) -> Select[Any]:
    return (
        select(*columns)
        .join(TVShow, model.name == any_(names))
        .where(TVShow.id == bindparam("tvshow_id"))
        .order_by(func.array_position(names, model.name))
    )


GENRES = _of_show(Genre, TVShow.genres, GENRE)
NETWORKS = _of_show(Network, TVShow.networks, NETWORK)
