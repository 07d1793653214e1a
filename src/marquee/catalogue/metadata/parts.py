"""Saving what belongs to a title: companies, collection, people, words, seasons, episodes.

Each by one statement, whose rows go over as one JSON array. What is as it was is not written.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final, Literal

import orjson
from sqlalchemy import TextClause, text

from marquee.catalogue.metadata.columns import LONGEST_OVERVIEW, Columns
from marquee.db import session
from marquee.services.tmdb import TmdbCollection, TmdbCompany, TmdbEpisode, TmdbSeasonHead

Owner = Literal["movie_id", "tvshow_id"]
TITLES: Final = {"movie_id": "movies", "tvshow_id": "tvshows"}

COMPANIES = """
INSERT INTO {table} AS old (name, tmdb_id, logo_path, origin_country)
SELECT name, id, logo_path, origin_country
FROM jsonb_to_recordset(cast(:rows AS jsonb))
  AS said (name text, id bigint, logo_path text, origin_country text) ORDER BY name
ON CONFLICT (name) DO UPDATE SET tmdb_id = excluded.tmdb_id,
  logo_path = coalesce(excluded.logo_path, old.logo_path),
  origin_country = coalesce(excluded.origin_country, old.origin_country)
WHERE (old.tmdb_id, old.logo_path, old.origin_country) IS DISTINCT FROM (excluded.tmdb_id,
  coalesce(excluded.logo_path, old.logo_path),
  coalesce(excluded.origin_country, old.origin_country))
"""
COLLECTION = text("""
WITH said AS (
  INSERT INTO collections AS old (tmdb_collection_id, name, overview, poster_path, backdrop_path)
  VALUES (:id, :name, :overview, :poster_path, :backdrop_path)
  ON CONFLICT (tmdb_collection_id) DO UPDATE SET name = excluded.name,
    overview = coalesce(excluded.overview, old.overview),
    poster_path = coalesce(excluded.poster_path, old.poster_path),
    backdrop_path = coalesce(excluded.backdrop_path, old.backdrop_path)
  WHERE (old.name, old.overview, old.poster_path, old.backdrop_path)
    IS DISTINCT FROM (excluded.name, coalesce(excluded.overview, old.overview),
    coalesce(excluded.poster_path, old.poster_path),
    coalesce(excluded.backdrop_path, old.backdrop_path))
  RETURNING id)
SELECT id FROM said
UNION ALL SELECT id FROM collections WHERE tmdb_collection_id = :id LIMIT 1
""")
"""The id too, whether there was anything to change or not."""
PEOPLE = text("""
INSERT INTO people AS old (tmdb_id, name, profile_path, known_for_department, popularity)
SELECT id, name, profile_path, known_for_department, popularity
FROM jsonb_to_recordset(cast(:rows AS jsonb)) AS said (id bigint, name text, profile_path text,
  known_for_department text, popularity double precision) ORDER BY id
ON CONFLICT (tmdb_id) DO UPDATE SET name = excluded.name,
  profile_path = coalesce(excluded.profile_path, old.profile_path),
  known_for_department = coalesce(excluded.known_for_department, old.known_for_department),
  popularity = coalesce(nullif(excluded.popularity, 0), old.popularity)
WHERE (old.name, old.profile_path, old.known_for_department, old.popularity)
  IS DISTINCT FROM (excluded.name, coalesce(excluded.profile_path, old.profile_path),
    coalesce(excluded.known_for_department, old.known_for_department),
    coalesce(nullif(excluded.popularity, 0), old.popularity))
""")
CREDITS = """
WITH said AS (
  SELECT person.id AS person_id, line.job, line.department, line."character", line.position
  FROM jsonb_to_recordset(cast(:rows AS jsonb)) AS line (person bigint, job text, department text,
    "character" text, position bigint)
  JOIN people AS person ON person.tmdb_id = line.person),
gone AS (
  DELETE FROM credits AS old WHERE old.{owner} = :title_id
  AND (old.job IN (SELECT job FROM said) OR EXISTS (
    SELECT FROM people WHERE people.id = old.person_id AND people.tmdb_id IS NOT NULL))
  AND NOT EXISTS (SELECT FROM said WHERE said.person_id = old.person_id
    AND (said.job, said.department, said."character", said.position)
      IS NOT DISTINCT FROM (old.job, old.department, old."character", old.position))
  RETURNING id),
