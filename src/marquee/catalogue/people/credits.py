"""The people of a film or of a series, and the titles of a person."""

from functools import cache
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, bindparam, case, func, select
from sqlalchemy.orm import InstrumentedAttribute, join

from marquee.catalogue.images.addresses import poster_url
from marquee.catalogue.listing import TITLES
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.people.models import Credit, Job, Person
from marquee.catalogue.tvshows.models import TVShow
from marquee.db import rows

Owner = InstrumentedAttribute[int | None]
"""`Credit.movie_id` or `Credit.tvshow_id`."""
SHOWN = {
    "directors": Job.DIRECTOR,
    "writers": Job.WRITER,
    "creators": Job.CREATOR,
    "cinematographers": Job.CINEMATOGRAPHER,
    "composers": Job.COMPOSER,
    "editors": Job.EDITOR,
    "cast_members": Job.ACTOR,
}
"""What the lists of people in details are called."""
MOST_CAST, MOST_OTHERS = 500, 100
DEPARTMENTS: dict[str, str] = {
    Job.ACTOR: "Acting",
    Job.DIRECTOR: "Directing",
    Job.WRITER: "Writing",
    Job.CREATOR: "Creator",
    Job.CINEMATOGRAPHER: "Camera",
    Job.COMPOSER: "Sound",
    Job.EDITOR: "Editing",
}
"""TMDB's departments of the jobs that say theirs."""


def people_of(owner: Owner, title_id: int) -> dict[str, list[Any]]:
    """The people of a title in order of billing, by the names of `SHOWN`, by one query."""
    found = rows(_detailed(owner), {"title_id": title_id})
    by_job: dict[str, list[Any]] = {job: [] for job in SHOWN.values()}
    for row in found:
        by_job[row.job].append(row)
    return {
        name: by_job[job][: MOST_CAST if job is Job.ACTOR else MOST_OTHERS]
        for name, job in SHOWN.items()
    }


@cache
def _detailed(owner: Owner) -> Select[*tuple[Any, ...]]:
    return (
        select(
            Credit.job,
            Credit.character,
            Person.id.label("person_id"),
            Person.name,
            Person.profile_path,
        )
        .join(Person, Person.id == Credit.person_id)
        .where(owner == bindparam("title_id"), Credit.job.in_(list(SHOWN.values())))
        .order_by(Credit.position, Credit.id)
    )


def credits_of(owner: Owner, title_id: int, kind: Literal["cast", "crew"]) -> dict[str, Any]:
    """The credits of a title in order of billing, as `web.paging.numbered` takes them."""
    query, counted = _credits(owner, kind)
    return {"query": query, "values": {"title_id": title_id}, "counted": counted}


@cache
def _credits(owner: Owner, kind: Literal["cast", "crew"]) -> tuple[Select[Any], Select[Any]]:
    acting = Credit.job == Job.ACTOR
    of_title = owner == bindparam("title_id"), acting if kind == "cast" else ~acting
    query = (
        select(*CREDIT, Person.tmdb_id.label("tmdb_person_id"), Person.name, Person.profile_path)
        .join(Person, Person.id == Credit.person_id)
        .where(*of_title)
        .order_by(Credit.position, Credit.id)
    )
    return query, select(Credit.id).where(*of_title)


def _credit() -> tuple[ColumnElement[Any], ...]:
    acting = Credit.job == Job.ACTOR
    return (
        Credit.id.expression,
        Credit.person_id.expression,
        Credit.character.expression,
        Credit.job.expression,
        func.coalesce(Credit.department, case(DEPARTMENTS, value=Credit.job)).label("department"),
        case((acting, "cast"), else_="crew").label("credit_type"),
        case((acting, Credit.position)).label("cast_order"),
    )


CREDIT = _credit()
"""The columns of a credit itself, which lists of credits show."""


OF_PERSON = select(Credit.id).where(Credit.person_id == bindparam("person_id"))
OF_FILM = Credit.movie_id.is_not(None)
YEAR = func.coalesce(Movie.year, TVShow.year)
RELEASED = func.coalesce(Movie.release_date, TVShow.first_air_date, func.make_date(YEAR, 1, 1))
TITLED = join(Credit, Movie, Movie.id == Credit.movie_id, isouter=True).join(
    TVShow, TVShow.id == Credit.tvshow_id, isouter=True
)
NEWEST_FIRST = OF_PERSON.select_from(TITLED).order_by(
    RELEASED.desc().nulls_last(), Credit.id.desc()
)
WITH_TITLES = select(
    *CREDIT,
    case((OF_FILM, "movie"), else_="tvshow").label("kind"),
    func.coalesce(Credit.movie_id, Credit.tvshow_id).label("title_id"),
    func.coalesce(Movie.title, TVShow.title).label("title"),
    YEAR.label("year"),
    case((OF_FILM, poster_url(Movie)), else_=poster_url(TVShow)).label("poster_url"),
).select_from(TITLED)


def credits_by(person_id: int) -> dict[str, Any]:
    """The credits of a person over films and series, those of the newest titles first, as
    `web.paging.numbered` takes them.
    """
    return {
        "query": NEWEST_FIRST,
        "values": {"person_id": person_id},
        "counted": OF_PERSON,
        "shown": WITH_TITLES,
        "remembered": TITLES,
    }
