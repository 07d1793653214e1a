"""Trakt: whose account is connected, and what it has not been told yet.

Revision: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op


revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

GAINED = ("trakt:get", "trakt:create", "trakt:delete")


def change_roles(statement: str) -> None:
    for role in ("user", "moderator"):
        for permission in GAINED:
            op.execute(sa.text(statement).bindparams(role=role, permission=permission))


def upgrade() -> None:
    op.create_table(
        "trakt_accounts",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("sealed_access_token", sa.Text(), nullable=False),
        sa.Column("sealed_refresh_token", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("turn_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_synced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "connected_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("trakt_accounts_user_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("trakt_accounts_pkey")),
        sa.UniqueConstraint("user_id", name=op.f("trakt_accounts_user_id_key")),
    )
    op.create_index(op.f("ix_trakt_accounts_last_synced_at"), "trakt_accounts", ["last_synced_at"])
    op.create_table(
        "trakt_changes",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("movie_id", sa.BigInteger(), nullable=True),
        sa.Column("tvshow_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "changed_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "num_nonnulls(movie_id, tvshow_id) = 1", name=op.f("trakt_changes_one_title_check")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["trakt_accounts.id"],
            name=op.f("trakt_changes_account_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["movie_id"],
            ["movies.id"],
            name=op.f("trakt_changes_movie_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tvshow_id"],
            ["tvshows.id"],
            name=op.f("trakt_changes_tvshow_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("trakt_changes_pkey")),
    )
    for kind in ("movie", "tvshow"):
        op.create_index(op.f(f"ix_trakt_changes_{kind}_id"), "trakt_changes", [f"{kind}_id"])
        op.create_index(
            f"trakt_changes_account_{kind}_key",
            "trakt_changes",
            ["account_id", f"{kind}_id"],
            unique=True,
            postgresql_where=sa.text(f"{kind}_id IS NOT NULL"),
        )
    change_roles(
        "UPDATE roles SET permissions = array_append(permissions, :permission) "
        "WHERE name = :role AND NOT :permission = ANY (permissions)"
    )


def downgrade() -> None:
    change_roles(
        "UPDATE roles SET permissions = array_remove(permissions, :permission) WHERE name = :role"
    )
    op.drop_table("trakt_changes")
    op.drop_table("trakt_accounts")