new AS (
  INSERT INTO credits (person_id, {owner}, job, department, "character", position)
  SELECT person_id, :title_id, job, department, "character", position FROM said
  WHERE NOT EXISTS (SELECT FROM credits AS old WHERE old.{owner} = :title_id
    AND said.person_id = old.person_id
    AND (said.job, said.department, said."character", said.position)
      IS NOT DISTINCT FROM (old.job, old.department, old."character", old.position))
  ORDER BY job, position RETURNING id)
UPDATE {titles} SET updated_at = now()
WHERE id = :title_id AND updated_at < now() AND EXISTS (TABLE gone UNION ALL TABLE new)
"""
"""The title has changed then, too. Of those who are known by name alone, the ones whose jobs TMDB
says nothing of stay.
"""
TRANSLATIONS = """
WITH written AS (
  INSERT INTO translations AS old ({owner}, language, title, overview, tagline)
  SELECT :title_id, language, title, overview, tagline
  FROM jsonb_to_recordset(cast(:rows AS jsonb))
    AS said (language text, title text, overview text, tagline text) ORDER BY language
  ON CONFLICT ({owner}, language) WHERE {owner} IS NOT NULL DO UPDATE SET
    title = coalesce(excluded.title, old.title),
    overview = coalesce(excluded.overview, old.overview),
    tagline = coalesce(excluded.tagline, old.tagline)
  WHERE (old.title, old.overview, old.tagline) IS DISTINCT FROM (
    coalesce(excluded.title, old.title), coalesce(excluded.overview, old.overview),
    coalesce(excluded.tagline, old.tagline))
  RETURNING id)
UPDATE {titles} SET updated_at = now()
WHERE id = :title_id AND updated_at < now() AND EXISTS (TABLE written)
"""
SEASONS = text("""
INSERT INTO seasons AS old (tvshow_id, tmdb_id, season_number, name, overview, poster_path,
  air_date, episode_count, vote_average)
SELECT :tvshow_id, id, season_number, name, nullif(overview, ''), poster_path, air_date,
  episode_count, nullif(vote_average, 0)
FROM jsonb_to_recordset(cast(:rows AS jsonb)) AS said (id bigint, season_number smallint, name text,
  overview text, poster_path text, air_date date, episode_count bigint,
  vote_average double precision) ORDER BY season_number
ON CONFLICT (tvshow_id, season_number) DO UPDATE SET tmdb_id = excluded.tmdb_id,
  name = excluded.name, overview = coalesce(excluded.overview, old.overview),
  poster_path = coalesce(excluded.poster_path, old.poster_path),
  air_date = coalesce(excluded.air_date, old.air_date),
  episode_count = excluded.episode_count,
  vote_average = coalesce(excluded.vote_average, old.vote_average)
WHERE (old.tmdb_id, old.name, old.overview, old.poster_path, old.air_date, old.episode_count,
    old.vote_average)
  IS DISTINCT FROM (excluded.tmdb_id, excluded.name, coalesce(excluded.overview, old.overview),
    coalesce(excluded.poster_path, old.poster_path), coalesce(excluded.air_date, old.air_date),
    excluded.episode_count, coalesce(excluded.vote_average, old.vote_average))
""")
MOVED = text("""
UPDATE episodes SET tmdb_id = NULL
FROM jsonb_to_recordset(cast(:rows AS jsonb)) AS said (id bigint, episode_number smallint)
WHERE episodes.tmdb_id = said.id AND (episodes.tvshow_id, episodes.season_number,
  episodes.episode_number) <> (:tvshow_id, :season_number, said.episode_number)
""")
"""TMDB renumbers episodes at times; each keeps its id there."""
EPISODES = text("""
INSERT INTO episodes AS old (tvshow_id, season_id, season_number, episode_number, tmdb_id, title,
  overview, air_date, runtime_minutes, vote_average, vote_count, still_path, production_code)
SELECT season.tvshow_id, season.id, season.season_number, said.episode_number, said.id, said.title,
  nullif(said.overview, ''), said.air_date, said.runtime_minutes, nullif(said.vote_average, 0),
  said.vote_count, said.still_path, said.production_code
FROM jsonb_to_recordset(cast(:rows AS jsonb)) AS said (id bigint, episode_number smallint,
  title text, overview text, air_date date, runtime_minutes bigint, vote_average double precision,
  vote_count bigint, still_path text, production_code text)
