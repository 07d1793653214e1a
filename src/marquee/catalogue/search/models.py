"""The search indexes that machines hold, as they tell of them."""

from datetime import datetime

from sqlalchemy import func
from sqlalchemy.orm import Mapped, mapped_column

from marquee.db import Model


class SearchIndex(Model):
    """The index in the data folder of one machine; its keeper writes this row every few seconds."""

    __tablename__ = "search_indexes"

    place: Mapped[str] = mapped_column(unique=True)
    """The machine and the folder."""
    generation: Mapped[int] = mapped_column(server_default="0")
    """The `search_generation` that it was built for."""
    attempted: Mapped[int] = mapped_column(server_default="0")
    """The generation that it tried to build last: that is what `error` is about."""
    documents: Mapped[int] = mapped_column(server_default="0")
    building: Mapped[int | None]
    """How many documents of a new index are written; None where none is being built."""
    error: Mapped[str | None]
    seen_at: Mapped[datetime] = mapped_column(server_default=func.now())
