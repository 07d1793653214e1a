"""The SQL that brings incoming titles into the catalogue: whole sets of them, in one transaction.

The lines stand in a temporary table as JSON. For each kind they become a table with the columns of
its titles, then rows are dropped, matched, and written in the order of `merge`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from psycopg2 import extensions
from psycopg2.sql import SQL, Composable, Identifier, Literal

from marquee.catalogue import title_parts

CREATE_DOCUMENTS = """
DROP TABLE IF EXISTS pg_temp.incoming_documents, pg_temp.incoming_movie, pg_temp.incoming_tvshow;
CREATE TEMP TABLE incoming_documents (kind text, document jsonb) ON COMMIT DROP
"""
COPY_DOCUMENTS = "COPY pg_temp.incoming_documents FROM STDIN"

COMMON = (
    *("imdb_id", "tmdb_id", "title", "original_title", "search_title", "sort_title", "year"),
    *("overview", "tagline", "status", "original_language", "languages", "countries", "genres"),
    *("keywords", "studios", "age_rating", "poster_path", "backdrop_path", "trailer_url"),
    *("homepage", "awards_summary", "vote_average", "vote_count", "popularity"),
    *("external_ratings", "attribution"),
)
DEFAULTS = {
    "languages": "{}",
    "countries": "{}",
    "genres": "{}",
    "keywords": "{}",
    "studios": "{}",
    "networks": "{}",
    "air_days": "{}",
    "total_seasons": "0",
    "total_episodes": "0",
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
    ids: tuple[str, ...]
    """Of elsewhere: what a title is known by, the surest first."""
    columns: tuple[str, ...]


MOVIES = Table(
    kind="movie",
    titles="movies",
    owner="movie_id",
    ids=("imdb_id", "tmdb_id"),
    columns=(*COMMON, "release_date", "runtime_minutes", "collection_id", "revenue_usd"),
)
TVSHOWS = Table(
    kind="tvshow",
    titles="tvshows",
    owner="tvshow_id",
    ids=("imdb_id", "tmdb_id", "tvdb_id"),
    columns=(
        *COMMON,
        *("tvdb_id", "show_type", "first_air_date", "last_air_date", "air_days", "networks"),
        *("episode_runtime_minutes", "total_seasons", "total_episodes"),
    ),
)

TYPED = """
CREATE TEMP TABLE {incoming} ON COMMIT DROP AS
    SELECT null::bigint AS line, null::bigint AS target, null::boolean AS is_new,
           null::text[] AS directors, null::text[] AS writers, null::text[] AS creators,
           null::text[] AS cast_members, null::text[] AS cinematographers,
           null::text[] AS composers, null::text[] AS editors, null::text AS collection,
           null::jsonb AS translations, null::jsonb AS seasons, {columns}
    FROM {titles} WITH NO DATA;
INSERT INTO {incoming} SELECT typed.*
    FROM pg_temp.incoming_documents, jsonb_populate_record(null::{incoming}, document) typed
    WHERE kind = {kind};
ANALYZE {incoming} ({ids_here}, search_title, sort_title, year)
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
UPDATE {incoming} i SET is_new = false, target = coalesce({by_ids},
    CASE WHEN num_nonnulls({ids}) = 0 THEN (
        SELECT id FROM {titles} t
        WHERE t.sort_title IN (i.search_title, regexp_replace(i.search_title, '^[^ ]* ', ''))
        AND t.search_title = i.search_title AND t.year IS NOT DISTINCT FROM i.year
        ORDER BY num_nonnulls({ids_there}), id LIMIT 1
    ) END)
"""
BY_ID = "(SELECT id FROM {titles} t WHERE t.{c} = i.{c})"

CONTRADICTORY = """
DELETE FROM {incoming} i USING {titles} t WHERE t.id = i.target AND ({contradictions})
    RETURNING i.line
"""
CONTRADICTION = """
t.{c} <> i.{c} OR EXISTS (SELECT FROM {titles} o WHERE o.{c} = i.{c} AND o.id <> t.id)
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

UPDATE = """
UPDATE {titles} t SET updated_at = now(), ({columns}) = ROW({merged})
    FROM {incoming} i WHERE t.id = i.target AND NOT i.is_new AND (
        ROW({merged}) IS DISTINCT FROM ROW({present}) OR t.id IN ({touched}))
"""
TOUCHED = "SELECT target FROM pg_temp.{c}"
CLEAR = "DROP TABLE {temporary}, {incoming}"
OTHERS = "are not of one title in the catalogue"


@dataclass(frozen=True)
class Merged:
    """What became of the lines of one kind: counts, and the numbers of lines left out, with why."""

    inserted: int
    updated: int
    skipped: Sequence[tuple[int, str]]


def merge(cursor: extensions.cursor, table: Table) -> Merged:
    """Bring the documents of a kind into its table, with all that belongs to them."""
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
    for column in table.ids:
        keep_last(column, f"{column} IS NOT NULL")
    keep_last("search_title, year", f"num_nonnulls({', '.join(table.ids)}) = 0")
    run(MATCH)
    skipped = left_out(CONTRADICTORY, f"{' and '.join(table.ids)}: {OTHERS}")
    keep_last("target", "target IS NOT NULL")
    run(COMPLETE)
    run(*((RELEASED, title_parts.COLLECTIONS) if table is MOVIES else (title_parts.COUNTED,)))
    inserted = run(INSERT)
    skipped += left_out(OVERTAKEN, "was added by somebody else at the same time")
    parts = title_parts.OF_ALL | (title_parts.OF_TVSHOWS if table is TVSHOWS else {})
    run(*parts.values())
    updated = run(UPDATE, touched=_joined(" UNION ALL ", TOUCHED, parts))
    run(CLEAR, temporary=_joined(", ", "pg_temp.{c}", parts))
    return Merged(inserted, updated, skipped)


def _names(table: Table) -> dict[str, Composable]:
    """What the statements call things by."""
    titles, columns = Identifier(table.titles), table.columns
    values = (
        SQL("coalesce(i.{}, {})").format(Identifier(c), Literal(DEFAULTS.get(c))) for c in columns
    )
    return {
        "kind": Literal(table.kind),
        "incoming": Identifier("pg_temp", f"incoming_{table.kind}"),
        "titles": titles,
        "titles_name": Literal(table.titles),
        "owner": Identifier(table.owner),
        "ids_here": _joined(", ", "{c}", table.ids),
        "ids": _joined(", ", "i.{c}", table.ids),
        "ids_there": _joined(", ", "t.{c}", table.ids),
        "by_ids": _joined(", ", BY_ID, table.ids, titles=titles),
        "contradictions": _joined(" OR ", CONTRADICTION, table.ids, titles=titles),
        "columns": _joined(", ", "{c}", columns),
        "values": SQL(", ").join(values),
        "merged": _joined(", ", "coalesce(i.{c}, t.{c})", columns),
        "present": _joined(", ", "t.{c}", columns),
    }


def _joined(by: str, form: str, names: Iterable[str], **more: Composable) -> Composable:
    """The form with each name in the place of `c`."""
    return SQL(by).join(SQL(form).format(c=Identifier(name), **more) for name in names)
