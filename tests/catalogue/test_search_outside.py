"""Searching by an engine of one's own: the tests of the embedded index again, and what is another
engine's own.
"""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import delete

from marquee import db, settings
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.people.models import Credit, Person
from marquee.catalogue.search import following as changes
from marquee.catalogue.search.outside import documents, following
from marquee.services import meilisearch
from tests.catalogue import test_search as others
from tests.catalogue import test_search_meaning as meaning
from tests.catalogue import test_search_movies as movies
from tests.catalogue.indexing import index_everything, titles, without_own
from tests.fakes.meilisearch import KEY, FakeMeilisearch

Make = Callable[..., Any]
sharks, people, series, films = movies.sharks, movies.people, others.series, meaning.films


@pytest.fixture(autouse=True)
def engine_of_ones_own(set_variables: Callable[..., None]) -> Iterator[FakeMeilisearch]:
    """One that the server searches."""
    with FakeMeilisearch(delay=0.001) as fake:
        set_variables(SEARCH_URL=fake.url, SEARCH_API_KEY=KEY, SEARCH_TIMEOUT="1")
        yield fake


class TestSearchMovies(movies.TestSearchMovies):
    # A wrong first letter counts for two, and a word of four may have one.
    def test_exact_beats_beginning_beats_plot_beats_typo(
        self, client: httpx.Client, sharks: dict[str, Movie], make: Make
    ) -> None:
        make(Movie, title="Jams", popularity=99)
        index_everything()
        assert titles(client, "jaws") == ["Jaws", "Jaws 2", "Jawsome", "Dentist", "Jams"]

    @pytest.mark.parametrize(
        "sort_by, found",
        [
            ("popularity:asc", ["Dentist", "Jaws 2", "Jaws", "Jawsome"]),
            ("popularity:desc", ["Jawsome", "Jaws", "Jaws 2", "Dentist"]),
            ("vote_average:asc", ["Jaws 2", "Jaws"]),
            ("vote_average:desc", ["Jaws", "Jaws 2"]),
            ("release_date:asc", ["Jaws", "Jaws 2"]),
            ("title:desc", ["Jawsome", "Jaws 2", "Jaws", "Dentist"]),
            ("library_added_at:asc", ["Jaws", "Jaws 2"]),
        ],
    )
    def test_sorts(
        self, client: httpx.Client, sharks: dict[str, Movie], sort_by: str, found: list[str]
    ) -> None:
        index_everything()
        assert titles(client, "jaws", sort_by=sort_by)[: len(found)] == found

    def test_pages(self, client: httpx.Client, sharks: dict[str, Movie]) -> None:
        index_everything()
        answers = [
            client.get("/search/movies", params={"q": "jaws", "page": page, "page_size": 3}).json()
            for page in (1, 2, 3)
        ]
        found = [hit["document"]["title"] for each in answers for hit in each["hits"]]
        assert found == ["Jaws", "Jaws 2", "Jawsome", "Dentist"]
        assert {(each["total_results"], each["total_pages"]) for each in answers} == {(4, 2)}
        scores = [hit["score"] for each in answers for hit in each["hits"]]
        assert scores == sorted(scores, reverse=True)

    def test_without_an_index(self, client: httpx.Client, database: None) -> None:
        answer = client.get("/search/movies", params={"q": "jaws"})
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        assert answer.json()["error"]["code"] == "SEARCH_UNAVAILABLE"

    def test_facets_and_orders_of_a_description(
        self, client: httpx.Client, sharks: dict[str, Movie], make: Make
    ) -> None:
        make(Movie, title="Deep", overview="A shark in a town.", genres=["Horror"], year=1999)
        index_everything()
        asked = {"q": "a shark terrorises some beach town", "facets": True, "sort_by": "title:desc"}
        answer = client.get("/search/movies", params=asked).json()
        assert [hit["document"]["title"] for hit in answer["hits"]] == ["Jaws", "Deep"]
        assert answer["facets"]["years"] == [
            {"value": 1999, "count": 1},
            {"value": 1975, "count": 1},
        ]
        assert answer["total_results"] == 2

    @pytest.mark.parametrize(
        "kind, how",
        [
            ("status", {"status": 401}),
            ("status", {"status": 429, "retry_after": "9"}),
            ("status", {"status": 500}),
            ("status", {"status": 503, "retry_after": "10"}),
            ("broken_json", {}),
            ("html", {}),
            ("empty", {}),
            ("wrong_types", {}),
            ("reset", {}),
            ("slow", {"seconds": 5}),
        ],
    )
    def test_while_the_engine_does_not_serve(
        self,
        client: httpx.Client,
        sharks: dict[str, Movie],
        engine_of_ones_own: FakeMeilisearch,
        set_variables: Callable[..., None],
        kind: str,
        how: dict[str, Any],
    ) -> None:
        index_everything()
        set_variables(SEARCH_TIMEOUT="0.2")
        engine_of_ones_own.breaks(kind, **how)
        for path in ("", "/autocomplete", "/facets"):
            answer = client.get(f"/search/movies{path}", params={"q": "jaws"})
            assert answer.status_code == 503
            assert answer.json()["error"]["code"] == "SEARCH_UNAVAILABLE"
            assert answer.headers["retry-after"] == how.get("retry_after", "5")

    def test_after_it_was_down(
        self,
        client: httpx.Client,
        sharks: dict[str, Movie],
        engine_of_ones_own: FakeMeilisearch,
    ) -> None:
        index_everything()
        engine_of_ones_own.stop()
        assert client.get("/search", params={"q": "jaws"}).status_code == 503
        engine_of_ones_own.start()
        assert titles(client, "jaws")[0] == "Jaws"


