"""The catalogue: episodes, collections, genres, companies, files, vectors; what follows changes.

Revision: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op
from pgvector.sqlalchemy import HALFVEC
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

GUEST = (
    "tvshows:list",
    "tvshows:get",
    "collections:get",
    "people:get",
    "genres:list",
    "search:list",
)
USER = (*GUEST, "metadata:list", "metadata:get")
GAINED = {
    "guest": GUEST,
    "user": USER,
    "moderator": (*USER, "movies:update", "tvshows:update"),
}

NAMES = """
CREATE FUNCTION marquee_slug(name text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(nullif(trim(BOTH '-' FROM
    regexp_replace(lower(name), '[^[:alnum:]]+', '-', 'g')), ''), name)
$$;
CREATE FUNCTION marquee_name_titles() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE other_names boolean;
BEGIN
  IF TG_OP = 'UPDATE' THEN
    other_names := EXISTS (
      SELECT id, genres, studios FROM changed EXCEPT SELECT id, genres, studios FROM former);
    IF NOT other_names AND TG_ARGV[0] = 'tvshow' THEN
      other_names := EXISTS (
        SELECT id, networks FROM changed EXCEPT SELECT id, networks FROM former);
    END IF;
    IF NOT other_names THEN
      RETURN NULL;
    END IF;
    INSERT INTO genre_tallies (kind, genre, titles)
      SELECT TG_ARGV[0], genre, sum(titles)
      FROM (SELECT unnest(genres) AS genre, 1 AS titles FROM changed
            UNION ALL SELECT unnest(genres), -1 FROM former) AS both_
      GROUP BY genre HAVING sum(titles) <> 0;
  ELSE
    INSERT INTO genre_tallies (kind, genre, titles)
      SELECT TG_ARGV[0], genre, CASE TG_OP WHEN 'INSERT' THEN count(*) ELSE -count(*) END
      FROM changed, unnest(genres) AS genre GROUP BY genre;
  END IF;
  IF random() < 0.01 THEN
    WITH gone AS (
      DELETE FROM genre_tallies
      WHERE id IN (SELECT id FROM genre_tallies FOR UPDATE SKIP LOCKED)
      RETURNING kind, genre, titles)
    INSERT INTO genre_tallies (kind, genre, titles)
      SELECT kind, genre, sum(titles) FROM gone GROUP BY kind, genre HAVING sum(titles) <> 0;
  END IF;
  IF TG_OP = 'DELETE' THEN
    RETURN NULL;
  END IF;
  INSERT INTO genres (name, slug)
    SELECT name, marquee_slug(name) FROM (SELECT DISTINCT unnest(genres) AS name FROM changed) AS named
    WHERE NOT EXISTS (SELECT FROM genres known WHERE known.name = named.name)
    ORDER BY name ON CONFLICT DO NOTHING;
  INSERT INTO studios (name)
    SELECT name FROM (SELECT DISTINCT unnest(studios) AS name FROM changed) AS named
    WHERE NOT EXISTS (SELECT FROM studios known WHERE known.name = named.name)
    ORDER BY name ON CONFLICT DO NOTHING;
  IF TG_ARGV[0] = 'tvshow' THEN
    INSERT INTO networks (name)
      SELECT name FROM (SELECT DISTINCT unnest(networks) AS name FROM changed) AS named
      WHERE NOT EXISTS (SELECT FROM networks known WHERE known.name = named.name)
      ORDER BY name ON CONFLICT DO NOTHING;
  END IF;
  RETURN NULL;
END $$;
CREATE FUNCTION marquee_note_titles() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM changed) THEN
    RETURN NULL;
  END IF;
  INSERT INTO title_changes (kind, changed_id) SELECT TG_ARGV[0], id FROM changed;
  PERFORM pg_notify('marquee_titles', '');
  RETURN NULL;
END $$;
"""
"""What titles name has a row of its own, whoever wrote the title; titles are counted by genre; and
who follows the catalogue hears that it has changed. Tallies are added to and only now and then
summed up, by whoever gets hold of them: so nobody waits for another's transaction. Plans of these
statements are made once for few rows: none may be bad for many, as a join of the two states is.
"""
NAME = """
CREATE TRIGGER name_{event} AFTER {event} ON {table} REFERENCING {states}
  FOR EACH STATEMENT EXECUTE FUNCTION marquee_name_titles('{kind}')
