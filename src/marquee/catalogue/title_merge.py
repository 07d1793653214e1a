"""The SQL that brings incoming titles into the catalogue: whole sets of them, in one transaction.

The lines stand in a temporary table as JSON. For each kind they become a table with the columns of
its titles, then rows are dropped, matched, and written in the order of `merge`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg2 import extensions
from psycopg2.sql import SQL, Composable, Identifier, Literal

CREATE_DOCUMENTS = """
DROP TABLE IF EXISTS pg_temp.incoming_documents, pg_temp.incoming_movie, pg_temp.incoming_tvshow;
CREATE TEMP TABLE incoming_documents (kind text, document jsonb) ON COMMIT DROP
"""
COPY_DOCUMENTS = "COPY pg_temp.incoming_documents FROM STDIN"

COMMON = (
    *("imdb_id", "tmdb_id", "title", "original_title", "search_title", "sort_title", "year"),
    *("overview", "tagline", "status", "languages", "countries", "genres", "age_rating"),
    *("vote_average", "vote_count", "popularity", "external_ratings", "attribution"),
)
DEFAULTS = {
    "languages": "{}",
    "countries": "{}",
    "genres": "{}",
    "networks": "{}",
    "vote_count": "0",
    "popularity": "0",
    "external_ratings": "[]",
}
"""What a new row holds where the line says nothing and the column must not be null."""


@dataclass(frozen=True)
class Table:
    """Where titles of a kind live."""

    kind: str
    titles: str
    owner: str
    columns: tuple[str, ...]


MOVIES = Table(
    kind="movie",
    titles="movies",
    owner="movie_id",
    columns=(*COMMON, "release_date", "runtime_minutes", "revenue_usd"),
)
TVSHOWS = Table(
    kind="tvshow",
    titles="tvshows",
    owner="tvshow_id",
    columns=(
        *COMMON,
        *("first_air_date", "last_air_date", "episode_runtime_minutes", "networks"),
    ),
)

TYPED = """
CREATE TEMP TABLE {incoming} ON COMMIT DROP AS
    SELECT null::bigint AS line, null::bigint AS target, null::boolean AS is_new,
           null::text[] AS directors, null::text[] AS writers, null::text[] AS creators,
           null::text[] AS cast_members, null::jsonb AS seasons, {columns}
    FROM {titles} WITH NO DATA;
INSERT INTO {incoming} SELECT typed.*
    FROM pg_temp.incoming_documents, jsonb_populate_record(null::{incoming}, document) typed
    WHERE kind = {kind};
ANALYZE {incoming}
"""

# The last of several lines of one title wins, wherever they stand in the file.
REPEATED = """
DELETE FROM {incoming} WHERE line IN (
    SELECT line FROM (SELECT line, lead(line) OVER (PARTITION BY {key} ORDER BY line) AS later
                      FROM {incoming} WHERE {among}) o
    WHERE later IS NOT NULL)
"""

# A sort_title is the search_title or all of it but the first word: so its index finds words.
# Rows without ids are preferred, else a second run might find the row of another line.
MATCH = """
UPDATE {incoming} i SET is_new = false, target = coalesce(
    (SELECT id FROM {titles} t WHERE t.imdb_id = i.imdb_id),
    (SELECT id FROM {titles} t WHERE t.tmdb_id = i.tmdb_id),
    CASE WHEN num_nonnulls(i.imdb_id, i.tmdb_id) = 0 THEN (
        SELECT id FROM {titles} t
        WHERE t.sort_title IN (i.search_title, regexp_replace(i.search_title, '^[^ ]* ', ''))
        AND t.search_title = i.search_title AND t.year IS NOT DISTINCT FROM i.year
        ORDER BY num_nonnulls(t.imdb_id, t.tmdb_id), id LIMIT 1
    ) END)
