"""The search index of the tests' server, built of what a test sees in its own transaction; and
films to be found there.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import httpx
from sqlalchemy import Connection, text

from marquee import db, settings
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.people.models import Credit, Person
from marquee.catalogue.search import building, folder
from marquee.catalogue.search.folder import State
from marquee.catalogue.search.index import reader
from marquee.catalogue.search.outside import building as outside
from marquee.catalogue.search.outside import following, serves
from marquee.services import meilisearch

Make = Callable[..., Any]


def index_everything() -> None:
    """Let the server find what there is now: in its own index, or in an engine that the settings
    name.
    """
    if serves():
        engine, index = meilisearch.current(), settings.current().search_index
        new = following.new_name(index)
        outside.build(db.session.connection(), engine, new, 0, lambda _built: None)
        following.switch(engine, index, new)
        following.clear(engine, index)
        return
    place = folder.folder()
    place.path.mkdir(parents=True, exist_ok=True)
    path = place.new()
    building.build(db.session.connection(), path, 0, lambda _built: None)
    place.switch(path)
    place.clear(path)
    reader.refresh()


def without_own(connection: Connection, state: State) -> State:
    """The state of an index that has seen nothing of the transaction which a test is in.

    What a transaction writes counts as seen by a snapshot of its own, once a later one has ended.
    """
    own = connection.execute(text("SELECT pg_current_xact_id()::text")).scalar_one()
    return replace(state, snapshot=f"{own}:{own}:")


def titles(client: httpx.Client, q: str, path: str = "/search/movies", **asked: Any) -> list[str]:
    """The titles that are found, in order."""
    answer = client.get(path, params={"q": q, **asked})
    assert answer.status_code == 200, answer.text
    return [hit.get("document", hit)["title"] for hit in answer.json()["hits"]]


def make_sharks(make: Make) -> dict[str, Movie]:
    """Save films that have to do with Jaws; by title."""
    rows: list[dict[str, Any]] = [
        {
            "title": "Jaws",
            "popularity": 60,
            "year": 1975,
            "release_date": date(1975, 6, 20),
            "vote_average": 8.1,
            "age_rating": "PG",
            "status": "released",
            "original_language": "en",
            "genres": ["Thriller", "Adventure"],
            "keywords": ["great white shark"],
            "overview": "A great white shark terrorises a New England beach town & its <mayor>.",
            "added_at": datetime(2026, 1, 1, tzinfo=UTC),
        },
        {
            "title": "Jaws 2",
            "popularity": 20,
            "year": 1978,
            "release_date": date(1978, 6, 16),
            "vote_average": 5.8,
            "age_rating": "PG",
            "status": "released",
            "genres": ["Thriller"],
            "added_at": datetime(2026, 1, 2, tzinfo=UTC),
        },
        {"title": "Jawsome", "popularity": 90},
        {"title": "Paws", "popularity": 95},
        {
            "title": "Amélie",
            "original_title": "Le Fabuleux Destin d'Amélie Poulain",
            "year": 2001,
            "genres": ["Comedy"],
        },
        {"title": "千と千尋の神隠し", "popularity": 92},
        {"title": "The Matrix", "popularity": 80},
        {"title": "Москва слезам не верит"},
        {"title": "Έλληνας"},
        {"title": "Dentist", "overview": "He looks at jaws all day long."},
    ]
    return {row["title"]: make(Movie, **row) for row in rows}


def make_people(make: Make, sharks: dict[str, Movie]) -> dict[str, Person]:
    """Save who made Jaws."""
    made = {name: make(Person, name=name) for name in ("Steven Spielberg", "Roy Scheider")}
    jaws = sharks["Jaws"].id
    make(Credit, person_id=made["Steven Spielberg"].id, movie_id=jaws, job="director")
    make(Credit, person_id=made["Roy Scheider"].id, movie_id=jaws, job="actor")
    return made
