"""Watching: one row for each user and film or episode.

Revision: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op


revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

GAINED = (
    *("watches:list", "watches:get", "watches:create", "watches:update", "watches:delete"),
    *("ratings:list", "ratings:get", "ratings:delete", "top_picks:list"),
)

NOTE_WATCHED = """
CREATE FUNCTION marquee_note_watched() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    INSERT INTO watch_changes (movie_id, tvshow_id) VALUES (OLD.movie_id, OLD.tvshow_id);
  ELSE
    INSERT INTO watch_changes (movie_id, tvshow_id) VALUES (NEW.movie_id, NEW.tvshow_id);
  END IF;
  RETURN NULL;
END $$;
"""
"""Whose watchers must be counted again. A position that moves on costs nothing: `WHEN` is looked at
before the function is called.
"""
NOTE = """
CREATE TRIGGER note_watched_{event} AFTER {event} ON watches
  FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION marquee_note_watched()
"""
EVENTS = {
    "INSERT": "NEW.watch_count > 0",
    "UPDATE": "(OLD.watch_count > 0) <> (NEW.watch_count > 0)",
    "DELETE": "OLD.watch_count > 0",
}


def change_roles(statement: str) -> None:
    for role in ("user", "moderator"):
        for permission in GAINED:
            op.execute(sa.text(statement).bindparams(role=role, permission=permission))


def upgrade() -> None:
    op.create_table(
        "watches",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("movie_id", sa.BigInteger(), nullable=True),
        sa.Column("episode_id", sa.BigInteger(), nullable=True),
        sa.Column("tvshow_id", sa.BigInteger(), nullable=True),
        sa.Column("progress_seconds", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("duration_seconds", sa.BigInteger(), nullable=True),
        sa.Column("is_completed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("watch_count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("last_watched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("remark", sa.Text(), nullable=True),
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
            "(episode_id IS NULL) = (tvshow_id IS NULL)", name=op.f("watches_tvshow_check")
        ),
        sa.CheckConstraint(
            "num_nonnulls(movie_id, episode_id) = 1", name=op.f("watches_one_item_check")
        ),
        sa.ForeignKeyConstraint(
            ["episode_id"],
            ["episodes.id"],
            name=op.f("watches_episode_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["movie_id"], ["movies.id"], name=op.f("watches_movie_id_fkey"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["tvshow_id"], ["tvshows.id"], name=op.f("watches_tvshow_id_fkey"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("watches_user_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("watches_pkey")),
    )
    op.create_index(
        "watches_episode_idx",
        "watches",
        ["episode_id"],
        unique=False,
        postgresql_where=sa.text("episode_id IS NOT NULL"),
    )
    op.create_index(
        "watches_movie_seen_idx",
        "watches",
        ["movie_id"],
        unique=False,
        postgresql_where=sa.text("movie_id IS NOT NULL AND watch_count > 0"),
    )
    op.create_index(
        "watches_movie_idx",
        "watches",
        ["movie_id", "last_watched_at"],
        unique=False,
        postgresql_where=sa.text("movie_id IS NOT NULL"),
    )
    op.create_index(
        "watches_tvshow_seen_idx",
        "watches",
        ["tvshow_id", "user_id"],
        unique=False,
        postgresql_where=sa.text("episode_id IS NOT NULL AND watch_count > 0"),
    )
    op.create_index(
        "watches_tvshow_idx",
        "watches",
        ["tvshow_id", "last_watched_at"],
        unique=False,
        postgresql_where=sa.text("episode_id IS NOT NULL"),
    )
    op.create_index(
        "watches_user_episode_key",
        "watches",
        ["user_id", "episode_id"],
        unique=True,
        postgresql_where=sa.text("episode_id IS NOT NULL"),
    )
    op.create_index(
        "watches_user_episodes_idx",
        "watches",
        [
            "user_id",
            sa.literal_column("last_watched_at DESC NULLS LAST"),
            sa.literal_column("id DESC"),
        ],
        unique=False,
        postgresql_where=sa.text("episode_id IS NOT NULL"),
    )
    op.create_index(
        "watches_user_movie_key",
        "watches",
        ["user_id", "movie_id"],
        unique=True,
        postgresql_where=sa.text("movie_id IS NOT NULL"),
    )
    op.create_index(
        "watches_user_movies_idx",
        "watches",
        [
            "user_id",
            sa.literal_column("last_watched_at DESC NULLS LAST"),
            sa.literal_column("id DESC"),
        ],
        unique=False,
        postgresql_where=sa.text("movie_id IS NOT NULL"),
    )
    op.create_index("watches_user_tvshow_idx", "watches", ["user_id", "tvshow_id"], unique=False)
    op.create_table(
        "watch_changes",
        sa.Column("movie_id", sa.BigInteger(), nullable=True),
        sa.Column("tvshow_id", sa.BigInteger(), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("watch_changes_pkey")),
    )
    op.create_table(
        "watch_counts",
        sa.Column("movie_id", sa.BigInteger(), nullable=True),
        sa.Column("tvshow_id", sa.BigInteger(), nullable=True),
        sa.Column("watchers", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "num_nonnulls(movie_id, tvshow_id) = 1", name=op.f("watch_counts_one_title_check")
        ),
        sa.ForeignKeyConstraint(
            ["movie_id"], ["movies.id"], name=op.f("watch_counts_movie_id_fkey"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["tvshow_id"],
            ["tvshows.id"],
            name=op.f("watch_counts_tvshow_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("watch_counts_pkey")),
    )
    for kind in ("movie", "tvshow"):
        op.create_index(
            f"watch_counts_{kind}_key",
            "watch_counts",
            [f"{kind}_id"],
            unique=True,
            postgresql_where=sa.text(f"{kind}_id IS NOT NULL"),
        )
        op.create_index(
            f"watch_counts_{kind}_watchers_idx",
            "watch_counts",
            ["watchers", f"{kind}_id"],
            unique=False,
            postgresql_where=sa.text(f"{kind}_id IS NOT NULL"),
        )
    op.execute(NOTE_WATCHED)
    for event, condition in EVENTS.items():
        op.execute(NOTE.format(event=event, condition=condition))
    change_roles(
        "UPDATE roles SET permissions = array_append(permissions, :permission) "
        "WHERE name = :role AND NOT :permission = ANY (permissions)"
    )


def downgrade() -> None:
    change_roles(
        "UPDATE roles SET permissions = array_remove(permissions, :permission) WHERE name = :role"
    )
    op.drop_table("watch_counts")
    op.drop_table("watch_changes")
    op.drop_table("watches")
    op.execute("DROP FUNCTION marquee_note_watched()")
