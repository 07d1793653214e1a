"""Which titles, people and collections have changed: what an index of them has to follow.

Triggers add a row for each row that is written, in the same transaction, and NOTIFY `CHANNEL`. A
follower remembers the snapshot (`pg_current_snapshot()`) in which it last looked: what has changed
since are the rows whose transaction that snapshot did not see. Numbers from a sequence would not
do, as they are not given in the order of the commits.

What loads a great many titles at once (`marquee demo --titles`) may write no rows, but takes the
next number of the sequence `search_generation`: an index built for an earlier one is built anew.
"""

from datetime import datetime

from sqlalchemy import Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from marquee.db import Model

CHANNEL = "marquee_titles"


class TitleChange(Model):
    """That a row was written or deleted; cleaned up after a day."""

    __tablename__ = "title_changes"
    __table_args__ = (Index("title_changes_transaction_idx", "transaction_id"),)

    kind: Mapped[str]
    """`movie`, `tvshow`, `person` or `collection`."""
    changed_id: Mapped[int]
    transaction_id: Mapped[int] = mapped_column(
        server_default=text("(pg_current_xact_id()::text)::bigint")
    )
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)
