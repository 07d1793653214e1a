"""The first tables: accounts, catalogue, taste, audit, and what the engine keeps.

Revision: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op
from procrastinate.schema import SchemaManager
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

GUEST = ["movies:list", "movies:get", "profile:get"]
USER = [
    *GUEST,
    "favorites:list",
    "favorites:create",
    "favorites:delete",
    "ratings:create",
    "ratings:update",
]
ROLES = (
    ("admin", "May do everything.", ["*:*"]),
    ("moderator", "May see accounts and what they do.", ["users:read", "audit:list", *USER]),
    ("user", "May use everything for themselves.", USER),
    ("guest", "May look at the catalogue.", GUEST),
)
DROP_QUEUE = """
DO $$ DECLARE each record; BEGIN
  FOR each IN SELECT oid::regclass AS name FROM pg_class WHERE relname LIKE 'procrastinate\\_%' AND relkind = 'r' LOOP
    EXECUTE 'DROP TABLE IF EXISTS ' || each.name || ' CASCADE'; END LOOP;
  FOR each IN SELECT oid::regprocedure AS name FROM pg_proc WHERE proname LIKE 'procrastinate\\_%' LOOP
    EXECUTE 'DROP FUNCTION IF EXISTS ' || each.name || ' CASCADE'; END LOOP;
  FOR each IN SELECT oid::regtype AS name FROM pg_type WHERE typname LIKE 'procrastinate\\_%' AND typtype IN ('e', 'c') LOOP
    EXECUTE 'DROP TYPE IF EXISTS ' || each.name || ' CASCADE'; END LOOP;
