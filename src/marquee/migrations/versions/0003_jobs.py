"""Named jobs: their schedules and their runs.

Revision: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ACTIVE = "status = ANY (ARRAY['pending'::text, 'running'::text])"

NOTICES = """
CREATE FUNCTION marquee_tell_watchers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('marquee_jobs', NEW.id::text);
  RETURN NULL;
END $$;
CREATE TRIGGER tell_watchers AFTER UPDATE ON job_runs FOR EACH ROW
  WHEN (OLD.version IS DISTINCT FROM NEW.version)
  EXECUTE FUNCTION marquee_tell_watchers();
"""
"""Every process hears which run has changed."""


def upgrade() -> None:
    op.create_table(
        "job_schedules",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("hour", sa.SmallInteger(), nullable=False),
        sa.Column("minute", sa.SmallInteger(), nullable=False),
        sa.Column("day_of_week", sa.SmallInteger(), nullable=False),
        sa.Column("interval_hours", sa.SmallInteger(), nullable=True),
        sa.Column("interval_minutes", sa.SmallInteger(), nullable=True),
        sa.Column("is_enabled", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("next_run_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("job_schedules_pkey")),
        sa.UniqueConstraint("name", name=op.f("job_schedules_name_key")),
    )
    op.create_index(
        "job_schedules_due_idx",
        "job_schedules",
        ["next_run_at"],
        postgresql_where=sa.text("is_enabled"),
    )
    op.create_table(
        "job_runs",
        sa.Column("job_name", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="pending", nullable=False),
        sa.Column("attempt", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("queue_id", sa.BigInteger(), nullable=True),
        sa.Column("started_by", sa.BigInteger(), nullable=True),
        sa.Column("is_cancelling", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("current_step", sa.Text(), nullable=True),
        sa.Column("current_step_index", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("total_steps", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("items_processed", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("items_total", sa.BigInteger(), nullable=True),
        sa.Column("current_item", sa.Text(), nullable=True),
        sa.Column("logs", postgresql.JSONB(), server_default="[]", nullable=False),
        sa.Column("result", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["started_by"],
            ["users.id"],
            name=op.f("job_runs_started_by_fkey"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("job_runs_pkey")),
    )
    op.create_index("job_runs_history_idx", "job_runs", ["job_name", sa.text("id DESC")])
    op.create_index(
        "job_runs_active_idx", "job_runs", ["job_name"], postgresql_where=sa.text(ACTIVE)
    )
    op.create_index(op.f("ix_job_runs_started_by"), "job_runs", ["started_by"])
    op.create_index(op.f("ix_job_runs_completed_at"), "job_runs", ["completed_at"])
    op.get_bind().exec_driver_sql(NOTICES)


def downgrade() -> None:
    op.drop_table("job_runs")
    op.drop_table("job_schedules")
    op.execute("DROP FUNCTION marquee_tell_watchers()")
