"""Runs of recommendations: who is due for one, and how they are kept."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from sqlalchemy import delete, func, insert, select, text, update

from marquee import clock
from marquee.db import session
from marquee.identity.users.models import User
from marquee.identity.users.preferences import DEFAULTS
from marquee.taste.recommendations.models import RecommendationRun

Kind = Literal["movie", "tvshow"]
KINDS: tuple[Kind, ...] = ("movie", "tvshow")
OLD = timedelta(days=30)
"""After that a run is made anew though the user has done nothing: there are new titles."""
KEPT, REMEMBERED = 5, 50
"""Of how many runs of a user and kind the candidates are kept, and of how many that they were."""
LONGEST_ERROR = 500
SLOW = text("SET LOCAL statement_timeout = '10min'")
"""Everything that a thousand users did takes longer to read than any request may."""
LOOKED_AT = text("""
WITH page AS MATERIALIZED (
    SELECT id, movies_enabled, series_enabled, max_parental_rating,
        coalesce(preferences ->> 'dislike_behavior', :usual) AS dislike_behavior
    FROM users WHERE is_active AND id > :after AND (CAST(:user_id AS bigint) IS NULL
        OR id = :user_id) ORDER BY id LIMIT :many
), told AS MATERIALIZED (
    SELECT page.*, md5(concat_ws(';', max_parental_rating, dislike_behavior,
        (SELECT concat_ws(',', count(*), sum(id), extract(epoch FROM max(updated_at)))
            FROM ratings WHERE user_id = page.id),
        (SELECT concat_ws(',', count(*), sum(id)) FROM favorites WHERE user_id = page.id),
        (SELECT concat_ws(',', count(*), sum(id), extract(epoch FROM max(updated_at)))
            FROM watches WHERE user_id = page.id)
    )) AS signals FROM page
), last AS (
    SELECT told.id AS user_id, kind, run.*
    FROM told CROSS JOIN (VALUES ('movie'), ('tvshow')) AS kinds (kind)
    CROSS JOIN LATERAL (
        SELECT signals, created_at FROM recommendation_runs AS runs
        WHERE runs.user_id = told.id AND runs.kind = kinds.kind AND status = 'completed'
        ORDER BY runs.id DESC LIMIT 1
    ) AS run
)
SELECT told.*, coalesce(array_agg(last.kind) FILTER (
    WHERE last.signals = told.signals AND last.created_at >= :since
), '{}') AS fresh
FROM told LEFT JOIN last ON last.user_id = told.id
GROUP BY told.id, movies_enabled, series_enabled, max_parental_rating, dislike_behavior,
    told.signals
ORDER BY told.id
""")
"""A page of users, what their taste follows from as a digest, and the kinds whose latest run holds.
Settings that leave less to be recommended are part of the digest."""
ALIVE = text(
    "SELECT id FROM users WHERE id = ANY (CAST(:ids AS bigint[])) ORDER BY id FOR KEY SHARE"
)
PRUNE = text("""
WITH numbered AS (
    SELECT id, row_number() OVER (PARTITION BY user_id, kind ORDER BY id DESC) AS number
    FROM recommendation_runs WHERE user_id = ANY (CAST(:ids AS bigint[]))
), gone AS (
    DELETE FROM recommendation_runs AS runs USING numbered
    WHERE runs.id = numbered.id AND number > :remembered
)
UPDATE recommendation_runs AS runs SET candidates = '[]' FROM numbered
WHERE runs.id = numbered.id AND number > :kept AND number <= :remembered
    AND candidates <> '[]'