END $$
"""
"""Procrastinate has no way down; what it made bears its name."""


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS vector")
    op.create_table(
        "activity",
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("username", sa.Text(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("resource_type", sa.Text(), nullable=True),
        sa.Column("resource_id", sa.Text(), nullable=True),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("ip_address", postgresql.INET(), nullable=True),
        sa.Column("user_agent", sa.Text(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("success", sa.Boolean(), nullable=False),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("activity_pkey")),
    )
    op.create_index(
        "activity_created_at_idx",
        "activity",
        [sa.literal_column("created_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        "activity_resource_idx",
        "activity",
        ["resource_type", "resource_id", sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        "activity_user_idx", "activity", ["user_id", sa.literal_column("id DESC")], unique=False
    )
    op.create_table(
        "movies",
        sa.Column("tmdb_id", sa.BigInteger(), nullable=True),
        sa.Column("imdb_id", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("original_title", sa.Text(), nullable=True),
        sa.Column("search_title", sa.Text(), nullable=False),
        sa.Column("sort_title", sa.Text(), nullable=False),
        sa.Column(
            "title_words",
            postgresql.TSVECTOR(),
            sa.Computed("to_tsvector('simple', search_title)", persisted=True),
            nullable=False,
        ),
        sa.Column("year", sa.SmallInteger(), nullable=True),
        sa.Column("release_date", sa.Date(), nullable=True),
        sa.Column("runtime_minutes", sa.BigInteger(), nullable=True),
        sa.Column("overview", sa.Text(), nullable=True),
        sa.Column("tagline", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("original_language", sa.Text(), nullable=True),
        sa.Column("languages", sa.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("countries", sa.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("genres", sa.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("age_rating", sa.Text(), nullable=True),
        sa.Column("poster_path", sa.Text(), nullable=True),
        sa.Column("backdrop_path", sa.Text(), nullable=True),
        sa.Column("trailer_url", sa.Text(), nullable=True),
        sa.Column("vote_average", sa.Double(), nullable=True),
        sa.Column("vote_count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("popularity", sa.Double(), server_default="0", nullable=False),
        sa.Column(
            "external_ratings",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="[]",
            nullable=False,
        ),
        sa.Column("budget_usd", sa.BigInteger(), nullable=True),
        sa.Column("revenue_usd", sa.BigInteger(), nullable=True),
        sa.Column("attribution", sa.Text(), nullable=True),
        sa.Column(
            "added_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("metadata_updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("movies_pkey")),
        sa.UniqueConstraint("imdb_id", name=op.f("movies_imdb_id_key")),
        sa.UniqueConstraint("tmdb_id", name=op.f("movies_tmdb_id_key")),
    )
    op.create_index(
        "movies_added_idx",
        "movies",
        [sa.literal_column("added_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index("movies_genres_idx", "movies", ["genres"], unique=False, postgresql_using="gin")
    op.create_index(
        "movies_popularity_idx",
        "movies",
        [sa.literal_column("popularity DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index("movies_rating_asc_idx", "movies", ["vote_average", "id"], unique=False)
    op.create_index(
        "movies_rating_idx",
        "movies",
        [sa.literal_column("vote_average DESC NULLS LAST"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index("movies_sort_title_idx", "movies", ["sort_title", "id"], unique=False)
    op.create_index(
        "movies_title_words_idx", "movies", ["title_words"], unique=False, postgresql_using="gin"
    )
    op.create_index("movies_year_asc_idx", "movies", ["year", "id"], unique=False)
    op.create_index(
        "movies_year_idx",
        "movies",
        [sa.literal_column("year DESC NULLS LAST"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_table(
        "people",
        sa.Column("tmdb_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("profile_path", sa.Text(), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("people_pkey")),
        sa.UniqueConstraint("tmdb_id", name=op.f("people_tmdb_id_key")),
    )
    op.create_index(
        "people_name_alone_key",
        "people",
        ["name"],
        unique=True,
        postgresql_where=sa.text("tmdb_id IS NULL"),
    )
    op.create_table(
        "rate_limits",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("rate_limits_pkey")),
        prefixes=["UNLOGGED"],
    )
    op.create_index(op.f("ix_rate_limits_expires_at"), "rate_limits", ["expires_at"], unique=False)
    op.create_table(
        "roles",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("permissions", sa.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("is_built_in", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("roles_pkey")),
        sa.UniqueConstraint("name", name=op.f("roles_name_key")),
    )
    op.create_table(
        "tvshows",
        sa.Column("tmdb_id", sa.BigInteger(), nullable=True),
        sa.Column("imdb_id", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("original_title", sa.Text(), nullable=True),
        sa.Column("search_title", sa.Text(), nullable=False),
        sa.Column("sort_title", sa.Text(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=True),
        sa.Column("first_air_date", sa.Date(), nullable=True),
        sa.Column("last_air_date", sa.Date(), nullable=True),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("episode_runtime_minutes", sa.BigInteger(), nullable=True),
        sa.Column("overview", sa.Text(), nullable=True),
        sa.Column("tagline", sa.Text(), nullable=True),
        sa.Column("original_language", sa.Text(), nullable=True),
        sa.Column("languages", sa.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("countries", sa.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("genres", sa.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("networks", sa.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("age_rating", sa.Text(), nullable=True),
        sa.Column("poster_path", sa.Text(), nullable=True),
        sa.Column("backdrop_path", sa.Text(), nullable=True),
        sa.Column("vote_average", sa.Double(), nullable=True),
        sa.Column("vote_count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("popularity", sa.Double(), server_default="0", nullable=False),
        sa.Column(
            "external_ratings",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="[]",
            nullable=False,
        ),
        sa.Column("attribution", sa.Text(), nullable=True),
        sa.Column(
            "added_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("metadata_updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("tvshows_pkey")),
        sa.UniqueConstraint("imdb_id", name=op.f("tvshows_imdb_id_key")),
        sa.UniqueConstraint("tmdb_id", name=op.f("tvshows_tmdb_id_key")),
    )
    op.create_index(
        "tvshows_genres_idx", "tvshows", ["genres"], unique=False, postgresql_using="gin"
    )
    op.create_index(
        "tvshows_popularity_idx",
        "tvshows",
        [sa.literal_column("popularity DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index("tvshows_sort_title_idx", "tvshows", ["sort_title", "id"], unique=False)
    op.create_table(
        "users",
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=True),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("email_verified", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("last_login_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("users_pkey")),
    )
    op.create_index(
        "users_lower_email_key", "users", [sa.literal_column("lower(email)")], unique=True
    )
    op.create_index(
        "users_lower_username_key", "users", [sa.literal_column("lower(username)")], unique=True
    )
    op.create_table(
        "api_keys",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("key_prefix", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("api_keys_user_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("api_keys_pkey")),
        sa.UniqueConstraint("digest", name=op.f("api_keys_digest_key")),
    )
    op.create_index(op.f("ix_api_keys_user_id"), "api_keys", ["user_id"], unique=False)
    op.create_table(
        "credits",
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("movie_id", sa.BigInteger(), nullable=True),
        sa.Column("tvshow_id", sa.BigInteger(), nullable=True),
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("character", sa.Text(), nullable=True),
        sa.Column("position", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "num_nonnulls(movie_id, tvshow_id) = 1", name=op.f("credits_one_title_check")
        ),
        sa.ForeignKeyConstraint(
            ["movie_id"], ["movies.id"], name=op.f("credits_movie_id_fkey"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("credits_person_id_fkey"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["tvshow_id"], ["tvshows.id"], name=op.f("credits_tvshow_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("credits_pkey")),
    )
    op.create_index(
        "credits_movie_idx",
        "credits",
        ["movie_id", "job", "position"],
        unique=False,
        postgresql_where=sa.text("movie_id IS NOT NULL"),
    )
    op.create_index(
        "credits_tvshow_idx",
        "credits",
        ["tvshow_id", "job", "position"],
        unique=False,
        postgresql_where=sa.text("tvshow_id IS NOT NULL"),
    )
    op.create_index(op.f("ix_credits_person_id"), "credits", ["person_id"], unique=False)
    op.create_table(
        "favorites",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("movie_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["movie_id"], ["movies.id"], name=op.f("favorites_movie_id_fkey"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("favorites_user_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("favorites_pkey")),
    )
    op.create_index(
        "favorites_user_id_movie_id_key", "favorites", ["user_id", "movie_id"], unique=True
    )
    op.create_index(op.f("ix_favorites_movie_id"), "favorites", ["movie_id"], unique=False)
    op.create_table(
        "idempotency_keys",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("headers", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("idempotency_keys_pkey")),
        sa.UniqueConstraint("user_id", "key", name=op.f("idempotency_keys_user_id_key_key")),
    )
    op.create_index(
        op.f("ix_idempotency_keys_created_at"), "idempotency_keys", ["created_at"], unique=False
    )
    op.create_table(
        "ratings",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("movie_id", sa.BigInteger(), nullable=True),
        sa.Column("tvshow_id", sa.BigInteger(), nullable=True),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("source", sa.Text(), server_default="manual", nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "num_nonnulls(movie_id, tvshow_id) = 1", name=op.f("ratings_one_title_check")
        ),
        sa.CheckConstraint("score BETWEEN 0 AND 10", name=op.f("ratings_score_check")),
        sa.ForeignKeyConstraint(
            ["movie_id"], ["movies.id"], name=op.f("ratings_movie_id_fkey"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["tvshow_id"], ["tvshows.id"], name=op.f("ratings_tvshow_id_fkey"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("ratings_user_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("ratings_pkey")),
    )
    op.create_index(
        "ratings_movie_idx",
        "ratings",
        ["movie_id"],
        unique=False,
        postgresql_where=sa.text("movie_id IS NOT NULL"),
    )
    op.create_index(
        "ratings_tvshow_idx",
        "ratings",
        ["tvshow_id"],
        unique=False,
        postgresql_where=sa.text("tvshow_id IS NOT NULL"),
    )
    op.create_index(
        "ratings_user_movie_key",
        "ratings",
        ["user_id", "movie_id"],
        unique=True,
        postgresql_where=sa.text("movie_id IS NOT NULL"),
    )
    op.create_index(
        "ratings_user_tvshow_key",
        "ratings",
        ["user_id", "tvshow_id"],
        unique=True,
        postgresql_where=sa.text("tvshow_id IS NOT NULL"),
    )
    op.create_table(
        "seasons",
        sa.Column("tvshow_id", sa.BigInteger(), nullable=False),
        sa.Column("season_number", sa.SmallInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("overview", sa.Text(), nullable=True),
        sa.Column("poster_path", sa.Text(), nullable=True),
        sa.Column("air_date", sa.Date(), nullable=True),
        sa.Column("episode_count", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["tvshow_id"], ["tvshows.id"], name=op.f("seasons_tvshow_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("seasons_pkey")),
    )
    op.create_index(
        "seasons_tvshow_id_season_number_key",
        "seasons",
        ["tvshow_id", "season_number"],
        unique=True,
    )
    op.create_table(
        "sessions",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("device_name", sa.Text(), nullable=True),
        sa.Column("ip_address", postgresql.INET(), nullable=True),
        sa.Column("user_agent", sa.Text(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("sessions_user_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("sessions_pkey")),
    )
    op.create_index(op.f("ix_sessions_expires_at"), "sessions", ["expires_at"], unique=False)
    op.create_index(op.f("ix_sessions_user_id"), "sessions", ["user_id"], unique=False)
    op.create_table(
        "user_roles",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("role_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["role_id"], ["roles.id"], name=op.f("user_roles_role_id_fkey"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("user_roles_user_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("user_roles_pkey")),
    )
    op.create_index(op.f("ix_user_roles_role_id"), "user_roles", ["role_id"], unique=False)
    op.create_index(
        "user_roles_user_id_role_id_key", "user_roles", ["user_id", "role_id"], unique=True
    )
    for name, description, permissions in ROLES:
        op.execute(
            sa.text(
                "INSERT INTO roles (name, description, permissions, is_built_in) VALUES (:n, :d, :p, true)"
            ).bindparams(
                sa.bindparam("n", name),
                sa.bindparam("d", description),
                sa.bindparam("p", permissions, sa.ARRAY(sa.Text)),
            )
        )
    op.get_bind().exec_driver_sql(SchemaManager.get_schema().replace("%", "%%"))


def downgrade() -> None:
    op.drop_index("user_roles_user_id_role_id_key", table_name="user_roles")
    op.drop_index(op.f("ix_user_roles_role_id"), table_name="user_roles")
    op.drop_table("user_roles")
    op.drop_index(op.f("ix_sessions_user_id"), table_name="sessions")
    op.drop_index(op.f("ix_sessions_expires_at"), table_name="sessions")
    op.drop_table("sessions")
    op.drop_index("seasons_tvshow_id_season_number_key", table_name="seasons")
    op.drop_table("seasons")
    op.drop_index(
        "ratings_user_tvshow_key",
        table_name="ratings",
        postgresql_where=sa.text("tvshow_id IS NOT NULL"),
    )
    op.drop_index(
        "ratings_user_movie_key",
        table_name="ratings",
        postgresql_where=sa.text("movie_id IS NOT NULL"),
    )
    op.drop_index(
        "ratings_tvshow_idx",
        table_name="ratings",
        postgresql_where=sa.text("tvshow_id IS NOT NULL"),
    )
    op.drop_index(
        "ratings_movie_idx", table_name="ratings", postgresql_where=sa.text("movie_id IS NOT NULL")
    )
    op.drop_table("ratings")
    op.drop_index(op.f("ix_idempotency_keys_created_at"), table_name="idempotency_keys")
    op.drop_table("idempotency_keys")
    op.drop_index(op.f("ix_favorites_movie_id"), table_name="favorites")
    op.drop_index("favorites_user_id_movie_id_key", table_name="favorites")
    op.drop_table("favorites")
    op.drop_index(op.f("ix_credits_person_id"), table_name="credits")
    op.drop_index(
        "credits_tvshow_idx",
        table_name="credits",
        postgresql_where=sa.text("tvshow_id IS NOT NULL"),
    )
    op.drop_index(
        "credits_movie_idx", table_name="credits", postgresql_where=sa.text("movie_id IS NOT NULL")
    )
    op.drop_table("credits")
    op.drop_index(op.f("ix_api_keys_user_id"), table_name="api_keys")
    op.drop_table("api_keys")
    op.drop_index("users_lower_username_key", table_name="users")
    op.drop_index("users_lower_email_key", table_name="users")
    op.drop_table("users")
    op.drop_index("tvshows_sort_title_idx", table_name="tvshows")
    op.drop_index("tvshows_popularity_idx", table_name="tvshows")
    op.drop_index("tvshows_genres_idx", table_name="tvshows", postgresql_using="gin")
    op.drop_table("tvshows")
    op.drop_table("roles")
    op.drop_index(op.f("ix_rate_limits_expires_at"), table_name="rate_limits")
    op.drop_table("rate_limits")
    op.drop_index(
        "people_name_alone_key", table_name="people", postgresql_where=sa.text("tmdb_id IS NULL")
    )
    op.drop_table("people")
    op.drop_index("movies_year_idx", table_name="movies")
    op.drop_index("movies_year_asc_idx", table_name="movies")
    op.drop_index("movies_title_words_idx", table_name="movies", postgresql_using="gin")
    op.drop_index("movies_sort_title_idx", table_name="movies")
    op.drop_index("movies_rating_idx", table_name="movies")
    op.drop_index("movies_rating_asc_idx", table_name="movies")
    op.drop_index("movies_popularity_idx", table_name="movies")
    op.drop_index("movies_genres_idx", table_name="movies", postgresql_using="gin")
    op.drop_index("movies_added_idx", table_name="movies")
    op.drop_table("movies")
    op.drop_index("activity_user_idx", table_name="activity")
    op.drop_index("activity_resource_idx", table_name="activity")
    op.drop_index("activity_created_at_idx", table_name="activity")
    op.drop_table("activity")
    op.execute(DROP_QUEUE)
