"""The SQL for what belongs to incoming titles: collections, people, translations, episodes.

Each part leaves a temporary table with the `target` of every title of which it changed something.
"""

from marquee.catalogue.title_lines import MAX_NUMBERED

# A film stays in a collection of TMDB's that has the name.
COLLECTIONS = """
INSERT INTO collections (name)
    SELECT DISTINCT collection FROM {incoming} i WHERE collection IS NOT NULL
    AND NOT EXISTS (SELECT FROM collections c WHERE c.name = i.collection)
    ORDER BY collection ON CONFLICT DO NOTHING;
UPDATE {incoming} i SET collection_id = c.id
    FROM (SELECT DISTINCT ON (name) name, id FROM collections
          ORDER BY name, tmdb_collection_id NULLS FIRST) c
    WHERE c.name = i.collection AND NOT EXISTS (
        SELECT FROM {titles} t JOIN collections p ON p.id = t.collection_id
        WHERE t.id = i.target AND p.name = i.collection)
"""

# What the trigger on seasons would count: so it has nothing to change in new titles.
COUNTED = """
UPDATE {incoming} i SET (total_seasons, total_episodes) = (
        SELECT count(*), sum(coalesce(s.episode_count, jsonb_array_length(s.episodes), 0))
        FROM jsonb_to_recordset(i.seasons)
            s(season_number smallint, episode_count bigint, episodes jsonb)
        WHERE s.season_number > 0)
    WHERE is_new AND seasons IS NOT NULL
"""

# Jobs of which the line gives names, and other names than the catalogue has.
CREDITS = """
CREATE TEMP TABLE incoming_credits ON COMMIT DROP AS
    SELECT i.target, i.is_new, c.job, c.names
    FROM {incoming} i CROSS JOIN LATERAL (VALUES
        ('director', i.directors), ('writer', i.writers), ('creator', i.creators),
        ('actor', i.cast_members), ('cinematographer', i.cinematographers),
        ('composer', i.composers), ('editor', i.editors)) c(job, names)
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

TRANSLATIONS = """
CREATE TEMP TABLE incoming_translations ON COMMIT DROP AS
    SELECT i.target, l.language, w.title, w.overview, w.tagline
    FROM {incoming} i CROSS JOIN LATERAL jsonb_each(i.translations) l(language, said)
    CROSS JOIN LATERAL jsonb_to_record(l.said) s(title text, overview text, tagline text)
    LEFT JOIN translations o ON o.{owner} = i.target AND o.language = l.language
    CROSS JOIN LATERAL (SELECT coalesce(s.title, o.title), coalesce(s.overview, o.overview),
                               coalesce(s.tagline, o.tagline)) w(title, overview, tagline)
    WHERE o.id IS NULL OR w IS DISTINCT FROM ROW(o.title, o.overview, o.tagline);
INSERT INTO translations ({owner}, language, title, overview, tagline)
    SELECT target, language, title, overview, tagline
    FROM pg_temp.incoming_translations ORDER BY target, language
    ON CONFLICT ({owner}, language) WHERE {owner} IS NOT NULL DO UPDATE SET
        title = excluded.title, overview = excluded.overview, tagline = excluded.tagline
"""

SEASONS = """
CREATE TEMP TABLE incoming_seasons ON COMMIT DROP AS
    SELECT i.target, s.season_number, w.*, s.episodes, s.episode_count AS said,
        w IS DISTINCT FROM ROW(o.name, o.overview, o.episode_count, o.air_date) AS is_changed
    FROM {incoming} i CROSS JOIN LATERAL jsonb_to_recordset(i.seasons) s(season_number smallint,
        name text, overview text, episode_count bigint, air_date date, episodes jsonb)
    LEFT JOIN seasons o ON o.tvshow_id = i.target AND o.season_number = s.season_number
    CROSS JOIN LATERAL (SELECT
        coalesce(s.name, o.name, CASE s.season_number WHEN 0 THEN 'Specials'
                                 ELSE 'Season ' || s.season_number END),
        coalesce(s.overview, o.overview),
        coalesce(s.episode_count, greatest(o.episode_count, jsonb_array_length(s.episodes)), 0),
        coalesce(s.air_date, o.air_date)) w(name, overview, episode_count, air_date);
