"""Where lists and details of films come from: TMDB where there is a key, else the catalogue itself.

Both give rows of the catalogue: what TMDB lists is imported as it is listed, so that every id in an
answer is one that other operations accept.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

from sqlalchemy import Row, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from marquee import clock, settings
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.titles import search_title, sort_title
from marquee.db import session
from marquee.services.tmdb import Tmdb, TmdbDetails, TmdbMovie

PAGE_SIZE = 20
LAST_PAGE = 500
YEARS = range(1800, 2201)
MOST, MOST_VOTES, MOST_POPULAR = 50, 2**31 - 1, 1_000_000
LONGEST_IMDB_ID, LONGEST_MINUTES = 12, 100_000
ATTRIBUTION = "This product uses the TMDB API but is not endorsed or certified by TMDB."
GENRES = {
    28: "Action", 12: "Adventure", 16: "Animation", 35: "Comedy", 80: "Crime", 99: "Documentary",
    18: "Drama", 10751: "Family", 14: "Fantasy", 36: "History", 27: "Horror", 10402: "Music",
    9648: "Mystery", 10749: "Romance", 878: "Science Fiction", 10770: "TV Movie", 53: "Thriller",
    10752: "War", 37: "Western",
}  # fmt: skip
"""TMDB's genres of films by number; lists carry only the numbers."""
LISTED = (
    Movie.id,
    Movie.title,
    Movie.release_date,
    Movie.overview,
    Movie.popularity,
    Movie.vote_average,
)


@dataclass(frozen=True)
class Listing:
    """A page of 20 films, as rows of `LISTED`."""

    page: int
    total_pages: int
    total_results: int
    results: Sequence[Row[*tuple[Any, ...]]]


class Source(Protocol):
    """What a source of films can do. Raises Unavailable or TimedOut when it does not serve."""

    def popular(self, page: int) -> Listing:
        """The films that are popular now."""

    def movie(self, tmdb_id: int) -> Movie | None:
        """A film by its TMDB id; None where there is none."""