JOIN seasons AS season ON season.tvshow_id = :tvshow_id AND season.season_number = :season_number
ORDER BY said.episode_number
ON CONFLICT (tvshow_id, season_number, episode_number) DO UPDATE SET tmdb_id = excluded.tmdb_id,
  title = excluded.title, overview = coalesce(excluded.overview, old.overview),
  air_date = coalesce(excluded.air_date, old.air_date),
  runtime_minutes = coalesce(excluded.runtime_minutes, old.runtime_minutes),
  vote_average = coalesce(excluded.vote_average, old.vote_average),
  vote_count = coalesce(nullif(excluded.vote_count, 0), old.vote_count),
  still_path = coalesce(excluded.still_path, old.still_path),
  production_code = coalesce(excluded.production_code, old.production_code), updated_at = now()
WHERE (old.tmdb_id, old.title, old.overview, old.air_date, old.runtime_minutes, old.vote_average,
    old.vote_count, old.still_path, old.production_code)
  IS DISTINCT FROM (excluded.tmdb_id, excluded.title, coalesce(excluded.overview, old.overview),
    coalesce(excluded.air_date, old.air_date),
    coalesce(excluded.runtime_minutes, old.runtime_minutes),
    coalesce(excluded.vote_average, old.vote_average),
    coalesce(nullif(excluded.vote_count, 0), old.vote_count),
    coalesce(excluded.still_path, old.still_path),
    coalesce(excluded.production_code, old.production_code))
""")


def save_companies(table: Literal["studios", "networks"], companies: Sequence[TmdbCompany]) -> None:
    """Save studios or networks, which are known by their names."""
    by_name = {company["name"]: company for company in reversed(companies)}
    _save(_of(COMPANIES, table=table), list(by_name.values()))


def save_collection(collection: TmdbCollection, overview: str | None = None) -> int:
    """Save a collection; its id."""
    values = {name: collection[name] for name in ("id", "name", "poster_path", "backdrop_path")}
    values["overview"] = overview[:LONGEST_OVERVIEW] or None if overview else None
    return int(session.execute(COLLECTION, values).scalar_one())


def save_people(people: Sequence[Columns]) -> None:
    """Save people by their TMDB ids."""
    _save(PEOPLE, people)


def save_credits(owner: Owner, title_id: int, credits_: Sequence[Columns]) -> None:
    """Put TMDB's credits in the place of those that a title has."""
    _save(_of(CREDITS, owner=owner, titles=TITLES[owner]), credits_, title_id=title_id)


def save_translations(owner: Owner, title_id: int, translations: Sequence[Columns]) -> None:
    """Save the words of a title in other languages."""
    statement = _of(TRANSLATIONS, owner=owner, titles=TITLES[owner])
    _save(statement, translations, title_id=title_id)


def save_seasons(tvshow_id: int, seasons: Sequence[TmdbSeasonHead]) -> None:
    """Save seasons by their numbers."""
    by_number = {
        season["season_number"]: {
            **{name: value for name, value in season.items() if name != "episodes"},
            "overview": season["overview"][:LONGEST_OVERVIEW],
        }
        for season in seasons
    }
    _save(SEASONS, list(by_number.values()), tvshow_id=tvshow_id)


def save_episodes(tvshow_id: int, season_number: int, episodes: Sequence[TmdbEpisode]) -> None:
    """Save episodes of a season by their numbers."""
    by_number = {
        episode["episode_number"]: {
            **{name: episode[name] for name in EPISODE},  # type: ignore[literal-required]
            "overview": episode["overview"][:LONGEST_OVERVIEW],
        }
        for episode in episodes
    }
    where = {"tvshow_id": tvshow_id, "season_number": season_number}
    _save(MOVED, list(by_number.values()), **where)
    _save(EPISODES, list(by_number.values()), **where)


EPISODE = (
    *("id", "episode_number", "title", "air_date", "runtime_minutes", "vote_average"),
    *("vote_count", "still_path", "production_code"),
)


def _save(statement: TextClause, rows: Sequence[Mapping[str, Any]], **values: int) -> None:
    if rows:
        session.execute(statement, {"rows": orjson.dumps(rows).decode(), **values})


@cache
def _of(statement: str, **names: str) -> TextClause:
    return text(statement.format(**names))
