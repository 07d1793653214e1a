"""What was recommended: to users by their taste (runs), and by the answers of a quiz."""

from datetime import datetime
from typing import Any, Self

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    Select,
    SmallInteger,
    false,
    func,
    or_,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marquee.catalogue.movies.models import Movie
from marquee.db import Model
from marquee.identity.users.models import User
from marquee.viewer import Viewer


class RecommendationRun(Model):
    """One list of films or of series for a user, with all that its explanation needs."""

    __tablename__ = "recommendation_runs"
    __table_args__ = (
        CheckConstraint("kind IN ('movie', 'tvshow')", name="kind"),
        CheckConstraint("run_type IN ('manual', 'scheduled')", name="run_type"),
        CheckConstraint("status IN ('running', 'completed', 'failed')", name="status"),
        Index("recommendation_runs_user_idx", "user_id", "kind", text("id DESC")),
    )

    user_id: Mapped[int] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"))
    kind: Mapped[str]
    run_type: Mapped[str]
    status: Mapped[str]
    candidate_count: Mapped[int] = mapped_column(server_default="0")
    selected_count: Mapped[int] = mapped_column(server_default="0")
    """So many of the candidates, the first ones, are the list."""
    duration_ms: Mapped[int | None]
    error_message: Mapped[str | None]
    engine_version: Mapped[str | None]
    signals: Mapped[str | None]
    """A digest of what the user had done: as long as it is the same, nothing is to be done anew."""
    candidates: Mapped[list[dict[str, Any]]] = mapped_column(
        JSONB, default=list, server_default="[]", deferred=True
    )
    """By falling scores: `id` of the title, `score`, `parts` by name, and for the list `evidence`
    (`id` below zero for a series, `amount`, `likeness`), as `engine.Scored`. A hundred at the
    most. Read as a whole, written as a whole; only the runs that are kept have any."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    completed_at: Mapped[datetime | None]

    @classmethod
    def visible_to(cls, viewer: Viewer) -> Select[Self]:
        """One's own, and everybody's for those who may read users."""
        query = select(cls)
        return query if viewer.may("users:read") else query.where(cls.user_id == viewer.id)


class Recommendation(Model):
    """What one person, or several together, asked for by a quiz. Its films are
    `RecommendedMovie`s.
    """

    __tablename__ = "recommendations"
    __table_args__ = (
        CheckConstraint(
            "status IN ('pending', 'processing', 'completed', 'failed')", name="status"
        ),
        CheckConstraint(
            "more_picks_status IN ('pending', 'processing', 'completed', 'failed')",
            name="more_picks_status",
        ),
        Index("recommendations_user_idx", "user_id", text("id DESC")),
    )

    slug: Mapped[str] = mapped_column(unique=True)
    """Twelve URL-safe characters that cannot be guessed: its id outside."""
    user_id: Mapped[int] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"))
    is_shared: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether others who know the slug may read it."""
    people: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    """Their answers, as the contract has them."""
    experience_mode: Mapped[str]
    source_strategy: Mapped[str]
    language: Mapped[str]
    status: Mapped[str] = mapped_column(default="pending", server_default="pending")
    stage: Mapped[str] = mapped_column(default="queued", server_default="queued")
    error_code: Mapped[str | None]
    used_broader_search: Mapped[bool] = mapped_column(default=False, server_default=false())
    more_picks_status: Mapped[str | None]
    """None until more were asked for."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    completed_at: Mapped[datetime | None]

    @classmethod
    def visible_to(cls, viewer: Viewer) -> Select[Self]:
        """One's own and those that are shared."""
        return select(cls).where(or_(cls.user_id == viewer.id, cls.is_shared))


class RecommendedMovie(Model):
    """A film of a recommendation."""

    __tablename__ = "recommended_movies"
    __table_args__ = (
        Index(
            "recommended_movies_recommendation_id_movie_id_key",
            "recommendation_id",
            "movie_id",
            unique=True,
        ),
    )

    recommendation_id: Mapped[int] = mapped_column(
        ForeignKey(Recommendation.id, ondelete="CASCADE")
    )
    movie_id: Mapped[int] = mapped_column(ForeignKey(Movie.id, ondelete="CASCADE"), index=True)
    is_more: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether it came when more were asked for."""
    rank: Mapped[int] = mapped_column(SmallInteger)
    """From 1, further on for those that came later."""
    is_main: Mapped[bool] = mapped_column(default=False, server_default=false())
    similarity: Mapped[float]
    source: Mapped[str]
    description: Mapped[str | None]
    """Why it was chosen."""

    @classmethod
    def visible_to(cls, viewer: Viewer) -> Select[Self]:
        """Those of the recommendations that are visible."""
        ids = Recommendation.visible_to(viewer).with_only_columns(Recommendation.id)
        return select(cls).where(cls.recommendation_id.in_(ids))


class RecommendationFeedback(Model):
    """What the owner said of a recommendation as a whole, or of one of its films."""

    __tablename__ = "recommendation_feedback"
    __table_args__ = (
        Index(
            "recommendation_feedback_recommendation_id_movie_id_key",
            "recommendation_id",
            "movie_id",
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
    )

    recommendation_id: Mapped[int] = mapped_column(
        ForeignKey(Recommendation.id, ondelete="CASCADE")
    )
    movie_id: Mapped[int | None] = mapped_column(
        ForeignKey(Movie.id, ondelete="CASCADE"), index=True
    )
    """None for the whole."""
    kind: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(
        server_default=func.now(), onupdate=func.clock_timestamp()
    )

    @classmethod
    def visible_to(cls, viewer: Viewer) -> Select[Self]:
        """What one said oneself."""
        mine = select(Recommendation.id).where(Recommendation.user_id == viewer.id)
        return select(cls).where(cls.recommendation_id.in_(mine))
