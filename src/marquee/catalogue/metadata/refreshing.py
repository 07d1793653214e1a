"""Bringing titles of the catalogue up to date from TMDB."""

from datetime import timedelta
from functools import partial
from typing import Any, cast

from sqlalchemy import Row, or_, select, update

from marquee import clock, job_runs
from marquee.catalogue.metadata import claiming, saving
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.movies.sources import client, waited_for
from marquee.catalogue.tvshows.models import TVShow
from marquee.db import Rows, checkpoint, rows, session, transaction
from marquee.errors import NotConfigured
from marquee.job_runs import JobRun
from marquee.progress import Progress
from marquee.services.tmdb import Tmdb, TmdbDetails, TmdbShowDetails
from marquee.viewer import Viewer

NAME = "refresh-metadata"
OLD = timedelta(days=30)
MOST = 1_000
"""Of films and of series, in one run without arguments."""
NO_KEY = "This server has no TMDB key (TMDB_API_KEY) to refresh metadata with."

Titles = type[Movie | TVShow]


def start(viewer: Viewer, **title: int) -> JobRun:
    """Ask for a run for one title, by `movie_id` or `tvshow_id`.

    Raises NotConfigured without a TMDB key, Conflict (JOB_RUNNING) where one has not ended.
    """
    if client() is None:
        raise NotConfigured(NO_KEY)
    return job_runs.start(NAME, viewer.id, **title)


def refresh(
    progress: Progress, movie_id: int | None = None, tvshow_id: int | None = None
) -> dict[str, int]:
    """Refresh one title, or those whose details are oldest. Those that are done are not due again,
    so that a run that is taken up goes on where the last one ended.

    Without a TMDB key there is nothing to do by the clock. Raises NotConfigured for one title:
    whoever asked for it did so of a server with a key, and another worker may have that.
    """
    counted = {"refreshed": 0, "unknown": 0}
    tmdb, one = client(), movie_id is not None or tvshow_id is not None
    if tmdb is None:
        if one:
            raise NotConfigured(NO_KEY)
        progress.log("There is no TMDB key, so nothing to refresh with.", "warn")
        return counted
    wanted: list[tuple[Titles, int | None]] = [(Movie, movie_id), (TVShow, tvshow_id)]
    kinds = [(model, each) for model, each in wanted if not one or each is not None]
    progress.plan(len(kinds))
    for model, title_id in kinds:
        with transaction():
            titles = _due(model, title_id)
        progress.step("Films" if model is Movie else "Series", len(titles))
        for title in titles:
            known = _refresh(progress, tmdb, model, title)
            counted["refreshed" if known else "unknown"] += 1
            progress.advance(1, title.title)
    return counted


def bring_up_to_date(tmdb: Tmdb, model: Titles, title: Movie | TVShow) -> None:
    """Bring the details of a title up to date within a request, by its TMDB id or its IMDb id.

    Raises Unavailable or TimedOut where TMDB does not serve.
    """
    tmdb = waited_for(tmdb)
    tmdb_id = title.tmdb_id or _by_imdb_id(tmdb, model, title.imdb_id)
    details = _details(tmdb, model, tmdb_id) if tmdb_id else None
    if details is None or not _claimed(model, title.id, title.tmdb_id, details["id"]):
        _note_unknown(model, title.id)
        return
    checkpoint()
    _save(model, details)


def _due(model: Titles, title_id: int | None) -> Rows:
    """One title, or those that TMDB knows and that nobody has asked it of for the longest time."""
    query = select(model.id, model.tmdb_id, model.imdb_id, model.title, model.year)
    if title_id is not None:
        return rows(query.where(model.id == title_id))
    asked = model.metadata_updated_at
    old = asked.is_(None) | (asked < clock.now() - OLD)
    due = query.where(model.tmdb_id.is_not(None), old)
    return rows(due.order_by(asked.asc().nulls_first(), model.id).limit(MOST))


def _refresh(progress: Progress, tmdb: Tmdb, model: Titles, title: Row[*tuple[Any, ...]]) -> bool:
    """Bring one title up to date, a series with its episodes; False where TMDB has none such."""
    details = progress.waiting(lambda: _told(tmdb, model, title))
    if details is None:
        with transaction():
            _note_unknown(model, title.id)
        progress.log("TMDB does not know it.", "warn", title=title.title)
        return False
    with transaction():
        is_ours = _claimed(model, title.id, title.tmdb_id, details["id"])
    if not is_ours:
        progress.log("Another title has its TMDB id.", "warn", title=title.title)
        return False
    with transaction():
        title_id = _save(model, details)
    if model is TVShow:
        _refresh_episodes(progress, tmdb, title_id, cast("TmdbShowDetails", details))
    return True


def _refresh_episodes(
    progress: Progress, tmdb: Tmdb, tvshow_id: int, details: TmdbShowDetails
) -> None:
    for head in details["seasons"]:
        progress.check()
        asked = partial(tmdb.season, details["id"], head["season_number"])
        season = progress.waiting(asked)
        if season is not None:
            with transaction():
                saving.save_season(tvshow_id, season)


def _told(
    tmdb: Tmdb, model: Titles, title: Row[*tuple[Any, ...]]
) -> TmdbDetails | TmdbShowDetails | None:
    """What TMDB tells of a title by any of its ids, or its name."""
    tmdb_id = (
        title.tmdb_id or _by_imdb_id(tmdb, model, title.imdb_id) or _by_words(tmdb, model, title)
    )
    return _details(tmdb, model, tmdb_id) if tmdb_id else None


def _by_imdb_id(tmdb: Tmdb, model: Titles, imdb_id: str | None) -> int | None:
    if imdb_id is None:
        return None
    found = tmdb.find(imdb_id)
    return found["movie_id"] if model is Movie else found["tvshow_id"]


def _by_words(tmdb: Tmdb, model: Titles, title: Row[*tuple[Any, ...]]) -> int | None:
    """The one title of this name and year, if there is just one."""
    if title.year is None:
        return None
    search = tmdb.search_movies if model is Movie else tmdb.search_tvshows
    found = [
        # Of the year that was asked for: TMDB counts each country's release.
        claiming.named(each["id"], title.year, each["title"], each["original_title"])
        for each in search(title.title, year=title.year)["results"]
    ]
    ours = claiming.named(title.id, title.year, title.title)
    return claiming.same_titles([ours], found).get(title.id)


def _details(tmdb: Tmdb, model: Titles, tmdb_id: int) -> TmdbDetails | TmdbShowDetails | None:
    return tmdb.movie(tmdb_id) if model is Movie else tmdb.tvshow(tmdb_id)


def _claimed(model: Titles, title_id: int, present: int | None, tmdb_id: int) -> bool:
    """Whether the title has this TMDB id, or has been given it: to be committed before `_save`,
    which locks other rows before this one.
    """
    return present == tmdb_id or saving.claim(model, title_id, tmdb_id)


def _save(model: Titles, details: Any) -> int:  # noqa: ANN401 - the details of the model
    return saving.save_movie(details) if model is Movie else saving.save_tvshow(details)


def _note_unknown(model: Titles, title_id: int) -> None:
    """A title by whose ids nothing is found is asked for again when the others have had their turn,
    and not at each request.
    """
    has_id = or_(model.tmdb_id.is_not(None), model.imdb_id.is_not(None))
    stamp = update(model).where(model.id == title_id, has_id)
    kept = {"metadata_updated_at": clock.now(), "updated_at": model.updated_at}
    session.execute(stamp.values(kept).execution_options(synchronize_session=False))
