"""Recommendations, taste profiles and channels.

Revision: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

GAINED = (
    "recommendations:list",
    "recommendations:get",
    "recommendations:create",
    "recommendations:update",
    "taste_profiles:get",
    "taste_profiles:create",
    "channels:list",
    "channels:get",
    "channels:create",
    "channels:update",
    "channels:delete",
)


def change_roles(statement: str) -> None:
    for role in ("user", "moderator"):
        for permission in GAINED:
            op.execute(sa.text(statement).bindparams(role=role, permission=permission))


def upgrade() -> None:
    op.create_table(
        "channels",
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("genre_filters", sa.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("text_preferences", sa.Text(), nullable=True),
        sa.Column("is_pinned_row", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("is_shared", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("playlist_id", sa.Text(), nullable=True),
        sa.Column("last_generated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_synced_at", sa.DateTime(timezone=True), nullable=True),
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
        sa.ForeignKeyConstraint(
            ["owner_id"], ["users.id"], name=op.f("channels_owner_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("channels_pkey")),
    )
    op.create_index("channels_owner_idx", "channels", ["owner_id", "id"], unique=False)
    op.create_index(op.f("ix_channels_is_shared"), "channels", ["is_shared"], unique=False)
    op.create_table(
        "recommendation_runs",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("run_type", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("candidate_count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("selected_count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("duration_ms", sa.BigInteger(), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("engine_version", sa.Text(), nullable=True),
        sa.Column("signals", sa.Text(), nullable=True),
        sa.Column(
            "candidates",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="[]",
            nullable=False,
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "kind IN ('movie', 'tvshow')", name=op.f("recommendation_runs_kind_check")
        ),
        sa.CheckConstraint(
            "run_type IN ('manual', 'scheduled')", name=op.f("recommendation_runs_run_type_check")
        ),
        sa.CheckConstraint(
            "status IN ('running', 'completed', 'failed')",
            name=op.f("recommendation_runs_status_check"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("recommendation_runs_user_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("recommendation_runs_pkey")),
    )
    op.create_index(
        "recommendation_runs_user_idx",
        "recommendation_runs",
        ["user_id", "kind", sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_table(
        "recommendations",
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("is_shared", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("people", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("experience_mode", sa.Text(), nullable=False),
        sa.Column("source_strategy", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="pending", nullable=False),
        sa.Column("stage", sa.Text(), server_default="queued", nullable=False),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column(
            "used_broader_search", sa.Boolean(), server_default=sa.text("false"), nullable=False
        ),
        sa.Column("more_picks_status", sa.Text(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "more_picks_status IN ('pending', 'processing', 'completed', 'failed')",
            name=op.f("recommendations_more_picks_status_check"),
        ),
        sa.CheckConstraint(
            "status IN ('pending', 'processing', 'completed', 'failed')",
            name=op.f("recommendations_status_check"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("recommendations_user_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("recommendations_pkey")),
        sa.UniqueConstraint("slug", name=op.f("recommendations_slug_key")),
    )
    op.create_index(
        "recommendations_user_idx",
        "recommendations",
        ["user_id", sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_table(
        "taste_profiles",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("synopsis", sa.Text(), nullable=True),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("writing_until", sa.DateTime(timezone=True), nullable=True),
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
        sa.CheckConstraint("kind IN ('movie', 'tvshow')", name=op.f("taste_profiles_kind_check")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("taste_profiles_user_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("taste_profiles_pkey")),
    )
    op.create_index(
        "taste_profiles_user_id_kind_key", "taste_profiles", ["user_id", "kind"], unique=True
    )
    op.create_table(
        "channel_examples",
        sa.Column("channel_id", sa.BigInteger(), nullable=False),
        sa.Column("movie_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["channel_id"],
            ["channels.id"],
            name=op.f("channel_examples_channel_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["movie_id"],
            ["movies.id"],
            name=op.f("channel_examples_movie_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("channel_examples_pkey")),
    )
    op.create_index(
        "channel_examples_channel_id_movie_id_key",
        "channel_examples",
        ["channel_id", "movie_id"],
        unique=True,
    )
    op.create_index(
        op.f("ix_channel_examples_movie_id"), "channel_examples", ["movie_id"], unique=False
    )
    op.create_table(
        "channel_items",
        sa.Column("channel_id", sa.BigInteger(), nullable=False),
        sa.Column("movie_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["channel_id"],
            ["channels.id"],
            name=op.f("channel_items_channel_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["movie_id"],
            ["movies.id"],
            name=op.f("channel_items_movie_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("channel_items_pkey")),
    )
    op.create_index(
        "channel_items_channel_id_movie_id_key",
        "channel_items",
        ["channel_id", "movie_id"],
        unique=True,
    )
    op.create_index(op.f("ix_channel_items_movie_id"), "channel_items", ["movie_id"], unique=False)
    op.create_table(
        "recommendation_feedback",
        sa.Column("recommendation_id", sa.BigInteger(), nullable=False),
        sa.Column("movie_id", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
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
        sa.ForeignKeyConstraint(
            ["movie_id"],
            ["movies.id"],
            name=op.f("recommendation_feedback_movie_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["recommendation_id"],
            ["recommendations.id"],
            name=op.f("recommendation_feedback_recommendation_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("recommendation_feedback_pkey")),
    )
    op.create_index(
        op.f("ix_recommendation_feedback_movie_id"),
        "recommendation_feedback",
        ["movie_id"],
        unique=False,
    )
    op.create_index(
        "recommendation_feedback_recommendation_id_movie_id_key",
        "recommendation_feedback",
        ["recommendation_id", "movie_id"],
        unique=True,
        postgresql_nulls_not_distinct=True,
    )
    op.create_table(
        "recommended_movies",
        sa.Column("recommendation_id", sa.BigInteger(), nullable=False),
        sa.Column("movie_id", sa.BigInteger(), nullable=False),
        sa.Column("is_more", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        sa.Column("is_main", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("similarity", sa.Double(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["movie_id"],
            ["movies.id"],
            name=op.f("recommended_movies_movie_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["recommendation_id"],
            ["recommendations.id"],
            name=op.f("recommended_movies_recommendation_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("recommended_movies_pkey")),
    )
    op.create_index(
        op.f("ix_recommended_movies_movie_id"), "recommended_movies", ["movie_id"], unique=False
    )
    op.create_index(
        "recommended_movies_recommendation_id_movie_id_key",
        "recommended_movies",
        ["recommendation_id", "movie_id"],
        unique=True,
    )
    change_roles(
        "UPDATE roles SET permissions = array_append(permissions, :permission) "
        "WHERE name = :role AND NOT :permission = ANY (permissions)"
    )


def downgrade() -> None:
    change_roles(
        "UPDATE roles SET permissions = array_remove(permissions, :permission) WHERE name = :role"
    )
    op.drop_table("recommended_movies")
    op.drop_table("recommendation_feedback")
    op.drop_table("channel_items")
    op.drop_table("channel_examples")
    op.drop_table("taste_profiles")
    op.drop_table("recommendations")
    op.drop_table("recommendation_runs")
    op.drop_table("channels")
