"""Collections and people by their TMDB ids: TMDB's, imported, where there is a key; else what the
catalogue has.
"""

from typing import Any

from sqlalchemy import select

from marquee.catalogue.collections.models import Collection
from marquee.catalogue.metadata import saving
from marquee.catalogue.metadata.service import source_of
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.movies.sources import LISTED, client, waited_for
from marquee.catalogue.people.models import Credit, Person
from marquee.catalogue.tvshows.models import TVShow
from marquee.db import missing, rows, session

MOST_FILMS = 500
FILMS = select(*LISTED).order_by(Movie.release_date.asc().nulls_last(), Movie.id)


def collection(tmdb_id: int) -> dict[str, Any]:
    """A collection with its films, those first that came out first. Raises NotFound."""
    tmdb = client()
    said = waited_for(tmdb).collection(tmdb_id) if tmdb else None
    if said is not None:
        saving.save_collection(said)
    known = select(Collection).where(Collection.tmdb_collection_id == tmdb_id)
    found = session.scalar(known.execution_options(populate_existing=True))
    if found is None or (tmdb is not None and said is None):
        raise missing(Collection, tmdb_id)
    films = rows(FILMS.where(Movie.collection_id == found.id).limit(MOST_FILMS))
    shown = {each.key: getattr(found, each.key) for each in Collection.__table__.columns}
    return {**shown, **source_of(), "movies": films}


def person(tmdb_id: int) -> dict[str, Any]:
    """Somebody, and TMDB's ids of the titles that they had a part in. Raises NotFound."""
    tmdb = client()
    said = waited_for(tmdb).person(tmdb_id) if tmdb else None
    if said is not None:
        saving.save_person(said)
    known = select(Person).where(Person.tmdb_id == tmdb_id)
    found = session.scalar(known.execution_options(populate_existing=True))
    if found is None or (tmdb is not None and said is None):
        raise missing(Person, tmdb_id)
    shown = {each.key: getattr(found, each.key) for each in Person.__table__.columns}
    titles = (
        {"movie_ids": said["movie_ids"], "tvshow_ids": said["tvshow_ids"]}
        if said
        else {"movie_ids": _titles(Movie, found), "tvshow_ids": _titles(TVShow, found)}
    )
    return {**shown, **source_of(), **titles}


def _titles(model: type[Movie | TVShow], person: Person) -> list[int]:
    owner = Credit.movie_id if model is Movie else Credit.tvshow_id
    query = (
        select(model.tmdb_id)
        .join(Credit, owner == model.id)
        .where(Credit.person_id == person.id, model.tmdb_id.is_not(None))
        .distinct()
        .order_by(model.tmdb_id)
    )
    return [row.tmdb_id for row in rows(query)]