class Catalogue:
    """The catalogue by itself."""

    def popular(self, page: int) -> Listing:
        """By the popularity that was imported."""
        counted = select(Movie.id).limit(LAST_PAGE * PAGE_SIZE).subquery()
        total = session.scalar(select(func.count()).select_from(counted)) or 0
        query = select(*LISTED).order_by(Movie.popularity.desc(), Movie.id.desc())
        rows = session.execute(query.limit(PAGE_SIZE).offset((page - 1) * PAGE_SIZE)).all()
        return Listing(page, -(-total // PAGE_SIZE), total, rows)

    def movie(self, tmdb_id: int) -> Movie | None:
        """What the catalogue has under this id."""
        return session.scalar(select(Movie).where(Movie.tmdb_id == tmdb_id))


class ByTmdb:
    """TMDB, imported into the catalogue."""

    def __init__(self, tmdb: Tmdb) -> None:
        self.tmdb = tmdb

    def popular(self, page: int) -> Listing:
        """TMDB's own list, in its order."""
        listing = self.tmdb.popular(page)
        found = listing["results"][:PAGE_SIZE]
        save(map(_listed, found))
        ids = [movie["id"] for movie in found]
        rows = session.execute(select(*LISTED, Movie.tmdb_id).where(Movie.tmdb_id.in_(ids))).all()
        by_id = {row.tmdb_id: row for row in rows}
        ordered = [by_id[each] for each in dict.fromkeys(ids)]
        return Listing(page, listing["total_pages"], listing["total_results"], ordered)

    def movie(self, tmdb_id: int) -> Movie | None:
        """TMDB's details."""
        details = self.tmdb.movie(tmdb_id)
        if details is None:
            return None
        save([_detailed(details)])
        return session.scalar(select(Movie).where(Movie.tmdb_id == tmdb_id))


@cache
def source() -> Source:
    """The source that the settings ask for."""
    values = settings.current()
    if not values.tmdb_api_key:
        return Catalogue()
    return ByTmdb(Tmdb(values.tmdb_api_key, values.tmdb_base_url, timeout=values.tmdb_timeout))


def save(films: Iterable[dict[str, Any]]) -> None:
    """Insert films, or bring those with their `tmdb_id` up to date; all have the same keys.

    What TMDB does not know stays as it was. In the order of the id, so that two imports at once
    cannot wait for each other.
    """
    rows = sorted(
        {film["tmdb_id"]: film for film in films}.values(), key=lambda film: film["tmdb_id"]
    )
    if not rows:
        return
    _adopt({row["imdb_id"]: row for row in rows if row.get("imdb_id")})
    new = insert(Movie).values(rows)
    changed = {
        name: func.coalesce(new.excluded[name], getattr(Movie, name))
        for name in rows[0]
        if name not in ("tmdb_id", "metadata_updated_at")
    }
    differs = or_(
        *(getattr(Movie, name).is_distinct_from(value) for name, value in changed.items())
    )
    stamps = {"updated_at": func.now(), "metadata_updated_at": new.excluded.metadata_updated_at}
    session.execute(
        new.on_conflict_do_update(index_elements=["tmdb_id"], set_=changed | stamps, where=differs)
    )


def _adopt(rows: dict[str, dict[str, Any]]) -> None:
    """Give films that the catalogue knows by their IMDb id alone the TMDB id of the row to save.

    An IMDb id that another film has, by mistake of either side, is left to it.
    """
    for imdb_id in sorted(rows):
        # Of two imports of one film at once, the second waits here and finds what the first did.
        name = func.hashtextextended(f"import:{imdb_id}", 0)
        session.execute(select(func.pg_advisory_xact_lock(name)))
    wanted = [row["tmdb_id"] for row in rows.values()]
    known = session.execute(
        select(Movie.id, Movie.imdb_id, Movie.tmdb_id).where(
            or_(Movie.imdb_id.in_(rows), Movie.tmdb_id.in_(wanted))
        )
    ).all()
    taken = {film.tmdb_id for film in known}
    for film in known:
        row = rows.get(film.imdb_id)
        if row is None or film.tmdb_id == row["tmdb_id"]:
            continue
        if film.tmdb_id is None and row["tmdb_id"] not in taken:
            session.execute(update(Movie).where(Movie.id == film.id).values(tmdb_id=row["tmdb_id"]))
        else:
            row["imdb_id"] = None


def _listed(movie: TmdbMovie) -> dict[str, Any]:
    """The columns of a listed film, within the bounds of the contract."""
    year = movie["release_date"].year if movie["release_date"] else None
    return {
        "tmdb_id": movie["id"],
        "title": movie["title"],
        "original_title": movie["original_title"]
        if movie["original_title"] != movie["title"]
        else None,
        "search_title": search_title(movie["title"]),
        "sort_title": sort_title(movie["title"]),
        "year": year if year and year in YEARS else None,
        "release_date": movie["release_date"],
        "overview": movie["overview"][:5000] or None,
        "original_language": movie["original_language"],
        "genres": [GENRES[number] for number in movie["genre_ids"] if number in GENRES][:MOST],
        "poster_path": movie["poster_path"],
        "backdrop_path": movie["backdrop_path"],
        "vote_average": movie["vote_average"] if movie["vote_count"] else None,
        "vote_count": min(movie["vote_count"], MOST_VOTES),
        "popularity": min(movie["popularity"], MOST_POPULAR),
        "attribution": ATTRIBUTION,
        "metadata_updated_at": clock.now(),
    }


def _detailed(details: TmdbDetails) -> dict[str, Any]:
    """The columns of a film with its details, within the bounds of the contract."""
    imdb_id, minutes = details["imdb_id"], details["runtime_minutes"]
    return _listed(details) | {
        "imdb_id": imdb_id if imdb_id and len(imdb_id) <= LONGEST_IMDB_ID else None,
        "runtime_minutes": minutes if minutes and minutes <= LONGEST_MINUTES else None,
        "tagline": details["tagline"][:500] or None,
        "status": details["status"][:50].lower() or None,
        "age_rating": details["certifications"].get("US", "")[:20] or None,
        "genres": [genre["name"][:50] for genre in details["genres"]][:MOST],
        "languages": details["spoken_languages"][:MOST],
        "countries": details["production_countries"][:MOST],
        "budget_usd": details["budget_usd"],
        "revenue_usd": details["revenue_usd"],
    }
