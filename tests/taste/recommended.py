"""Users who love one of two kinds of films and series, to whom others are recommended."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import numpy as np
import pytest
from sqlalchemy import select

from marquee import db
from marquee.catalogue.embeddings.models import Embedding
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.tvshows.models import TVShow
from marquee.identity.users.models import User
from marquee.operations.jobs.named import JOBS
from marquee.progress import Progress
from marquee.services import storage
from marquee.taste.ratings.models import Rating
from marquee.taste.recommendations.models import RecommendationRun
from marquee.taste.recommending import keeping

Make = Callable[..., Any]
Answer = dict[str, Any]
FILMS, SHOWS, VIEWERS = 20, 6, 8
GENRES = ("Horror", "Comedy")


@pytest.fixture
def untrained() -> Iterator[None]:
    """No engine of another test holds."""
    keeping.forget()
    yield
    storage.current().delete(keeping.CURRENT)
    keeping.forget()


@pytest.fixture
def catalogue(make: Make, untrained: None) -> dict[str, list[Any]]:
    """Films and series of two kinds in turn, the first ones the most popular."""
    films = [
        make(
            Movie,
            title=f"Film {number}",
            genres=[GENRES[number % 2]],
            popularity=90 - number,
            year=2000,
        )
        for number in range(FILMS)
    ]
    shows = [
        make(TVShow, title=f"Series {number}", genres=[GENRES[number % 2]], popularity=50 - number)
        for number in range(SHOWS)
    ]
    for number, title in enumerate(films):
        vector = np.full(8, 0.1) + np.eye(8)[number % 2] + 0.2 * np.eye(8)[2 + number % 5]
        vector /= np.linalg.norm(vector)
        owner = {"movie_id": title.id, "content_hash": b"x"}
        db.session.add(Embedding(model="m@8", vector=vector.tolist(), **owner))
    db.session.commit()
    return {"films": films, "shows": shows}


@pytest.fixture
def viewers(make: Make, make_user: Make, catalogue: dict[str, list[Any]]) -> list[User]:
    """Users who love one of the two kinds."""
    users = [make_user() for _ in range(VIEWERS)]
    for number, user in enumerate(users):
        for film in catalogue["films"][number % 2 : 12 : 2]:
            make(Rating, user_id=user.id, movie_id=film.id, score=8)
        for show in catalogue["shows"][number % 2 :: 2][:2]:
            make(Rating, user_id=user.id, tvshow_id=show.id, score=8)
    return users


def work(user: User | None = None) -> dict[str, int]:
    """Run the job."""
    db.session.remove()
    arguments = {"user_id": user.id} if user else {}
    return JOBS["recommend"].function(Progress(), **arguments)


def listed(client: httpx.Client, user: User, **asked: Any) -> Answer:
    answer = client.get(f"/users/{user.id}/recommendations", params=asked)
    assert answer.status_code == 200, answer.text
    found: Answer = answer.json()
    return found


def names(answer: Answer) -> list[str]:
    return [each["title"]["title"] for each in answer["recommendations"]]


def rate(make: Make, user: User, *films: Movie, score: float = 9) -> None:
    for film in films:
        make(Rating, user_id=user.id, movie_id=film.id, score=score)


def all_runs(user: User) -> list[RecommendationRun]:
    query = select(RecommendationRun).where(RecommendationRun.user_id == user.id)
    return list(db.session.scalars(query.order_by(RecommendationRun.id)))
