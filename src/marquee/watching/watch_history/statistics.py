"""What a user's watching is made of: genres, months, decades, people and companies."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    DateTime,
    Float,
    Integer,
    Numeric,
    Row,
    Select,
    any_,
    bindparam,
    cast,
    func,
    select,
    union_all,
)
from sqlalchemy.orm import InstrumentedAttribute

from marquee import clock
from marquee.catalogue.companies.models import Network, Studio
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.people.models import Credit, Job, Person
from marquee.catalogue.tvshows.models import TVShow
from marquee.db import as_dict, first, rows
from marquee.errors import Invalid
from marquee.identity.users import statistics as users
from marquee.identity.users.models import User
from marquee.watching.progress.models import Watch
from marquee.watching.watch_history.figures import LENGTH, PERCENT, total
from marquee.watching.watch_history.listing import SEEN, SEEN_EPISODES, SEEN_FILMS

MONTHS = 12
MOST_GENRES, MOST_NAMED = 15, 10
HIGHEST_BILLED = 20
"""Of each title, so many people may be among the top ones."""
OF_FILM, OF_EPISODE = Watch.movie_id.is_not(None), Watch.episode_id.is_not(None)


def _seen(query: Select[Any]) -> ColumnElement[Any]:
    """Any of these ids, which are few: as an array, they are looked up first."""
    return any_(func.array(query.distinct().scalar_subquery()))


FILMS = _seen(select(Watch.movie_id).where(*SEEN_FILMS))
SERIES = _seen(select(Watch.tvshow_id).where(*SEEN_EPISODES))
TOTALS = select(
    func.count().filter(OF_FILM).label("total_movies"),
    func.count().filter(OF_EPISODE).label("total_episodes"),
    func.count(Watch.tvshow_id.distinct()).label("total_series"),
    total(Watch.watch_count).label("total_plays"),
    (total(Watch.watch_count * LENGTH) // 60).label("total_watch_time_minutes"),
).where(*SEEN)
MONTH = func.width_bucket(
    Watch.last_watched_at, bindparam("months", type_=ARRAY(DateTime(timezone=True)))
)
TIMELINE = (
    select(
        MONTH.label("month"),
        func.count().filter(OF_FILM).label("movies"),
        func.count().filter(OF_EPISODE).label("episodes"),
    )
    .where(*SEEN, MONTH > 0)
    .group_by(MONTH)
)
DECADE = cast(Movie.year // 10 * 10, Integer)
DECADES = (
    select(func.concat(DECADE, "s").label("decade"), func.count().label("count"))
    .where(Movie.id == FILMS, Movie.year.is_not(None))
    .group_by(DECADE)
    .order_by(DECADE)
)
HALF = cast(func.round(cast(Movie.vote_average * 2, Numeric)) / 2, Float)
RATINGS = (
    select(HALF.label("rating"), func.count().label("count"))
    .where(Movie.id == FILMS, Movie.vote_average.is_not(None))
    .group_by(HALF)
    .order_by(HALF)
)


def _named(
    names: InstrumentedAttribute[list[str]], seen: ColumnElement[Any], most: int
) -> Select[Any]:
    """The names that most of the titles have which were seen."""
    model: Any = names.class_
    name = func.unnest(names).column_valued("name", joins_implicitly=True)
    return (
        select(name, func.count().label("count"))
        .select_from(model)
        .where(model.id == seen)
        .group_by(name)
        .order_by(func.count().desc(), name)
        .limit(most)
    )


def _companies(model: type[Studio | Network], found: Select[Any]) -> Select[Any]:
    """The companies of these names, with what is known of them."""
    named = found.subquery("named")
    return (
        select(model.id, model.name, model.logo_path, named.c.count)
        .join(named, named.c.name == model.name)
        .order_by(named.c.count.desc(), model.name)
    )


FILM_GENRES = _named(Movie.genres, FILMS, MOST_GENRES)
SERIES_GENRES = _named(TVShow.genres, SERIES, MOST_GENRES)
STUDIOS = _companies(Studio, _named(Movie.studios, FILMS, MOST_NAMED))
NETWORKS = _companies(Network, _named(TVShow.networks, SERIES, MOST_NAMED))


def _people() -> Select[Any]:
    """Who had the `job` in most of the titles that were seen."""
    had = Credit.job == bindparam("job"), Credit.position < HIGHEST_BILLED
    credited = union_all(
        select(Credit.person_id, Credit.movie_id).where(*had, Credit.movie_id == FILMS).distinct(),
        select(Credit.person_id, Credit.tvshow_id)
        .where(*had, Credit.tvshow_id == SERIES)
        .distinct(),
    ).subquery("credits_of_seen")
    titles = func.count()
    found = (
        select(credited.c.person_id, titles.label("count"))
        .group_by(credited.c.person_id)
        .order_by(titles.desc(), credited.c.person_id)
        .limit(MOST_NAMED)
        .subquery("found")
    )
    return (
        select(found.c.person_id, Person.name, Person.profile_path, found.c.count)
        .join(Person, Person.id == found.c.person_id)
        .order_by(found.c.count.desc(), Person.id)
    )


PEOPLE = _people()


def of(owner: User, timezone: str | None) -> dict[str, Any]:
    """All statistics of a user's watching, by a constant number of queries. Months are those of a
    time zone, else the user's own, else UTC. Raises Invalid for an unknown one.
    """
    months = _months(_zone(timezone or owner.timezone or "UTC"))
    mine = {"user_id": owner.id}
    totals = first(TOTALS, mine)
    figures = as_dict(totals) if totals else {}
    return {
        "user_id": owner.id,
        **figures,
        "total_favorites": users.of(owner.id)["favorites_count"],
        "watch_timeline": _timeline(months, rows(TIMELINE, mine | {"months": months})),
        "genre_distribution": _shares(rows(FILM_GENRES, mine), figures["total_movies"]),
        "series_genre_distribution": _shares(rows(SERIES_GENRES, mine), figures["total_series"]),
        "decade_distribution": rows(DECADES, mine),
        "rating_distribution": rows(RATINGS, mine),
        "top_actors": rows(PEOPLE, mine | {"job": Job.ACTOR}),
        "top_directors": rows(PEOPLE, mine | {"job": Job.DIRECTOR}),
        "top_studios": rows(STUDIOS, mine),
        "top_networks": rows(NETWORKS, mine),
    }


def _zone(name: str) -> ZoneInfo:
    if name not in _names():
        raise Invalid.value("query", "/timezone", "is no time zone of the IANA database")
    return ZoneInfo(name)


@cache
def _names() -> frozenset[str]:
    return frozenset(available_timezones())


def _months(zone: ZoneInfo) -> list[datetime]:
    """When the last months began there, this one last."""
    now = clock.now().astimezone(zone)
    this = now.year * 12 + now.month - 1
    return [
        datetime(month // 12, month % 12 + 1, 1, tzinfo=zone)
        for month in range(this - MONTHS + 1, this + 1)
    ]


def _timeline(months: Sequence[datetime], found: Sequence[Row[Any]]) -> list[dict[str, Any]]:
    """Every month, also those in which nothing was watched."""
    by_month = {row.month: row for row in found}
    return [
        {
            "month": f"{begins:%Y-%m}",
            "movies": by_month[number].movies if number in by_month else 0,
            "episodes": by_month[number].episodes if number in by_month else 0,
        }
        for number, begins in enumerate(months, 1)
    ]


def _shares(found: Sequence[Row[*tuple[Any, ...]]], titles: int) -> list[dict[str, Any]]:
    """With how many of a hundred titles have each: of those that were counted a moment before."""
    return [
        {"genre": name, "count": count, "percentage": round(PERCENT * count / max(titles, count))}
        for name, count in found
    ]