"""
NAME_EVENTS = {
    "INSERT": "NEW TABLE AS changed",
    "UPDATE": "NEW TABLE AS changed OLD TABLE AS former",
    "DELETE": "OLD TABLE AS changed",
}
PARTS = """
CREATE FUNCTION marquee_note_titles_of() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM changed) THEN
    RETURN NULL;
  END IF;
  INSERT INTO title_changes (kind, changed_id)
    SELECT DISTINCT 'movie', movie_id FROM changed WHERE movie_id IS NOT NULL;
  IF TG_TABLE_NAME <> 'media_files' THEN
    INSERT INTO title_changes (kind, changed_id)
      SELECT DISTINCT 'tvshow', tvshow_id FROM changed WHERE tvshow_id IS NOT NULL;
  END IF;
  PERFORM pg_notify('marquee_titles', '');
  RETURN NULL;
END $$;
"""
"""A title has changed when what hangs on it has; a series' files are not followed by anybody."""
NOTE_PART = """
CREATE TRIGGER note_{event}_{state} AFTER {event} ON {table} REFERENCING {state} TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION marquee_note_titles_of()
"""
PART_EVENTS = (("INSERT", "NEW"), ("UPDATE", "NEW"), ("UPDATE", "OLD"), ("DELETE", "OLD"))
FOLLOWED = {"movies": "movie", "tvshows": "tvshow", "people": "person", "collections": "collection"}
EVENTS = {"INSERT": "NEW", "UPDATE": "NEW", "DELETE": "OLD"}
NOTE = """
CREATE TRIGGER note_{event} AFTER {event} ON {table} REFERENCING {state} TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION marquee_note_titles('{kind}')
"""