"""

CONTRADICTORY = """
DELETE FROM {incoming} i USING {titles} t
    WHERE t.id = i.target AND (
        t.imdb_id <> i.imdb_id OR t.tmdb_id <> i.tmdb_id
        OR EXISTS (SELECT FROM {titles} o WHERE o.tmdb_id = i.tmdb_id AND o.id <> t.id))
    RETURNING i.line
"""

# Ids are given in the order of the lines. Scores of other sources than the line's stay.
COMPLETE = """
UPDATE {incoming} i SET target = n.id, is_new = true
    FROM (SELECT line, nextval(pg_get_serial_sequence({titles_name}, 'id')) AS id
          FROM (SELECT line FROM {incoming} WHERE target IS NULL ORDER BY line) o) n
    WHERE n.line = i.line;
UPDATE {incoming} i SET external_ratings = i.external_ratings || (
        SELECT coalesce(jsonb_agg(old), '[]') FROM jsonb_array_elements(t.external_ratings) old
        WHERE NOT EXISTS (SELECT FROM jsonb_array_elements(i.external_ratings) new
                          WHERE new -> 'source' = old -> 'source'))
    FROM {titles} t WHERE t.id = i.target AND t.external_ratings <> '[]'
"""
RELEASED = """
UPDATE {incoming} i SET status = 'released'
    WHERE status IS NULL AND year IS NOT NULL
    AND NOT EXISTS (SELECT FROM {titles} t WHERE t.id = i.target AND t.status IS NOT NULL)
"""

# Another transaction may have added the same title since MATCH.
INSERT = """
INSERT INTO {titles} (id, {columns}) SELECT target, {values} FROM {incoming} i
    WHERE is_new ORDER BY line ON CONFLICT DO NOTHING
"""
OVERTAKEN = """
DELETE FROM {incoming} i
    WHERE is_new AND NOT EXISTS (SELECT FROM {titles} t WHERE t.id = i.target) RETURNING i.line
"""

# Jobs of which the line gives names, and other names than the catalogue has.
CREDITS = """
CREATE TEMP TABLE incoming_credits ON COMMIT DROP AS
    SELECT i.target, i.is_new, c.job, c.names
    FROM {incoming} i CROSS JOIN LATERAL (VALUES
        ('director', i.directors), ('writer', i.writers),
        ('creator', i.creators), ('actor', i.cast_members)) c(job, names)
    WHERE c.names IS NOT NULL AND (i.is_new OR c.names IS DISTINCT FROM (
        SELECT array_agg(p.name ORDER BY k.position, k.id)
        FROM credits k JOIN people p ON p.id = k.person_id
        WHERE k.{owner} = i.target AND k.job = c.job));
INSERT INTO people (name)
    SELECT DISTINCT name FROM pg_temp.incoming_credits, unnest(names) name
    WHERE NOT EXISTS (SELECT FROM people p WHERE p.name = name.name AND p.tmdb_id IS NULL)
    ORDER BY name ON CONFLICT DO NOTHING;
DELETE FROM credits k USING pg_temp.incoming_credits c
    WHERE NOT c.is_new AND k.{owner} = c.target AND k.job = c.job;
INSERT INTO credits (person_id, {owner}, job, position)
    SELECT p.id, c.target, c.job, n.place - 1
    FROM pg_temp.incoming_credits c CROSS JOIN unnest(c.names) WITH ORDINALITY n(name, place)
    JOIN people p ON p.name = n.name AND p.tmdb_id IS NULL
    ORDER BY c.target, c.job, n.place
"""

SEASONS = """
CREATE TEMP TABLE incoming_seasons ON COMMIT DROP AS
    SELECT i.target, i.is_new, s.season_number,
        coalesce(s.name, o.name, CASE s.season_number WHEN 0 THEN 'Specials'
                                 ELSE 'Season ' || s.season_number END) AS name,
        coalesce(s.episode_count, o.episode_count, 0) AS episode_count,
        coalesce(s.air_date, o.air_date) AS air_date
    FROM {incoming} i CROSS JOIN LATERAL jsonb_to_recordset(i.seasons)
        s(season_number smallint, name text, episode_count bigint, air_date date)
    LEFT JOIN seasons o ON o.tvshow_id = i.target AND o.season_number = s.season_number;
