"""Quizzes, a catalogue to answer them with, and the worker that does."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from marquee import db
from marquee.catalogue.movies.models import Movie
from marquee.operations.jobs.named import JOBS
from marquee.progress import Progress
from marquee.taste.recommendations.models import Recommendation

Make = Callable[..., Any]
Answer = dict[str, Any]
FILMS: tuple[tuple[str, int, tuple[str, ...], str], ...] = (
    (
        "Jaws",
        1975,
        ("Thriller", "Horror", "Adventure"),
        "A great white shark terrorises a beach town; three men set out to sea to kill it.",
    ),
    (
        "Open Water",
        2003,
        ("Thriller", "Drama"),
        "Two divers are left behind at sea, and sharks circle them.",
    ),
    (
        "Das Boot",
        1981,
        ("Thriller", "Drama", "War"),
        "The crew of a submarine at sea is hunted by destroyers and waits in the silence.",
    ),
    (
        "Alien",
        1979,
        ("Thriller", "Horror", "Science Fiction"),
        "A creature hunts the crew of a spaceship, one by one.",
    ),
    (
        "Psycho",
        1960,
        ("Thriller", "Horror"),
        "A secretary on the run stops at a lonely motel and meets its owner.",
    ),
    (
        "The Fugitive",
        1993,
        ("Thriller", "Action"),
        "A doctor escapes to find the man who has killed his wife.",
    ),
    (
        "Deliverance",
        1972,
        ("Thriller", "Adventure"),
        "Four friends canoe down a wild river and are hunted in the woods.",
    ),
    (
        "Notting Hill",
        1999,
        ("Comedy", "Romance"),
        "A bookseller in London falls in love with a famous actress.",
    ),
    (
        "Amélie",
        2001,
        ("Comedy", "Romance"),
        "A shy waitress in Paris secretly does good to those around her.",
    ),
    (
        "Airplane!",
        1980,
        ("Comedy",),
        "A man who is afraid of flying must land an airplane full of fools.",
    ),
    (
        "Roman Holiday",
        1953,
        ("Comedy", "Romance"),
        "A princess escapes for a day in Rome with a reporter.",
    ),
    (
        "Ghost",
        1990,
        ("Romance", "Thriller", "Fantasy"),
        "A murdered banker stays as a spirit to protect the woman he loves.",
    ),
    (
        "Up",
        2009,
        ("Animation", "Comedy", "Adventure"),
        "A widower ties balloons to his house and flies away with a boy scout.",
    ),
    (
        "The Big Sleep",
        1946,
        ("Crime", "Mystery", "Thriller"),
        "A private detective looks into the debts of a general's daughter.",
    ),
)
JAWS = {
    "favorite_movie": "jaws",
    "favorite_movie_why": "the suspense at sea",
    "new_vs_classic": "both",
    "mood_preference": ["thrilling"],
    "tone_preference": "balanced",
}
IN_LOVE = {
    "name": "Robin",
    "favorite_movie": "Notting Hill",
    "new_vs_classic": "both",
    "mood_preference": ["romantic", "funny"],
    "tone_preference": "light",
}


@pytest.fixture
def quiz_films(make: Make) -> dict[str, Movie]:
    """Thrillers and comedies, all about as well known, by title."""
    return {
        title: make(
            Movie,
            title=title,
            year=year,
            genres=list(genres),
            overview=overview,
            popularity=60 - number,
            vote_average=7.5,
            vote_count=100,
        )
        for number, (title, year, genres, overview) in enumerate(FILMS)
    }


def ask(client: httpx.Client, *people: Answer, **more: Any) -> str:
    """Answer a quiz; the id of the recommendation."""
    answer = client.post("/recommendations", json={"people": people or (JAWS,), **more})
    assert answer.status_code == 201, answer.text
    slug: str = answer.json()["id"]
    return slug


def work(slug: str, job: str = "make-recommendation") -> dict[str, int]:
    """Do a worker's part."""
    id_ = db.session.scalar(select(Recommendation.id).where(Recommendation.slug == slug))
    # A rollback would take with it what the server has written since.
    db.session.commit()
    db.session.remove()
    return JOBS[job].function(Progress(), recommendation_id=id_)


def got(client: httpx.Client, slug: str) -> Answer:
    """A recommendation as its reader sees it."""
    answer = client.get(f"/recommendations/{slug}")
    assert answer.status_code == 200, answer.text
    found: Answer = answer.json()
    return found


def made(client: httpx.Client, *people: Answer, **more: Any) -> Answer:
    """Ask, let the worker work, and get it."""
    slug = ask(client, *people, **more)
    work(slug)
    return got(client, slug)


def titles(found: Answer) -> list[str]:
    """Of its films, in order."""
    return [film["title"] for film in found["movies"]]
