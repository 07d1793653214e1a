"""When a film or an episode was counted as watched last, and an index for what users have said.

Revision: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

SAID = "movie_id IS NOT NULL AND (watch_count > 0 OR remark IS NOT NULL)"


def upgrade() -> None:
    op.add_column("watches", sa.Column("counted_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "watches_user_said_idx", "watches", ["user_id", "id"], postgresql_where=sa.text(SAID)
    )


def downgrade() -> None:
    op.drop_index("watches_user_said_idx", "watches")
    op.drop_column("watches", "counted_at")
