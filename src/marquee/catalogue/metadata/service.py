"""Metadata of titles by their TMDB ids: TMDB's, imported, where there is a key; else what the
catalogue has.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import bindparam, select

from marquee.catalogue.collections.models import Collection
from marquee.catalogue.genres.models import Genre
from marquee.catalogue.images.addresses import poster_url
from marquee.catalogue.metadata import columns
from marquee.catalogue.movies import sources as films
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.movies.sources import Listing
from marquee.catalogue.named import named_by
from marquee.catalogue.people.credits import DEPARTMENTS, Owner
from marquee.catalogue.people.models import Credit, Job, Person
from marquee.catalogue.translations.languages import wanted
from marquee.catalogue.translations.models import Translation
from marquee.catalogue.translations.service import translated
from marquee.catalogue.tvshows import sources as series
from marquee.catalogue.tvshows.details import networks
from marquee.catalogue.tvshows.episodes import SEASONS
from marquee.catalogue.tvshows.models import Episode, Season, TVShow
from marquee.db import as_dict, missing, rows, session
from marquee.errors import NotConfigured
from marquee.services.tmdb import TmdbCastMember, TmdbCrewMember, TmdbEpisode

TMDB = "tmdb"

Shown = dict[str, Any]


def search_movies(query: str, page: int, year: int | None, language: str, provider: str) -> Listing:
    """The films with these words in a title. Raises NotConfigured for other providers."""
    _served(provider)
    return films.source().search(query, page, year, language)


def search_tvshows(
    query: str, page: int, year: int | None, language: str, provider: str
) -> Listing:
    """The series with these words in a title. Raises NotConfigured for other providers."""
    _served(provider)
    return series.source().search(query, page, year, language)


def movie(tmdb_id: int, language: str) -> Shown:
    """A film with its people and its collection. Raises NotFound."""
    found = films.source().movie(tmdb_id)
    if found is None:
        raise missing(Movie, tmdb_id)
    collection = session.get(Collection, found.collection_id) if found.collection_id else None
    return _whole(Movie, found.id, language) | {"collection": collection}


def tvshow(tmdb_id: int, language: str) -> Shown:
    """A series with its people, networks and seasons. Raises NotFound."""
    found = series.source().tvshow(tmdb_id)
    if found is None:
        raise missing(TVShow, tmdb_id)
    return _whole(TVShow, found.id, language) | {
        "networks": networks(found),
        "seasons": rows(SEASONS, {"tvshow_id": found.id}),
    }


def season(tmdb_id: int, season_number: int) -> Shown:
    """A season with its episodes. Raises NotFound."""
    show = _show(tmdb_id)
    found = series.source().season(show, season_number)
    if found is None:
        raise missing(Season, season_number)
    query = select(*Episode.__table__.columns).where(Episode.season_id == found.id)
    episodes = rows(query.order_by(Episode.episode_number))
    return _columns(found) | source_of() | {"episodes": episodes}


def episode(tmdb_id: int, season_number: int, episode_number: int) -> Shown:
    """An episode with its crew and guests, which only TMDB knows. Raises NotFound."""
    show = _show(tmdb_id)
    found = series.source().episode(show, season_number, episode_number)
    if found is None:
        raise missing(Episode, episode_number)
    row, said = found
    return _columns(row) | source_of() | _people_of_episode(said)


def _served(provider: str) -> None:
    if provider != TMDB:
        raise NotConfigured(f"This server has no {provider} to search in.")


def _show(tmdb_id: int) -> TVShow:
    """The series, from TMDB only where the catalogue lacks it. Raises NotFound."""
    show = series.known(tmdb_id) or series.source().tvshow(tmdb_id)
    if show is None:
        raise missing(TVShow, tmdb_id)
    return show


def source_of() -> Shown:
    """Who answers, and what must be said of it."""
    asked = films.client() is not None
    return {
        "source": TMDB if asked else "catalogue",
        "attribution": columns.ATTRIBUTION if asked else None,
    }


def _columns(row: Season | Episode) -> Shown:
    return {each.key: getattr(row, each.key) for each in row.__table__.columns}


def _whole(model: type[Movie | TVShow], title_id: int, language: str) -> Shown:
    """A title in a language, with genres and people."""
    owner = Credit.movie_id if model is Movie else Credit.tvshow_id
    words = Translation.movie_id if model is Movie else Translation.tvshow_id
    # Not as the ORM's object: what is deferred there is shown here.
    found = rows(select(*model.__table__.columns, poster_url(model)).where(model.id == title_id))
    (told,) = translated(found, words, wanted(language))
    shown = as_dict(told)
    attribution = shown["attribution"]
    return {
        **shown,
        **source_of(),
        "attribution": attribution,
        "genres": rows(named_by(model.genres, Genre), {"title_id": title_id}),
        **_people(owner, title_id),
    }


def _people(owner: Owner, title_id: int) -> Shown:
    query = (
        select(
            *(Credit.job, Credit.department, Credit.character, Credit.position),
            *(Person.id.label("person_id"), Person.tmdb_id, Person.name, Person.profile_path),
        )
        .join(Person, Person.id == Credit.person_id)
        .where(owner == bindparam("title_id"))
        .order_by(Credit.position, Credit.id)
    )
    found = rows(query, {"title_id": title_id})
    return {
        "cast_members": [
            as_dict(row) | {"order": row.position} for row in found if row.job == Job.ACTOR
        ],
        "crew": [
            as_dict(row) | {"department": row.department or DEPARTMENTS.get(row.job)}
            for row in found
            if row.job != Job.ACTOR
        ],
    }


def _people_of_episode(said: TmdbEpisode | None) -> Shown:
    if said is None:
        return {"crew": [], "guest_stars": []}
    members: list[TmdbCastMember | TmdbCrewMember] = [*said["crew"], *said["guest_stars"]]
    numbers = {member["id"] for member in members}
    query = select(Person.id, Person.tmdb_id).where(Person.tmdb_id.in_(numbers))
    ids = {row.tmdb_id: row.id for row in rows(query)}

    def shown(found: Iterable[Any]) -> list[Shown]:
        return [
            {**member, "person_id": ids[member["id"]], "tmdb_id": member["id"]} for member in found
        ]

    return {"crew": _crew(shown(said["crew"])), "guest_stars": shown(said["guest_stars"])}


def _crew(members: list[Shown]) -> list[Shown]:
    """With our words for their jobs."""
    for member in members:
        member["job"] = columns.job_of(member["job"])
    return members