ANALYZE pg_temp.incoming_seasons;
INSERT INTO seasons (tvshow_id, season_number, name, overview, episode_count, air_date)
    SELECT target, season_number, name, overview, episode_count, air_date
    FROM pg_temp.incoming_seasons WHERE is_changed ORDER BY target, season_number
    ON CONFLICT (tvshow_id, season_number) DO UPDATE SET
        name = excluded.name, overview = excluded.overview,
        episode_count = excluded.episode_count, air_date = excluded.air_date
"""

# A season is filled up to its number of episodes, unless some have greater numbers: then they are
# not counted from 1.
EPISODES = f"""
CREATE TEMP TABLE incoming_episodes ON COMMIT DROP AS
    WITH season AS (
        SELECT s.target, o.id AS season_id, s.season_number, s.said, s.episodes
        FROM pg_temp.incoming_seasons s
        JOIN seasons o ON o.tvshow_id = s.target AND o.season_number = s.season_number),
    said AS (
        SELECT target, season_id, season_number, e.*
        FROM season CROSS JOIN LATERAL jsonb_to_recordset(episodes)
            e(episode_number smallint, title text, overview text, air_date date,
              runtime_minutes bigint, imdb_id text, tvdb_id bigint)),
    counted AS (
        SELECT target, season_id, season_number, n::smallint AS episode_number
        FROM (SELECT * FROM season s WHERE said >= greatest(0,
                  (SELECT max(episode_number) FROM episodes k WHERE k.season_id = s.season_id),
                  (SELECT max((e ->> 'episode_number')::bigint)
                   FROM jsonb_array_elements(s.episodes) e))) f,
             generate_series(1, least(said, {MAX_NUMBERED})) n),
    every AS (
        SELECT * FROM said
        UNION ALL
        SELECT c.*, null, null, null, null, null, null FROM counted c
        WHERE NOT EXISTS (SELECT FROM said s WHERE (s.season_id, s.episode_number)
                          = (c.season_id, c.episode_number)))
    SELECT e.target, e.season_id, e.season_number, e.episode_number, w.*
    FROM every e LEFT JOIN episodes o ON (o.tvshow_id, o.season_number, o.episode_number)
        = (e.target, e.season_number, e.episode_number)
    CROSS JOIN LATERAL (SELECT
        coalesce(e.title, o.title, 'Episode ' || e.episode_number),
        coalesce(e.overview, o.overview), coalesce(e.air_date, o.air_date),
        coalesce(e.runtime_minutes, o.runtime_minutes), coalesce(e.imdb_id, o.imdb_id),
        coalesce(e.tvdb_id, o.tvdb_id)) w(title, overview, air_date, runtime_minutes, imdb_id,
                                          tvdb_id)
    WHERE o.id IS NULL OR w IS DISTINCT FROM
        ROW(o.title, o.overview, o.air_date, o.runtime_minutes, o.imdb_id, o.tvdb_id);
INSERT INTO episodes (tvshow_id, season_id, season_number, episode_number, title, overview,
                      air_date, runtime_minutes, imdb_id, tvdb_id)
    SELECT * FROM pg_temp.incoming_episodes ORDER BY target, season_number, episode_number
    ON CONFLICT (tvshow_id, season_number, episode_number) DO UPDATE SET
        title = excluded.title, overview = excluded.overview, air_date = excluded.air_date,
        runtime_minutes = excluded.runtime_minutes, imdb_id = excluded.imdb_id,
        tvdb_id = excluded.tvdb_id, updated_at = now();
DELETE FROM pg_temp.incoming_seasons WHERE NOT is_changed
"""  # noqa: S608 - the number is ours

OF_ALL = {"incoming_credits": CREDITS, "incoming_translations": TRANSLATIONS}
OF_TVSHOWS = {"incoming_seasons": SEASONS, "incoming_episodes": EPISODES}
"""The statements, by the temporary table that each leaves."""