class TestAutocompleteMovies(others.TestAutocompleteMovies):
    pass


class TestGetMovieSearchFacets(others.TestGetMovieSearchFacets):
    pass


class TestSearchTvshows(others.TestSearchTvshows):
    pass


class TestAutocompleteTvshows(others.TestAutocompleteTvshows):
    pass


class TestGetTvshowSearchFacets(others.TestGetTvshowSearchFacets):
    pass


class TestSearchEverything(others.TestSearchEverything):
    pass


class TestSearchByMeaning(meaning.TestSearchMovies):
    pass


class Index:
    """The engine's index, followed as its keeper does it."""

    def __init__(self) -> None:
        index_everything()
        self.engine, self.name = meilisearch.current(), settings.current().search_index
        self.state = self.adopted()

    def adopted(self) -> Any:
        """How far it says that it has followed."""
        connection = db.session.connection()
        return following.adopted(connection, self.engine, self.name, changes.present(connection))

    def follow(self) -> int:
        """Catch up; how many documents were written."""
        connection = db.session.connection()
        now = changes.present(connection)
        state = without_own(connection, self.state)
        self.state, written = following.catch_up(connection, self.engine, self.name, state, now)
        following.save(self.engine, self.name, self.state)
        return written


class TestFollowing:
    def test_finds_what_has_changed(
        self, client: httpx.Client, make: Make, sharks: dict[str, Movie]
    ) -> None:
        index = Index()
        film = make(Movie, title="Zazie")
        assert titles(client, "zazie") == []
        index.follow()
        assert titles(client, "zazie") == ["Zazie"]
        assert index.adopted() == index.state
        db.session.execute(delete(Movie).where(Movie.id == film.id))
        db.session.commit()
        index.follow()
        assert client.get("/search/movies", params={"q": "zazie"}).json()["total_results"] == 0

    def test_finds_people_by_their_new_names(self, client: httpx.Client, make: Make) -> None:
        film = make(Movie, title="Duel")
        person = make(Person, name="Stephen Spielberg")
        make(Credit, person_id=person.id, movie_id=film.id, job="director")
        index = Index()
        person.name = "Steven Spielberg"
        db.session.commit()
        index.follow()
        assert titles(client, "steven spielberg") == ["Duel"]

    def test_an_index_that_nobody_knows_is_built_anew(
        self, make: Make, engine_of_ones_own: FakeMeilisearch
    ) -> None:
        index = Index()
        stored = engine_of_ones_own.indexes[index.name].documents[documents.STATE]
        stored["state"] = stored["state"].replace(str(documents.VERSION), "1")
        with pytest.raises(changes.TooFarBehind):
            index.adopted()
        engine_of_ones_own.indexes.clear()
        with pytest.raises(changes.TooFarBehind):
            index.adopted()

    def test_the_old_one_is_searched_until_the_new_one_is_complete(
        self, client: httpx.Client, make: Make, engine_of_ones_own: FakeMeilisearch
    ) -> None:
        make(Movie, title="Jaws")
        index = Index()
        new = following.new_name(index.name)
        index.engine.wait([index.engine.create(new)], 5)
        assert following.switch(index.engine, index.name, new) is None
        assert titles(client, "jaws") == ["Jaws"]
        following.clear(index.engine, index.name)
        assert list(engine_of_ones_own.indexes) == [index.name]
