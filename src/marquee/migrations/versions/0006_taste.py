"""Ratings as a list, and top picks.

Revision: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op


revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ratings_user_idx", "ratings", ["user_id", "id"], unique=False)
    op.create_table(
        "top_pick_lists",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("window_days", sa.BigInteger(), server_default="30", nullable=False),
        sa.Column("min_unique_viewers", sa.BigInteger(), server_default="2", nullable=False),
        sa.Column("count", sa.BigInteger(), server_default="10", nullable=False),
        sa.Column("viewers_weight", sa.Float(), server_default="0.5", nullable=False),
        sa.Column("plays_weight", sa.Float(), server_default="0.3", nullable=False),
        sa.Column("completion_weight", sa.Float(), server_default="0.2", nullable=False),
        sa.Column("refreshed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint("kind IN ('movie', 'tvshow')", name=op.f("top_pick_lists_kind_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("top_pick_lists_pkey")),
        sa.UniqueConstraint("kind", name=op.f("top_pick_lists_kind_key")),
    )
    op.create_table(
        "top_picks",
        sa.Column("list_id", sa.BigInteger(), nullable=False),
        sa.Column("rank", sa.BigInteger(), nullable=False),
        sa.Column("movie_id", sa.BigInteger(), nullable=True),
        sa.Column("tvshow_id", sa.BigInteger(), nullable=True),
        sa.Column("unique_viewers", sa.BigInteger(), nullable=False),
        sa.Column("plays", sa.BigInteger(), nullable=False),
        sa.Column("completion", sa.Float(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "num_nonnulls(movie_id, tvshow_id) = 1", name=op.f("top_picks_one_title_check")
        ),
        sa.ForeignKeyConstraint(
            ["list_id"],
            ["top_pick_lists.id"],
            name=op.f("top_picks_list_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["movie_id"], ["movies.id"], name=op.f("top_picks_movie_id_fkey"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["tvshow_id"],
            ["tvshows.id"],
            name=op.f("top_picks_tvshow_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("top_picks_pkey")),
    )
    op.create_index(op.f("ix_top_picks_movie_id"), "top_picks", ["movie_id"], unique=False)
    op.create_index(op.f("ix_top_picks_tvshow_id"), "top_picks", ["tvshow_id"], unique=False)
    op.create_index("top_picks_list_id_rank_key", "top_picks", ["list_id", "rank"], unique=True)
    op.execute("INSERT INTO top_pick_lists (kind) VALUES ('movie'), ('tvshow')")


def downgrade() -> None:
    op.drop_table("top_picks")
    op.drop_table("top_pick_lists")
    op.drop_index("ratings_user_idx", table_name="ratings")
