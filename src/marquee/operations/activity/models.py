"""The table of what is known about the audit log's days that are over."""

from datetime import date
from typing import Self

from sqlalchemy import Date, Select, literal, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marquee.db import Model
from marquee.viewer import Viewer


class ActivityDay(Model):
    """How often each action was tried on a day (UTC), counted once when the day was over."""

    __tablename__ = "activity_days"

    day: Mapped[date] = mapped_column(Date, unique=True)
    counts: Mapped[dict[str, list[int]]] = mapped_column(JSONB)
    """By action: how often it worked, and how often it was refused."""

    @classmethod
    def visible_to(cls, viewer: Viewer) -> Select[Self]:
        """All, for those who may read the audit log."""
        return select(cls).where(literal(viewer.may("audit:list")))
