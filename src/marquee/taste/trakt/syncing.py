"""Keeping a user's ratings at Trakt and here the same. What is newer wins.

A title is the same by its IMDb id, else by its TMDB id, else by its TVDB id. What came from Trakt
follows Trakt, until the user rates it here. What is gone at Trakt stays here: nothing tells whether
it was removed, or came from an account that was connected before.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Row, TextClause, text, update

from marquee import clock
from marquee.db import checkpoint, session
from marquee.services.trakt import MOST_SENT, Kind, Page, Rated
from marquee.taste.trakt import changes, turn
from marquee.taste.trakt.changes import Check
from marquee.taste.trakt.models import TraktAccount
from marquee.taste.trakt.turn import Turn

IMPORT = """
WITH theirs AS (
  SELECT * FROM unnest(
    cast(:imdb_ids AS text[]), cast(:tmdb_ids AS bigint[]), cast(:tvdb_ids AS bigint[]),
    cast(:scores AS int[]), cast(:moments AS timestamptz[])
  ) AS given (imdb_id, tmdb_id, tvdb_id, score, rated_at)
), known AS (
  SELECT DISTINCT ON (title_id) title_id, score, least(rated_at, now()) AS rated_at
  FROM theirs, LATERAL (SELECT coalesce(
    (SELECT id FROM {titles} WHERE imdb_id = theirs.imdb_id),
    (SELECT id FROM {titles} WHERE tmdb_id = theirs.tmdb_id){by_tvdb}
  )) AS same (title_id)
  WHERE title_id IS NOT NULL
  ORDER BY title_id, rated_at DESC
), saved AS (
  INSERT INTO ratings AS ours (user_id, {title_id}, score, source, created_at, updated_at)
  SELECT :user_id, title_id, score, 'trakt', rated_at, rated_at FROM known
  WHERE NOT EXISTS (
    SELECT FROM trakt_changes AS changes
    WHERE changes.account_id = :account_id AND changes.{title_id} = known.title_id
      AND changes.changed_at >= known.rated_at
  )
  ORDER BY title_id
  ON CONFLICT (user_id, {title_id}) WHERE {title_id} IS NOT NULL
  DO UPDATE SET score = excluded.score, source = 'trakt', updated_at = excluded.updated_at
  WHERE greatest(round(ours.score), 1) <> excluded.score
    AND (ours.source = 'trakt' OR ours.updated_at < excluded.updated_at)
  RETURNING {title_id} AS title_id, xmax = 0 AS is_new
)
SELECT title_id, score, rated_at, is_new FROM known LEFT JOIN saved USING (title_id)
"""
"""One page: which titles it has, and `is_new` of those whose rating was made or changed."""
NEWER_HERE = """
SELECT titles.imdb_id, titles.tmdb_id, {tvdb_id} AS tvdb_id,
  greatest(round(ours.score), 1)::int AS score, ours.updated_at AS rated_at
FROM ratings AS ours
JOIN {titles} AS titles ON titles.id = ours.{title_id}
LEFT JOIN unnest(
  cast(:title_ids AS bigint[]), cast(:scores AS int[]), cast(:moments AS timestamptz[])
) AS theirs (title_id, score, rated_at) ON theirs.title_id = ours.{title_id}
WHERE ours.user_id = :user_id AND ours.source = 'manual'
  AND num_nonnulls(titles.imdb_id, titles.tmdb_id, {tvdb_id}) > 0
  AND (theirs.title_id IS NULL OR (
    theirs.score <> greatest(round(ours.score), 1) AND theirs.rated_at < ours.updated_at
  ))
ORDER BY ours.id
"""
MOVIES = {"titles": "movies", "title_id": "movie_id", "by_tvdb": "", "tvdb_id": "NULL::bigint"}
TVSHOWS = {
    "titles": "tvshows",
    "title_id": "tvshow_id",
    "by_tvdb": ", (SELECT id FROM tvshows WHERE tvdb_id = theirs.tvdb_id)",
    "tvdb_id": "titles.tvdb_id",
}
STATEMENTS: dict[Kind, tuple[TextClause, TextClause]] = {
    "movies": (text(IMPORT.format(**MOVIES)), text(NEWER_HERE.format(**MOVIES))),
    "shows": (text(IMPORT.format(**TVSHOWS)), text(NEWER_HERE.format(**TVSHOWS))),
}
"""What imports a page, and what finds the ratings that Trakt is to have."""

Theirs = dict[int, tuple[int, datetime]]


@dataclass
class Counts:
    """Of films or of series: ratings made and changed here, those of Trakt that changed nothing
    here or whose title is not known here, and those sent to Trakt.
    """

    imported: int = 0
    updated: int = 0
    skipped: int = 0
    exported: int = 0


@dataclass
class Outcome:
    """What a sync has done."""

    synced_at: datetime = field(default_factory=clock.now)
    movies: Counts = field(default_factory=Counts)
    shows: Counts = field(default_factory=Counts)


def sync(user_id: int, check: Check) -> Outcome:
    """Bring both sides to the same. Commits as it goes, so that a sync that was broken off does
    less the next time. `check` is called before each call to Trakt, and raises what ends it.

    Raises what `turn.taken` does.
    """
    outcome = Outcome()
    with turn.taken(user_id) as own:
        changes.send(own, check)
        _sync(own, "movies", outcome.movies, check)
        _sync(own, "shows", outcome.shows, check)
        own.keep()
        account = update(TraktAccount).where(TraktAccount.id == own.account_id)
        session.execute(account.values(last_synced_at=outcome.synced_at))
    return outcome


def _sync(own: Turn, kind: Kind, counts: Counts, check: Check) -> None:
    theirs: Theirs = {}
    for page in _pages(own, kind, check):
        own.keep()
        found = _imported(own, kind, page.ratings)
        checkpoint()
        theirs |= {each.title_id: (each.score, each.rated_at) for each in found}
        made = sum(each.is_new is True for each in found)
        changed = sum(each.is_new is False for each in found)
        counts.imported += made
        counts.updated += changed
        counts.skipped += len(page.ratings) - made - changed
    newer = _newer_here(own, kind, theirs)
    checkpoint()
    for first in range(0, len(newer), MOST_SENT):
        check()
        batch = newer[first : first + MOST_SENT]
        own.trakt.rate(own.access_token, kind, [changes.rated(each) for each in batch])
        counts.exported += len(batch)
        own.keep()
        checkpoint()


def _pages(own: Turn, kind: Kind, check: Check) -> Iterator[Page]:
    number, pages = 1, 1
    while number <= pages:
        check()
        page = own.trakt.ratings(own.access_token, kind, number)
        yield page
        number, pages = number + 1, page.pages


def _imported(own: Turn, kind: Kind, ratings: list[Rated]) -> Sequence[Row[*tuple[Any, ...]]]:
    values = {
        "user_id": own.user_id,
        "account_id": own.account_id,
        "imdb_ids": [each.ids.imdb_id for each in ratings],
        "tmdb_ids": [each.ids.tmdb_id for each in ratings],
        "tvdb_ids": [each.ids.tvdb_id for each in ratings],
        "scores": [each.score for each in ratings],
        "moments": [each.rated_at for each in ratings],
    }
    return session.execute(STATEMENTS[kind][0], values).all()


def _newer_here(own: Turn, kind: Kind, theirs: Theirs) -> Sequence[Row[*tuple[Any, ...]]]:
    values = {
        "user_id": own.user_id,
        "title_ids": list(theirs),
        "scores": [score for score, _ in theirs.values()],
        "moments": [moment for _, moment in theirs.values()],
    }
    return session.execute(STATEMENTS[kind][1], values).all()
