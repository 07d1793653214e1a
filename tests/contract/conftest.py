"""What tests of the contract share: a world in which its examples are true."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select, text

from marquee import clock, db, settings
from marquee.catalogue.collections.models import Collection
from marquee.catalogue.embeddings.models import Embedding
from marquee.catalogue.images import keeping
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.people.models import Person
from marquee.catalogue.tvshows.models import Episode, Season, TVShow
from marquee.identity.api_keys.models import ApiKey
from marquee.identity.auth.models import Session
from marquee.identity.mfa.models import Passkey
from marquee.identity.users.avatars import images
from marquee.identity.users.avatars.models import Avatar
from marquee.identity.users.models import Role, User, UserRole
from marquee.job_runs import JobRun
from marquee.services import storage
from marquee.taste.channels.models import Channel
from marquee.taste.favorites.models import Favorite
from marquee.taste.ratings.models import Rating
from marquee.taste.recommendations.models import (
    Recommendation,
    RecommendationRun,
    RecommendedMovie,
)
from marquee.watching.progress.models import Watch
from tests.catalogue.indexing import index_everything
from tests.contract.calls import BY_NAME
from tests.fakes.tmdb import KEY

ABOVE_EXAMPLES = text(
    "select setval(id, greatest(nextval(id), 1000)) "
    "from cast(pg_get_serial_sequence(:table, 'id') as regclass) as id"
)
PHONE = {"name": "My phone", "credential_id": b"5", "public_key": b"5", "backed_up": True}
QUIZ = {
    "slug": "4fT9xQb2_mKe",
    "people": [
        {
            "favorite_movie": "Jaws",
            "new_vs_classic": "both",
            "mood_preference": ["thrilling"],
            "tone_preference": "balanced",
        }
    ],
    "experience_mode": "normal-match",
    "source_strategy": "hybrid-fast",
    "language": "en",
}
RUN = {
    "kind": "movie",
    "run_type": "manual",
    "candidate_count": 1,
    "selected_count": 1,
    "candidates": [{"id": 42, "score": 0.5, "parts": {"collaborative": 0.5}}],
}


@pytest.fixture
def world(make: Callable[..., Any], me: Any) -> None:
    """The rows that the examples of the contract name, for `me`."""
    for table in (
        "movies",
        "favorites",
        "ratings",
        "passkeys",
        "api_keys",
        "sessions",
        "job_runs",
        "collections",
        "people",
        "tvshows",
        "seasons",
        "episodes",
        "watches",
        "recommendation_runs",
        "recommendations",
        "channels",
    ):
        # New rows keep clear of the ids below, which were not taken from the sequence.
        db.session.execute(ABOVE_EXAMPLES, {"table": table})
    make(Collection, id=3, tmdb_collection_id=2366, name="Jaws Collection")
    make(Movie, id=42, tmdb_id=578, title="Jaws", collection_id=3)
    make(Person, id=9, tmdb_id=488, name="Steven Spielberg")
    make(TVShow, id=42, tmdb_id=1396, title="Breaking Bad")
    make(Season, id=42, tvshow_id=42)
    make(Episode, id=42, season_id=42, episode_number=1, air_date=clock.now().date())
    begun = {"progress_seconds": 1200, "duration_seconds": 2880, "last_watched_at": clock.now()}
    make(Watch, id=7, user_id=me.id, movie_id=42, remark="liked", **begun)
    make(Watch, id=8, user_id=me.id, episode_id=42, tvshow_id=42, **begun)
    genred = {"genres": ["Thriller", "Horror"]}
    other = make(Movie, id=43, title="The Shark Is Still Working", **genred)
    for owner in ({"movie_id": 42}, {"tvshow_id": 42}):
        vector = {"content_hash": b"42", "vector": [1.0] * 65, **owner}
        db.session.add(Embedding(model="usem3@1", **vector))
    digest = {"key_prefix": "mq_4fT9xQb2", "digest": b"5"}
    make(ApiKey, id=5, user_id=me.id, name="Backup script", scopes=["read"], **digest)
    make(Session, id=7, user_id=me.id, expires_at=clock.now() + timedelta(days=1))
    make(Favorite, id=12, user_id=me.id, movie_id=other.id)
    sent = (BY_NAME["upload_avatar"].files or {})["file"][1]
    keeping.keep("tmdb/w342/poster578.jpg", sent, "image/jpeg")
    picture, key = images.square(io.BytesIO(sent)), "avatars/example.webp"
    storage.current().put(key, picture.data, images.MEDIA_TYPE)
    kept = {"width": picture.side, "height": picture.side, "is_animated": picture.moved}
    size = {"file_size_bytes": len(picture.data)}
    make(Avatar, user_id=me.id, version=1, file_key=key, is_current=True, **kept, **size)
    make(Channel, id=5, owner_id=me.id, name="Sharks and worse", last_generated_at=clock.now())
    make(Rating, id=7, user_id=me.id, movie_id=other.id, score=9)
    quiz = make(Recommendation, user_id=me.id, status="completed", **QUIZ)
    chosen = {"rank": 1, "is_main": True, "similarity": 0.75, "source": "local-cache"}
    make(RecommendedMovie, recommendation_id=quiz.id, movie_id=42, **chosen)
    make(RecommendationRun, id=7, user_id=me.id, status="completed", **RUN)
    make(Rating, id=8, user_id=me.id, tvshow_id=42, score=9)
    make(Passkey, id=5, user_id=me.id, **PHONE)
    make(JobRun, id=42, job_name="clean-up", status="completed")
    role = make(Role, name="projectionist", permissions=["movies:list"])
    make(UserRole, user_id=me.id, role_id=role.id)
    index_everything()


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A TMDB key, without which some operations are refused; nobody is there to take it."""
    monkeypatch.setenv("TMDB_API_KEY", KEY)
    monkeypatch.setenv("TMDB_BASE_URL", "http://127.0.0.1:9/3")
    settings.current.cache_clear()
    yield
    monkeypatch.undo()
    settings.current.cache_clear()


@pytest.fixture
def permitted(make: Callable[..., Any], client: httpx.Client, me: User) -> httpx.Client:
    """The client of `me`, whose roles allow everything."""
    role_id = db.session.scalar(select(Role.id).where(Role.name == "admin"))
    make(UserRole, user_id=me.id, role_id=role_id)
    return client


@pytest.fixture
def client(
    client_of: Callable[..., httpx.Client], token_of: Callable[..., Any], me: User
) -> httpx.Client:
    """A client in which `me` has signed in: keys do not open every operation."""
    made = client_of(None)
    made.headers.update(token_of(me))
    return made


@pytest.fixture
def admin(
    client_of: Callable[..., httpx.Client],
    token_of: Callable[..., Any],
    make_user: Callable[..., User],
) -> httpx.Client:
    """A client in which an administrator has signed in."""
    made = client_of(None)
    made.headers.update(token_of(make_user("admin")))
    return made


@dataclass(frozen=True)
class Target:
    """A server to talk to, and a user of it."""

    url: str
    user_id: int
    authorization: str

    def headers(self, **more: str) -> dict[str, str]:
        """Those of the user, and more: `content_type` is `Content-Type`."""
        names = {name.replace("_", "-"): value for name, value in more.items()}
        return {"Authorization": self.authorization, **names}


@pytest.fixture
def target(base_url: str, me: User, key_of: Callable[..., str]) -> Target:
    """The server of the tests."""
    return Target(base_url, me.id, f"Bearer {key_of(me)}")
