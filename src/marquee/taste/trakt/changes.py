"""What is rated here, told to Trakt: noted in the transaction that rates, sent by the worker."""

from collections.abc import Callable
from functools import cache
from itertools import groupby
from typing import Any

from sqlalchemy import Row, TextClause, text

from marquee import jobs, settings
from marquee.db import checkpoint, session
from marquee.services.trakt import MOST_SENT, Ids, Rated
from marquee.taste.ratings.models import Rating
from marquee.taste.trakt.turn import Turn

Check = Callable[[], object]
TASK = "push-trakt-ratings"
NOTE = """
INSERT INTO trakt_changes (account_id, {title_id})
SELECT id, :title_id FROM trakt_accounts WHERE user_id = :user_id
ON CONFLICT (account_id, {title_id}) WHERE {title_id} IS NOT NULL
DO UPDATE SET changed_at = clock_timestamp()
RETURNING account_id
"""
PENDING = text("""
SELECT changes.id, changes.changed_at,
  CASE WHEN changes.movie_id IS NULL THEN 'shows' ELSE 'movies' END AS kind,
  coalesce(movies.imdb_id, tvshows.imdb_id) AS imdb_id,
  coalesce(movies.tmdb_id, tvshows.tmdb_id) AS tmdb_id,
  tvshows.tvdb_id,
  coalesce(of_movie.source, of_tvshow.source) AS source,
  greatest(round(coalesce(of_movie.score, of_tvshow.score)), 1)::int AS score,
  coalesce(of_movie.updated_at, of_tvshow.updated_at) AS rated_at
FROM trakt_changes AS changes
JOIN trakt_accounts AS accounts ON accounts.id = changes.account_id
LEFT JOIN movies ON movies.id = changes.movie_id
LEFT JOIN tvshows ON tvshows.id = changes.tvshow_id
LEFT JOIN ratings AS of_movie
  ON of_movie.user_id = accounts.user_id AND of_movie.movie_id = changes.movie_id
LEFT JOIN ratings AS of_tvshow
  ON of_tvshow.user_id = accounts.user_id AND of_tvshow.tvshow_id = changes.tvshow_id
WHERE changes.account_id = :account_id
ORDER BY changes.id LIMIT :most
""")
"""As it is now, whatever has happened since it was noted: `source` is null for no rating."""
TOLD = text("""
DELETE FROM trakt_changes
USING unnest(cast(:ids AS bigint[]), cast(:moments AS timestamptz[])) AS told (id, changed_at)
WHERE trakt_changes.id = told.id AND trakt_changes.changed_at = told.changed_at
""")


def _nothing() -> None:
    """Let it go on."""


def note(rating: Rating) -> None:
    """As `note_title`, for a rating that has changed or goes."""
    note_title(rating.user_id, movie_id=rating.movie_id, tvshow_id=rating.tvshow_id)


def note_title(user_id: int, *, movie_id: int | None = None, tvshow_id: int | None = None) -> None:
    """Let Trakt hear of a title whose rating a user has made, changed or removed, if the user has
    connected an account there and this transaction is committed. One id is None.
    """
    name, title_id = ("tvshow_id", tvshow_id) if movie_id is None else ("movie_id", movie_id)
    values = {"user_id": user_id, "title_id": title_id}
    if not settings.current().trakt_client_id:
        return
    if session.execute(_noting(name), values).first() is not None:
        jobs.defer(TASK, user_id=user_id)


def send(turn: Turn, check: Check = _nothing) -> None:
    """Tell Trakt all that was noted. Without an id of others a title cannot be told, nor what came
    from Trakt since. Commits as it goes. `check` is called before each 500 titles, and raises what
    ends it.
    """
    while pending := _pending(turn):
        checkpoint()
        check()
        for (kind, is_gone), group in groupby(pending, lambda each: (each.kind, _gone(each))):
            named = [each for each in group if any(_ids(each))]
            if is_gone and named:
                titles = [Ids(*_ids(each)) for each in named]
                turn.trakt.unrate(turn.access_token, kind, titles)
            own = [each for each in named if each.source == "manual"]
            if own:
                turn.trakt.rate(turn.access_token, kind, [rated(each) for each in own])
        turn.keep()
        told = {
            "ids": [each.id for each in pending],
            "moments": [each.changed_at for each in pending],
        }
        session.execute(TOLD, told)
        checkpoint()


def rated(row: Row[*tuple[Any, ...]]) -> Rated:
    """A rating as Trakt is told it."""
    return Rated(Ids(*_ids(row)), row.score, row.rated_at)


def _pending(turn: Turn) -> list[Row[*tuple[Any, ...]]]:
    """Up to 500 titles, sorted by what is to be said of them."""
    values = {"account_id": turn.account_id, "most": MOST_SENT}
    found = session.execute(PENDING, values).all()
    return sorted(found, key=lambda each: (each.kind, _gone(each)))


def _gone(row: Row[*tuple[Any, ...]]) -> bool:
    return row.source is None


def _ids(row: Row[*tuple[Any, ...]]) -> tuple[str | None, int | None, int | None]:
    return row.imdb_id, row.tmdb_id, row.tvdb_id


@cache
def _noting(title_id: str) -> TextClause:
    return text(NOTE.format(title_id=title_id))
