"""Saving titles from TMDB: what TMDB does not know stays as it was.

Every import takes its locks in the same order, companies, collection, title, people, and rows of a
table in the order of their keys: two imports at once cannot wait for each other. An import of a
file has another order, so that nothing is saved while there is one.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Text,
    case,
    cast,
    func,
    literal,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, Insert, insert

from marquee import clock
from marquee.catalogue.metadata import claiming, columns, parts
from marquee.catalogue.metadata.columns import Columns
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.people.models import Person
from marquee.catalogue.tvshows.models import Season, TVShow
from marquee.db import checkpoint, session
from marquee.errors import Unavailable
from marquee.services.tmdb import (
    TmdbDetails,
    TmdbEpisode,
    TmdbPerson,
    TmdbSeason,
    TmdbShowDetails,
    TmdbWholeCollection,
)

NO_IMPORT = text("SELECT pg_try_advisory_xact_lock_shared(hashtextextended('import titles', 0))")
"""That there is no import of a file, nor will be before this transaction has ended."""
OTHER_IDS = ("imdb_id", "tvdb_id")
"""Ids of others that are unique here."""
LONGEST_BIOGRAPHY = 10_000
PERSON = (
    *("name", "imdb_id", "birthday", "deathday", "place_of_birth", "known_for_department"),
    *("profile_path", "popularity"),
)
NOTHING = {"images": "[]", "external_ids": "{}"}
"""What says nothing in columns of JSON. No providers say that it is nowhere to be seen."""
COUNTS = ("vote_count", "popularity")
"""Numbers of which 0 says that there is nothing known yet."""


def save_listed(
    model: type[Movie | TVShow], titles: Iterable[Columns], *, only_new: bool = False
) -> None:
    """Insert titles of a list, or bring those with their `tmdb_id` up to date.

    A title that the catalogue has without a TMDB id is given the one of its name and year, which is
    committed. With `only_new` those that the catalogue has stay as they are: a list in another
    language says nothing of the titles in ours. Raises Unavailable while a file is imported, as all
    do here.
    """
    _begin()
    by_id = {title["tmdb_id"]: title for title in titles}
    if not by_id:
        return
    if claiming.claim_listed(model, by_id):
        # Other rows are locked next, in the order of another key.
        checkpoint()
        _begin()
    new = insert(model).values([by_id[each] for each in sorted(by_id)])
    if only_new:
        session.execute(new.on_conflict_do_nothing(index_elements=["tmdb_id"]))
        return
    changed, differs = _changes(model, new, list(next(iter(by_id.values()))))
    session.execute(
        new.on_conflict_do_update(
            index_elements=["tmdb_id"], set_=changed | {"updated_at": func.now()}, where=differs
        )
    )


def save_movie(details: TmdbDetails) -> int:
    """Save a film with all that belongs to it, by a constant number of statements; its id."""
    _begin()
    row = columns.whole_movie(details)
    parts.save_companies("studios", details["studios"])
    if details["collection"] is not None:
        row["collection_id"] = parts.save_collection(details["collection"])
    _adopt(Movie, row)
    movie_id = _save_whole(Movie, row)
    parts.save_people(columns.people(*details["crew"], *details["cast"]))
    parts.save_credits("movie_id", movie_id, columns.credits_of(details))
    parts.save_translations("movie_id", movie_id, columns.translations(details["translations"]))
    return movie_id


def save_tvshow(details: TmdbShowDetails) -> int:
    """Save a series with all that belongs to it but its episodes, as `save_movie`; its id."""
    _begin()
    row = columns.whole_tvshow(details)
    parts.save_companies("studios", details["studios"])
    parts.save_companies("networks", details["networks"])
    _adopt(TVShow, row)
    tvshow_id = _save_whole(TVShow, row)
    parts.save_people(columns.people(*details["crew"], *details["cast"]))
    parts.save_credits("tvshow_id", tvshow_id, columns.credits_of(details))
    parts.save_translations("tvshow_id", tvshow_id, columns.translations(details["translations"]))
    parts.save_seasons(tvshow_id, details["seasons"])
    return tvshow_id


def save_season(tvshow_id: int, season: TmdbSeason) -> None:
    """Save a season with its episodes."""
    _lock(tvshow_id)
    parts.save_seasons(tvshow_id, [season])
    parts.save_episodes(tvshow_id, season["season_number"], season["episodes"])


def save_episode(tvshow_id: int, episode: TmdbEpisode) -> None:
    """Save an episode of a season that the catalogue has."""
    _lock(tvshow_id)
    parts.save_episodes(tvshow_id, episode["season_number"], [episode])


def save_collection(collection: TmdbWholeCollection) -> int:
    """Save a collection and its films, which then are in it; its id."""
    _begin()
    collection_id = parts.save_collection(collection, collection["overview"])
    save_listed(Movie, map(columns.listed_movie, collection["parts"]))
    members = [film["id"] for film in collection["parts"]]
    query = select(Movie.id).where(Movie.tmdb_id.in_(members)).order_by(Movie.tmdb_id)
    ids = session.scalars(query.with_for_update(key_share=True)).all()
    elsewhere = Movie.collection_id.is_distinct_from(collection_id)
    moved = update(Movie).where(Movie.id.in_(ids), elsewhere).values(collection_id=collection_id)
    session.execute(moved.execution_options(synchronize_session=False))
    return collection_id


def save_person(person: TmdbPerson) -> int:
    """Save all that is known of somebody; their id."""
    _begin()
    row = {name: person[name] for name in PERSON}  # type: ignore[literal-required]
    row |= {"biography": person["biography"][:LONGEST_BIOGRAPHY] or None}
    row |= {"tmdb_id": person["id"], "metadata_updated_at": clock.now()}
    new = insert(Person).values(row)
    changed = {
        name: _known(name, new.excluded[name], getattr(Person, name))
        for name in row
        if name != "tmdb_id"
    }
    saved = new.on_conflict_do_update(index_elements=["tmdb_id"], set_=changed)
    return session.execute(saved.returning(Person.id)).scalar_one()


def _begin() -> None:
    """See that no file is imported meanwhile. Raises Unavailable, rather than wait for minutes with
    a connection that others need.
    """
    if not session.scalar(NO_IMPORT):
        raise Unavailable("Titles are being imported from a file.")


def _lock(tvshow_id: int) -> None:
    """The series comes before its seasons: a trigger counts them there."""
    _begin()
    one = select(TVShow.id).where(TVShow.id == tvshow_id)
    session.execute(one.with_for_update(key_share=True))


def _save_whole(model: type[Movie | TVShow], row: Columns) -> int:
    """Save a title and that its details are of now; `updated_at` is when they changed last."""
    new = insert(model).values([row])
    changed, differs = _changes(model, new, list(row))
    stamps = {
        "updated_at": case((differs, func.now()), else_=model.updated_at),
        "metadata_updated_at": new.excluded.metadata_updated_at,
    }
    saved = new.on_conflict_do_update(index_elements=["tmdb_id"], set_=changed | stamps)
    return session.execute(saved.returning(model.id)).scalar_one()


def _changes(
    model: type[Movie | TVShow], new: Insert, names: list[str]
) -> tuple[dict[str, Any], ColumnElement[bool]]:
    """What a row that is there already becomes, and whether that is anything else."""
    changed = {
        name: _known(name, new.excluded[name], getattr(model, name))
        for name in names
        if name not in ("tmdb_id", "metadata_updated_at")
    }
    differs = or_(*(getattr(model, each).is_distinct_from(changed[each]) for each in changed))
    return changed, differs


def _known(name: str, said: ColumnElement[Any], present: ColumnElement[Any]) -> ColumnElement[Any]:
    """What is said, or what is there where nothing is said."""
    if name in COUNTS:
        said = func.nullif(said, 0)
    elif name in NOTHING:
        said = func.nullif(said, cast(literal(NOTHING[name], Text), JSONB))
    elif isinstance(said.type, ARRAY):
        said = func.nullif(said, cast(literal("{}", Text), ARRAY(Text)))
    return func.coalesce(said, present)


def _adopt(model: type[Movie | TVShow], row: Columns) -> None:
    """Give a title that the catalogue knows by an id of others alone the TMDB id of the row.

    An id of others that another title has, by mistake of either side, is left to it.
    """
    names = [name for name in OTHER_IDS if row.get(name)]
    for name in names:
        # Of two imports of one title at once, the second waits here and finds what the first did.
        lock = func.hashtextextended(f"import:{row[name]}", 0)
        session.execute(select(func.pg_advisory_xact_lock(lock)))
    same = {name: getattr(model, name) for name in names}
    known = session.execute(
        select(model.id, model.tmdb_id, *same.values()).where(
            or_(model.tmdb_id == row["tmdb_id"], *(same[name] == row[name] for name in names))
        )
    ).all()
    ours = next((title for title in known if title.tmdb_id == row["tmdb_id"]), None)
    if ours is None:
        unnamed = [title for title in known if title.tmdb_id is None]
        by_name = (
            title for name in names for title in unnamed if getattr(title, name) == row[name]
        )
        ours = next(by_name, None)
        if ours is not None and not claim(model, ours.id, row["tmdb_id"]):
            ours = None
    for name in names:
        if any(title is not ours and getattr(title, name) == row[name] for title in known):
            row[name] = None


def claim(model: type[Movie | TVShow], title_id: int, tmdb_id: int) -> bool:
    """Give a title without a TMDB id this one, unless another title has it."""
    _begin()
    return claiming.claim(model, {title_id: tmdb_id})


def season_of(tvshow_id: int, season_number: int) -> Season | None:
    """A season that the catalogue has."""
    query = select(Season).where(
        Season.tvshow_id == tvshow_id, Season.season_number == season_number
    )
    season: Season | None = session.scalar(query.execution_options(populate_existing=True))
    return season