COUNTS = """
CREATE FUNCTION marquee_count_seasons() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM tvshows WHERE id IN (SELECT tvshow_id FROM changed)
    ORDER BY id FOR NO KEY UPDATE;
  UPDATE tvshows SET total_seasons = counted.seasons, total_episodes = counted.episodes
    FROM (SELECT shows.tvshow_id, count(season.id) AS seasons,
                 coalesce(sum(season.episode_count), 0) AS episodes
          FROM (SELECT DISTINCT tvshow_id FROM changed) AS shows
          LEFT JOIN seasons AS season
            ON season.tvshow_id = shows.tvshow_id AND season.season_number > 0
          GROUP BY shows.tvshow_id) AS counted
    WHERE tvshows.id = counted.tvshow_id
      AND (total_seasons, total_episodes) IS DISTINCT FROM (counted.seasons, counted.episodes);
  RETURN NULL;
END $$;
"""
"""Series are locked before their seasons are counted: of two that write seasons of one, the second
counts the first's too; and in order, so that none waits for the other.
"""
COUNT = """
CREATE TRIGGER count_{event} AFTER {event} ON seasons REFERENCING {state} TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION marquee_count_seasons()
"""
FILL = """
INSERT INTO genres (name, slug)
  SELECT name, marquee_slug(name) FROM (
    SELECT unnest(genres) AS name FROM movies UNION SELECT unnest(genres) FROM tvshows) AS named
  ORDER BY name;
INSERT INTO genre_tallies (kind, genre, titles)
  SELECT 'movie', genre, count(*) FROM movies, unnest(genres) AS genre GROUP BY genre
  UNION ALL
  SELECT 'tvshow', genre, count(*) FROM tvshows, unnest(genres) AS genre GROUP BY genre;
INSERT INTO networks (name) SELECT DISTINCT name FROM tvshows, unnest(networks) AS name ORDER BY name;
INSERT INTO episodes (tvshow_id, season_id, season_number, episode_number, title)
  SELECT tvshow_id, id, season_number, number, 'Episode ' || number
  FROM seasons, generate_series(1, least(episode_count, 2000)) AS number
  ORDER BY id, number;
"""
"""From the titles that are there already; what takes long comes before tables are locked against
readers.
"""
ALTERATIONS = (
    "ALTER TABLE credits ADD COLUMN department text",
    "ALTER TABLE job_runs ADD COLUMN arguments jsonb NOT NULL DEFAULT '{}'",
    """
ALTER TABLE people
  ADD COLUMN imdb_id text,
  ADD COLUMN biography text,
  ADD COLUMN birthday date,
  ADD COLUMN deathday date,
  ADD COLUMN place_of_birth text,
  ADD COLUMN known_for_department text,
  ADD COLUMN popularity double precision NOT NULL DEFAULT 0,
  ADD COLUMN metadata_updated_at timestamptz
""",
    "ALTER TABLE seasons ADD COLUMN tmdb_id bigint, ADD COLUMN vote_average double precision",
    """
ALTER TABLE movies
  ADD COLUMN collection_id bigint CONSTRAINT movies_collection_id_fkey
    REFERENCES collections ON DELETE SET NULL,
  ADD COLUMN keywords text[] NOT NULL DEFAULT '{}',
  ADD COLUMN studios text[] NOT NULL DEFAULT '{}',
  ADD COLUMN homepage text,
  ADD COLUMN awards_summary text,
  ADD COLUMN rt_score smallint GENERATED ALWAYS AS (round((jsonb_path_query_first(external_ratings,
    '$[*] ? (@.source == "rotten_tomatoes").score'))::numeric * 10)::smallint) STORED,
  ADD COLUMN metacritic_score smallint GENERATED ALWAYS AS (round((jsonb_path_query_first(external_ratings,
    '$[*] ? (@.source == "metacritic").score'))::numeric * 10)::smallint) STORED,
  ADD COLUMN images jsonb NOT NULL DEFAULT '[]',
  ADD COLUMN watch_providers jsonb NOT NULL DEFAULT '[]',
  ADD COLUMN external_ids jsonb NOT NULL DEFAULT '{}'
""",
    """
ALTER TABLE tvshows
  ADD COLUMN title_words tsvector NOT NULL
    GENERATED ALWAYS AS (to_tsvector('simple', search_title)) STORED,
  ADD COLUMN tvdb_id bigint CONSTRAINT tvshows_tvdb_id_key UNIQUE,
  ADD COLUMN show_type text,
  ADD COLUMN air_days text[] NOT NULL DEFAULT '{}',
  ADD COLUMN total_seasons smallint NOT NULL DEFAULT 0,
  ADD COLUMN total_episodes bigint NOT NULL DEFAULT 0,
  ADD COLUMN keywords text[] NOT NULL DEFAULT '{}',
  ADD COLUMN studios text[] NOT NULL DEFAULT '{}',
  ADD COLUMN trailer_url text,
  ADD COLUMN homepage text,
  ADD COLUMN awards_summary text,
  ADD COLUMN rt_score smallint GENERATED ALWAYS AS (round((jsonb_path_query_first(external_ratings,
    '$[*] ? (@.source == "rotten_tomatoes").score'))::numeric * 10)::smallint) STORED,
  ADD COLUMN metacritic_score smallint GENERATED ALWAYS AS (round((jsonb_path_query_first(external_ratings,
    '$[*] ? (@.source == "metacritic").score'))::numeric * 10)::smallint) STORED,
  ADD COLUMN images jsonb NOT NULL DEFAULT '[]',
  ADD COLUMN watch_providers jsonb NOT NULL DEFAULT '[]',
  ADD COLUMN external_ids jsonb NOT NULL DEFAULT '{}'
""",
    """
UPDATE tvshows SET total_seasons = counted.seasons, total_episodes = counted.episodes
  FROM (SELECT tvshow_id, count(*) AS seasons, sum(episode_count) AS episodes
        FROM seasons WHERE season_number > 0 GROUP BY tvshow_id) AS counted
  WHERE tvshows.id = counted.tvshow_id
""",
)
"""Each rewrites its table once at the most."""
DROP = """
DROP FUNCTION marquee_count_seasons() CASCADE;
DROP FUNCTION marquee_note_titles_of() CASCADE;
DROP FUNCTION marquee_note_titles() CASCADE;
DROP FUNCTION marquee_name_titles() CASCADE;
DROP FUNCTION marquee_slug(text);
DROP SEQUENCE search_generation;
"""


def change_roles(statement: str) -> None:
    for role, permissions in GAINED.items():
        for permission in permissions:
            op.execute(sa.text(statement).bindparams(role=role, permission=permission))