""")


@dataclass(frozen=True)
class Asker:
    """A user for whom recommendations are to be made."""

    user_id: int
    kinds: tuple[Kind, ...]
    """Which."""
    max_age: int | None
    """Nothing above it; None for everything."""
    excludes_dislikes: bool
    signals: str
    """A digest of all that the recommendations follow from."""


@dataclass(frozen=True)
class Made:
    """What was found for a user."""

    user_id: int
    kind: Kind
    signals: str
    candidates: list[dict[str, Any]]
    selected_count: int
    duration_ms: int


def due(after: int, many: int) -> tuple[list[Asker], int, int]:
    """Of the next users by id, those whose taste has changed since their last run, or who have none
    of late; how many were looked at, and the last one's id.
    """
    found = _looked_at(after=after, many=many, user_id=None)
    askers = [_asker(row, row.fresh) for row in found]
    return [each for each in askers if each.kinds], len(found), found[-1].id if found else after


def asker(user_id: int) -> Asker | None:
    """One user, who is due anyhow; None who is gone or disabled."""
    found = _looked_at(after=0, many=1, user_id=user_id)
    return _asker(found[0], ()) if found else None


def begin(one: Asker) -> dict[Kind, int]:
    """Runs of a user that are under way, by kind, in place of those that were broken off."""
    broken = (RecommendationRun.user_id == one.user_id, RecommendationRun.status == "running")
    session.execute(delete(RecommendationRun).where(*broken))
    if not _alive([one.user_id]):
        return {}
    new = [
        {"user_id": one.user_id, "kind": kind, "run_type": "manual", "status": "running"}
        for kind in one.kinds
    ]
    made = insert(RecommendationRun).returning(RecommendationRun.kind, RecommendationRun.id)
    return {row.kind: row.id for row in session.execute(made, new)} if new else {}


def complete(runs: Mapping[Kind, int], made: Iterable[Made], version: str) -> None:
    """Say what was found by runs that were under way."""
    for each in made:
        values = _values(each, version)
        session.execute(
            update(RecommendationRun)
            .where(RecommendationRun.id == runs[each.kind])
            .values(**values)
        )
        _prune([each.user_id])


def fail(runs: Iterable[int], message: str) -> None:
    """Say that runs have come to nothing, and why."""
    session.execute(
        update(RecommendationRun)
        .where(RecommendationRun.id.in_(list(runs)), RecommendationRun.status == "running")
        .values(status="failed", error_message=message[:LONGEST_ERROR], completed_at=clock.now())
    )


def keep(made: Sequence[Made], version: str) -> None:
    """Store what was found for many users, by a number of statements that does not grow."""
    users = _alive({each.user_id for each in made})
    found = [
        {
            "user_id": each.user_id,
            "kind": each.kind,
            "run_type": "scheduled",
            **_values(each, version),
        }
        for each in made
        if each.user_id in users
    ]
    if found:
        session.execute(insert(RecommendationRun), found)
        _prune(users)


def number_of_users() -> int:
    """How many there are to look at."""
    counted = session.scalar(select(func.count()).select_from(User).where(User.is_active))
    return int(counted or 0)


def _looked_at(**values: Any) -> Sequence[Any]:  # noqa: ANN401 - values of a statement
    session.execute(SLOW)
    usual = DEFAULTS["dislike_behavior"]
    return session.execute(LOOKED_AT, {"since": clock.now() - OLD, "usual": usual, **values}).all()


def _asker(row: Any, fresh: Sequence[str]) -> Asker:  # noqa: ANN401 - a row
    enabled = {"movie": row.movies_enabled, "tvshow": row.series_enabled}
    return Asker(
        row.id,
        tuple(kind for kind in KINDS if enabled[kind] and kind not in fresh),
        row.max_parental_rating,
        row.dislike_behavior == "exclude",
        row.signals,
    )


def _values(made: Made, version: str) -> dict[str, Any]:
    return {
        "status": "completed",
        "candidate_count": len(made.candidates),
        "selected_count": made.selected_count,
        "duration_ms": made.duration_ms,
        "engine_version": version,
        "signals": made.signals,
        "candidates": made.candidates,
        "completed_at": clock.now(),
    }


def _alive(ids: Iterable[int]) -> list[int]:
    """Those that are still there, who then cannot go before the transaction has ended."""
    return list(session.scalars(ALIVE, {"ids": sorted(ids)}))


def _prune(ids: Sequence[int]) -> None:
    values = {"ids": list(ids), "kept": KEPT, "remembered": REMEMBERED}
    session.execute(PRUNE, values)