DELETE FROM pg_temp.incoming_seasons s USING seasons o
    WHERE o.tvshow_id = s.target AND o.season_number = s.season_number
    AND (o.name, o.episode_count, o.air_date)
        IS NOT DISTINCT FROM (s.name, s.episode_count, s.air_date);
INSERT INTO seasons (tvshow_id, season_number, name, episode_count, air_date)
    SELECT target, season_number, name, episode_count, air_date
    FROM pg_temp.incoming_seasons ORDER BY target, season_number
    ON CONFLICT (tvshow_id, season_number) DO UPDATE SET
        name = excluded.name, episode_count = excluded.episode_count, air_date = excluded.air_date
"""
NO_SEASONS = "CREATE TEMP TABLE incoming_seasons (target bigint) ON COMMIT DROP"

UPDATE = """
UPDATE {titles} t SET updated_at = now(), ({columns}) = ROW({merged})
    FROM {incoming} i WHERE t.id = i.target AND NOT i.is_new AND (
        ROW({merged}) IS DISTINCT FROM ROW({present})
        OR EXISTS (SELECT FROM pg_temp.incoming_credits c WHERE c.target = t.id)
        OR EXISTS (SELECT FROM pg_temp.incoming_seasons s WHERE s.target = t.id))
"""
CLEAR = "DROP TABLE pg_temp.incoming_credits, pg_temp.incoming_seasons, {incoming}"


@dataclass(frozen=True)
class Merged:
    """What became of the lines of one kind: counts, and the numbers of lines left out, with why."""

    inserted: int
    updated: int
    skipped: Sequence[tuple[int, str]]


def merge(cursor: extensions.cursor, table: Table) -> Merged:
    """Bring the documents of a kind into its table, with people, credits and seasons."""
    names = _names(table)

    def run(*statements: str, **more: Composable) -> int:
        for statement in statements:
            cursor.execute(SQL(statement).format(**names, **more))
        return int(cursor.rowcount)

    def left_out(statement: str, reason: str) -> list[tuple[int, str]]:
        run(statement)
        return [(line, reason) for (line,) in cursor.fetchall()]

    def keep_last(key: str, among: str) -> None:
        run(REPEATED, key=SQL(key), among=SQL(among))

    run(TYPED)
    keep_last("imdb_id", "imdb_id IS NOT NULL")
    keep_last("tmdb_id", "tmdb_id IS NOT NULL")
    keep_last("search_title, year", "num_nonnulls(imdb_id, tmdb_id) = 0")
    run(MATCH)
    skipped = left_out(CONTRADICTORY, "imdb_id and tmdb_id: are not of one title in the catalogue")
    keep_last("target", "target IS NOT NULL")
    run(COMPLETE)
    if table is MOVIES:
        run(RELEASED)
    inserted = run(INSERT)
    skipped += left_out(OVERTAKEN, "was added by somebody else at the same time")
    run(CREDITS, SEASONS if table is TVSHOWS else NO_SEASONS)
    updated = run(UPDATE)
    run(CLEAR)
    return Merged(inserted, updated, skipped)


def _names(table: Table) -> dict[str, Any]:
    """What the statements call things by."""

    def listed(form: str, **more: Any) -> Composable:  # noqa: ANN401 - psycopg2's own words
        return SQL(", ").join(
            SQL(form).format(c=Identifier(column), default=Literal(DEFAULTS.get(column)), **more)
            for column in table.columns
        )

    return {
        "kind": Literal(table.kind),
        "incoming": Identifier("pg_temp", f"incoming_{table.kind}"),
        "titles": Identifier(table.titles),
        "titles_name": Literal(table.titles),
        "owner": Identifier(table.owner),
        "columns": listed("{c}"),
        "values": listed("coalesce(i.{c}, {default})"),
        "merged": listed("coalesce(i.{c}, t.{c})"),
        "present": listed("t.{c}"),
    }