def upgrade() -> None:
    op.create_table(
        "collections",
        sa.Column("tmdb_collection_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("overview", sa.Text(), nullable=True),
        sa.Column("poster_path", sa.Text(), nullable=True),
        sa.Column("backdrop_path", sa.Text(), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("collections_pkey")),
        sa.UniqueConstraint("tmdb_collection_id", name=op.f("collections_tmdb_collection_id_key")),
    )
    op.create_index(
        "collections_name_alone_key",
        "collections",
        ["name"],
        unique=True,
        postgresql_where=sa.text("tmdb_collection_id IS NULL"),
    )
    op.create_table(
        "genres",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("genres_pkey")),
        sa.UniqueConstraint("name", name=op.f("genres_name_key")),
    )
    op.create_table(
        "genre_tallies",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("genre", sa.Text(), nullable=False),
        sa.Column("titles", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("genre_tallies_pkey")),
    )
    op.create_table(
        "kept_images",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column(
            "fetched_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "used_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("kept_images_pkey")),
        sa.UniqueConstraint("source", name=op.f("kept_images_source_key")),
    )
    op.create_index(op.f("ix_kept_images_digest"), "kept_images", ["digest"], unique=False)
    op.create_index(op.f("ix_kept_images_used_at"), "kept_images", ["used_at"], unique=False)
    op.create_table(
        "networks",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("tmdb_id", sa.BigInteger(), nullable=True),
        sa.Column("logo_path", sa.Text(), nullable=True),
        sa.Column("origin_country", sa.Text(), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("networks_pkey")),
        sa.UniqueConstraint("name", name=op.f("networks_name_key")),
    )
    op.create_table(
        "search_indexes",
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("generation", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("attempted", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("documents", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("building", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column(
            "seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("search_indexes_pkey")),
        sa.UniqueConstraint("place", name=op.f("search_indexes_place_key")),
    )
    op.create_table(
        "studios",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("tmdb_id", sa.BigInteger(), nullable=True),
        sa.Column("logo_path", sa.Text(), nullable=True),
        sa.Column("origin_country", sa.Text(), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("studios_pkey")),
        sa.UniqueConstraint("name", name=op.f("studios_name_key")),
    )
    op.create_table(
        "title_changes",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("changed_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "transaction_id",
            sa.BigInteger(),
            server_default=sa.text("(pg_current_xact_id()::text)::bigint"),
            nullable=False,
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("title_changes_pkey")),
    )
    op.create_index(
        op.f("ix_title_changes_created_at"), "title_changes", ["created_at"], unique=False
    )
    op.create_index(
        "title_changes_transaction_idx", "title_changes", ["transaction_id"], unique=False
    )
    op.create_table(
        "embeddings",
        sa.Column("movie_id", sa.BigInteger(), nullable=True),
        sa.Column("tvshow_id", sa.BigInteger(), nullable=True),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("vector", HALFVEC(), nullable=False),
        sa.Column("passages", sa.LargeBinary(), server_default="", nullable=False),
        sa.Column(
            "embedded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "num_nonnulls(movie_id, tvshow_id) = 1", name=op.f("embeddings_one_title_check")
        ),
        sa.ForeignKeyConstraint(
            ["movie_id"], ["movies.id"], name=op.f("embeddings_movie_id_fkey"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["tvshow_id"],
            ["tvshows.id"],
            name=op.f("embeddings_tvshow_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("embeddings_pkey")),
    )
    op.create_index(
        "embeddings_movie_key",
        "embeddings",
        ["movie_id", "model"],
        unique=True,
        postgresql_where=sa.text("movie_id IS NOT NULL"),
    )
    op.create_index(
        "embeddings_tvshow_key",
        "embeddings",
        ["tvshow_id", "model"],
        unique=True,
        postgresql_where=sa.text("tvshow_id IS NOT NULL"),
    )
    op.create_table(
        "episodes",
        sa.Column("tvshow_id", sa.BigInteger(), nullable=False),
        sa.Column("season_id", sa.BigInteger(), nullable=False),
        sa.Column("season_number", sa.SmallInteger(), nullable=False),
        sa.Column("episode_number", sa.SmallInteger(), nullable=False),
        sa.Column("tmdb_id", sa.BigInteger(), nullable=True),
        sa.Column("tvdb_id", sa.BigInteger(), nullable=True),
        sa.Column("imdb_id", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("overview", sa.Text(), nullable=True),
        sa.Column("air_date", sa.Date(), nullable=True),
        sa.Column("runtime_minutes", sa.BigInteger(), nullable=True),
        sa.Column("vote_average", sa.Double(), nullable=True),
        sa.Column("vote_count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("still_path", sa.Text(), nullable=True),
        sa.Column("production_code", sa.Text(), nullable=True),
        sa.Column(
            "added_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["season_id"], ["seasons.id"], name=op.f("episodes_season_id_fkey"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["tvshow_id"], ["tvshows.id"], name=op.f("episodes_tvshow_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("episodes_pkey")),
        sa.UniqueConstraint("tmdb_id", name=op.f("episodes_tmdb_id_key")),
    )
    op.create_table(
        "translations",
        sa.Column("movie_id", sa.BigInteger(), nullable=True),
        sa.Column("tvshow_id", sa.BigInteger(), nullable=True),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("overview", sa.Text(), nullable=True),
        sa.Column("tagline", sa.Text(), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "num_nonnulls(movie_id, tvshow_id) = 1", name=op.f("translations_one_title_check")
        ),
        sa.ForeignKeyConstraint(
            ["movie_id"], ["movies.id"], name=op.f("translations_movie_id_fkey"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["tvshow_id"],
            ["tvshows.id"],
            name=op.f("translations_tvshow_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("translations_pkey")),
    )
    op.create_index(
        "translations_movie_key",
        "translations",
        ["movie_id", "language"],
        unique=True,
        postgresql_where=sa.text("movie_id IS NOT NULL"),
    )
    op.create_index(
        "translations_tvshow_key",
        "translations",
        ["tvshow_id", "language"],
        unique=True,
        postgresql_where=sa.text("tvshow_id IS NOT NULL"),
    )
    op.create_table(
        "media_files",
        sa.Column("movie_id", sa.BigInteger(), nullable=True),
        sa.Column("episode_id", sa.BigInteger(), nullable=True),
        sa.Column("file_path", sa.Text(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("file_size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("resolution", sa.Text(), nullable=True),
        sa.Column("quality_profile", sa.Text(), nullable=True),
        sa.Column("video_codec", sa.Text(), nullable=True),
        sa.Column("audio_codec", sa.Text(), nullable=True),
        sa.Column("container", sa.Text(), nullable=True),
        sa.Column("duration_seconds", sa.BigInteger(), nullable=True),
        sa.Column("bitrate_kbps", sa.BigInteger(), nullable=True),
        sa.Column("framerate", sa.Double(), nullable=True),
        sa.Column("dynamic_range", sa.Text(), nullable=True),
        sa.Column("color_space", sa.Text(), nullable=True),
        sa.Column("audio_channels", sa.Text(), nullable=True),
        sa.Column(
            "audio_languages", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False
        ),
        sa.Column(
            "subtitle_languages", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False
        ),
        sa.Column("radarr_file_id", sa.BigInteger(), nullable=True),
        sa.Column("sonarr_file_id", sa.BigInteger(), nullable=True),
        sa.Column("is_monitored", sa.Boolean(), nullable=True),
        sa.Column("last_scanned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "num_nonnulls(movie_id, episode_id) = 1", name=op.f("media_files_one_owner_check")
        ),
        sa.ForeignKeyConstraint(
            ["episode_id"],
            ["episodes.id"],
            name=op.f("media_files_episode_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["movie_id"], ["movies.id"], name=op.f("media_files_movie_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("media_files_pkey")),
        sa.UniqueConstraint("file_path", name=op.f("media_files_file_path_key")),
    )
    op.create_index(
        "media_files_episode_idx",
        "media_files",
        ["episode_id"],
        unique=False,
        postgresql_where=sa.text("episode_id IS NOT NULL"),
    )
    op.create_index(
        "media_files_movie_idx",
        "media_files",
        ["movie_id", "resolution"],
        unique=False,
        postgresql_where=sa.text("movie_id IS NOT NULL"),
    )
    op.execute(NAMES)
    op.execute(FILL)
    op.create_index("episodes_added_idx", "episodes", ["added_at", "id"], unique=False)
    op.create_index("episodes_air_date_idx", "episodes", ["air_date", "id"], unique=False)
    op.create_index(
        "episodes_season_idx",
        "episodes",
        ["season_id", "episode_number"],
        unique=False,
        postgresql_include=["id"],
    )
    op.create_index(
        "episodes_tvshow_id_season_number_episode_number_key",
        "episodes",
        ["tvshow_id", "season_number", "episode_number"],
        unique=True,
        postgresql_include=["id"],
    )
    for alteration in ALTERATIONS:
        op.execute(alteration)
    op.create_index(op.f("ix_movies_collection_id"), "movies", ["collection_id"], unique=False)
    op.create_index("movies_metacritic_asc_idx", "movies", ["metacritic_score", "id"], unique=False)
    op.create_index(
        "movies_metacritic_idx",
        "movies",
        [sa.literal_column("metacritic_score DESC NULLS LAST"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index("movies_release_date_asc_idx", "movies", ["release_date", "id"], unique=False)
    op.create_index(
        "movies_release_date_idx",
        "movies",
        [sa.literal_column("release_date DESC NULLS LAST"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index("movies_rt_score_asc_idx", "movies", ["rt_score", "id"], unique=False)
    op.create_index(
        "movies_rt_score_idx",
        "movies",
        [sa.literal_column("rt_score DESC NULLS LAST"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index("movies_runtime_asc_idx", "movies", ["runtime_minutes", "id"], unique=False)
    op.create_index(
        "movies_runtime_idx",
        "movies",
        [sa.literal_column("runtime_minutes DESC NULLS LAST"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        "tvshows_added_idx",
        "tvshows",
        [sa.literal_column("added_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index("tvshows_aired_asc_idx", "tvshows", ["first_air_date", "id"], unique=False)
    op.create_index(
        "tvshows_aired_idx",
        "tvshows",
        [sa.literal_column("first_air_date DESC NULLS LAST"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        "tvshows_metacritic_asc_idx", "tvshows", ["metacritic_score", "id"], unique=False
    )
    op.create_index(
        "tvshows_metacritic_idx",
        "tvshows",
        [sa.literal_column("metacritic_score DESC NULLS LAST"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        "tvshows_networks_idx", "tvshows", ["networks"], unique=False, postgresql_using="gin"
    )
    op.create_index("tvshows_rating_asc_idx", "tvshows", ["vote_average", "id"], unique=False)
    op.create_index(
        "tvshows_rating_idx",
        "tvshows",
        [sa.literal_column("vote_average DESC NULLS LAST"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index("tvshows_rt_score_asc_idx", "tvshows", ["rt_score", "id"], unique=False)
    op.create_index(
        "tvshows_rt_score_idx",
        "tvshows",
        [sa.literal_column("rt_score DESC NULLS LAST"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        "tvshows_seasons_idx",
        "tvshows",
        [sa.literal_column("total_seasons DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        "tvshows_title_words_idx", "tvshows", ["title_words"], unique=False, postgresql_using="gin"
    )
    op.create_index("tvshows_year_asc_idx", "tvshows", ["year", "id"], unique=False)
    op.create_index(
        "tvshows_year_idx",
        "tvshows",
        [sa.literal_column("year DESC NULLS LAST"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.execute("CREATE SEQUENCE search_generation")
    op.execute(COUNTS)
    for event, states in NAME_EVENTS.items():
        for table, kind in (("movies", "movie"), ("tvshows", "tvshow")):
            op.execute(NAME.format(event=event, states=states, table=table, kind=kind))
    for event, state in EVENTS.items():
        for table, kind in FOLLOWED.items():
            op.execute(NOTE.format(event=event, state=state, table=table, kind=kind))
        op.execute(COUNT.format(event=event, state=state))
    op.execute(PARTS)
    for event, state in PART_EVENTS:
        for table in ("credits", "translations", "media_files"):
            op.execute(NOTE_PART.format(event=event, state=state, table=table))
    change_roles(
        "UPDATE roles SET permissions = array_append(permissions, :permission) "
        "WHERE name = :role AND NOT :permission = ANY (permissions)"
    )


def downgrade() -> None:
    change_roles(
        "UPDATE roles SET permissions = array_remove(permissions, :permission) WHERE name = :role"
    )
    op.execute(DROP)
    op.drop_index("tvshows_year_idx", table_name="tvshows")
    op.drop_index("tvshows_year_asc_idx", table_name="tvshows")
    op.drop_constraint(op.f("tvshows_tvdb_id_key"), "tvshows", type_="unique")
    op.drop_index("tvshows_title_words_idx", table_name="tvshows", postgresql_using="gin")
    op.drop_index("tvshows_seasons_idx", table_name="tvshows")
    op.drop_index("tvshows_rt_score_idx", table_name="tvshows")
    op.drop_index("tvshows_rt_score_asc_idx", table_name="tvshows")
    op.drop_index("tvshows_rating_idx", table_name="tvshows")
    op.drop_index("tvshows_rating_asc_idx", table_name="tvshows")
    op.drop_index("tvshows_networks_idx", table_name="tvshows", postgresql_using="gin")
    op.drop_index("tvshows_metacritic_idx", table_name="tvshows")
    op.drop_index("tvshows_metacritic_asc_idx", table_name="tvshows")
    op.drop_index("tvshows_aired_idx", table_name="tvshows")
    op.drop_index("tvshows_aired_asc_idx", table_name="tvshows")
    op.drop_index("tvshows_added_idx", table_name="tvshows")
    op.drop_column("tvshows", "external_ids")
    op.drop_column("tvshows", "watch_providers")
    op.drop_column("tvshows", "images")
    op.drop_column("tvshows", "metacritic_score")
    op.drop_column("tvshows", "rt_score")
    op.drop_column("tvshows", "awards_summary")
    op.drop_column("tvshows", "homepage")
    op.drop_column("tvshows", "trailer_url")
    op.drop_column("tvshows", "studios")
    op.drop_column("tvshows", "keywords")
    op.drop_column("tvshows", "total_episodes")
    op.drop_column("tvshows", "total_seasons")
    op.drop_column("tvshows", "air_days")
    op.drop_column("tvshows", "show_type")
    op.drop_column("tvshows", "tvdb_id")
    op.drop_column("tvshows", "title_words")
    op.drop_column("seasons", "vote_average")
    op.drop_column("seasons", "tmdb_id")
    op.drop_column("people", "metadata_updated_at")
    op.drop_column("people", "popularity")
    op.drop_column("people", "known_for_department")
    op.drop_column("people", "place_of_birth")
    op.drop_column("people", "deathday")
    op.drop_column("people", "birthday")
    op.drop_column("people", "biography")
    op.drop_column("people", "imdb_id")
    op.drop_constraint(op.f("movies_collection_id_fkey"), "movies", type_="foreignkey")
    op.drop_index("movies_runtime_idx", table_name="movies")
    op.drop_index("movies_runtime_asc_idx", table_name="movies")
    op.drop_index("movies_rt_score_idx", table_name="movies")
    op.drop_index("movies_rt_score_asc_idx", table_name="movies")
    op.drop_index("movies_release_date_idx", table_name="movies")
    op.drop_index("movies_release_date_asc_idx", table_name="movies")
    op.drop_index("movies_metacritic_idx", table_name="movies")
    op.drop_index("movies_metacritic_asc_idx", table_name="movies")
    op.drop_index(op.f("ix_movies_collection_id"), table_name="movies")
    op.drop_column("movies", "external_ids")
    op.drop_column("movies", "watch_providers")
    op.drop_column("movies", "images")
    op.drop_column("movies", "metacritic_score")
    op.drop_column("movies", "rt_score")
    op.drop_column("movies", "awards_summary")
    op.drop_column("movies", "homepage")
    op.drop_column("movies", "studios")
    op.drop_column("movies", "keywords")
    op.drop_column("movies", "collection_id")
    op.drop_column("job_runs", "arguments")
    op.drop_column("credits", "department")
    op.drop_table("media_files")
    op.drop_table("translations")
    op.drop_table("episodes")
    op.drop_table("embeddings")
    op.drop_table("title_changes")
    op.drop_table("studios")
    op.drop_table("genre_tallies")
    op.drop_table("search_indexes")
    op.drop_table("networks")
    op.drop_table("kept_images")
    op.drop_table("genres")
    op.drop_table("collections")
