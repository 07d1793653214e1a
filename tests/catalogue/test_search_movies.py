"""Searching films by words."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, delete

from marquee import db
from marquee.catalogue.files.models import MediaFile
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.people.models import Person
from marquee.catalogue.search import folder
from marquee.catalogue.search.index import reader
from marquee.catalogue.search.words import FEW
from marquee.catalogue.translations.models import Translation
from tests.catalogue.indexing import index_everything, make_people, make_sharks, titles
from tests.queries import statements

Make = Callable[..., Any]


@pytest.fixture
def sharks(make: Make) -> dict[str, Movie]:
    """Films that have to do with Jaws, by title."""
    return make_sharks(make)


@pytest.fixture
def people(make: Make, sharks: dict[str, Movie]) -> dict[str, Person]:
    """Who made Jaws."""
    return make_people(make, sharks)


class TestSearchMovies:
    def test_exact_beats_beginning_beats_plot_beats_typo(
        self, client: httpx.Client, sharks: dict[str, Movie]
    ) -> None:
        index_everything()
        assert titles(client, "jaws") == ["Jaws", "Jaws 2", "Jawsome", "Dentist", "Paws"]

    def test_popularity_breaks_ties(self, client: httpx.Client, make: Make) -> None:
        for name, popularity in (("A Blue Day", 1), ("One Blue Night", 3), ("Blue in Green", 2)):
            make(Movie, title=name, popularity=popularity)
        index_everything()
        assert titles(client, "blue") == ["One Blue Night", "Blue in Green", "A Blue Day"]

    @pytest.mark.parametrize(
        "q, first",
        [
            ("AMELIE", "Amélie"),
            ("amélie", "Amélie"),
            ("ameile", "Amélie"),
            ("fabuleux poulain", "Amélie"),
            ("matrix", "The Matrix"),
            ("the matrix", "The Matrix"),
            ("matrx", "The Matrix"),
            ("千尋", "千と千尋の神隠し"),
            ("千と千尋", "千と千尋の神隠し"),
            ("москва", "Москва слезам не верит"),
            ("слезы москва", "Москва слезам не верит"),
            ("ελληνας", "Έλληνας"),
            ("thematrix", "The Matrix"),
            ("jaws 1975", "Jaws"),
            ("spielberg", "Jaws"),
            ("speilberg", "Jaws"),
            ("roy scheider shark", "Jaws"),
            ("jaws nowhere", "Jaws"),
            ("a shark terrorises a beach town", "Jaws"),
            ("the town that is terrorised by sharks on its beaches", "Jaws"),
        ],
    )
    def test_finds(
        self, client: httpx.Client, people: dict[str, Person], q: str, first: str
    ) -> None:
        index_everything()
        assert titles(client, q)[0] == first

    @pytest.mark.parametrize("q", ["zzyzx", "千年", "???", "' \\ \" :* & | !", "%00", "-"])
    def test_finds_nothing(self, client: httpx.Client, sharks: dict[str, Movie], q: str) -> None:
        index_everything()
        assert titles(client, q) == []

    def test_finds_translated_titles(
        self, client: httpx.Client, make: Make, sharks: dict[str, Movie]
    ) -> None:
        jaws = sharks["Jaws"]
        make(Translation, movie_id=jaws.id, language="de", title="Der weiße Hai")
        index_everything()
        assert titles(client, "weisse hai") == ["Jaws"]
        assert titles(client, "weiße hai", language="de") == ["Der weiße Hai"]

    @pytest.mark.parametrize(
        "filters, found",
        [
            ({"genre": ["Adventure", "Comedy"]}, ["Jaws"]),
            ({"genre": "thriller"}, []),
            ({"year_from": 1976}, ["Jaws 2"]),
            ({"year_to": 1975}, ["Jaws"]),
            ({"year_from": 1975, "year_to": 1978}, ["Jaws", "Jaws 2"]),
            ({"min_score": 5.8}, ["Jaws", "Jaws 2"]),
            ({"min_score": 8.1}, ["Jaws"]),
            ({"age_rating": ["PG", "R"], "status": "released"}, ["Jaws", "Jaws 2"]),
            ({"original_language": "en"}, ["Jaws"]),
            ({"has_file": True}, ["Jaws 2"]),
            ({"has_file": False, "genre": "Thriller"}, ["Jaws"]),
            ({"resolution": ["4K", "1080p"]}, ["Jaws 2"]),
        ],
    )
    def test_filters(
        self,
        client: httpx.Client,
        make: Make,
        sharks: dict[str, Movie],
        filters: dict[str, Any],
        found: list[str],
    ) -> None:
        file = {"file_path": "/x.mkv", "file_name": "x.mkv", "file_size_bytes": 1}
        make(MediaFile, movie_id=sharks["Jaws 2"].id, resolution="4K", **file)
        index_everything()
        assert titles(client, "jaws", **filters) == found

    @pytest.mark.parametrize(
        "sort_by, found",
        [
            ("popularity:asc", ["Dentist", "Jaws 2", "Jaws", "Jawsome", "Paws"]),
            ("popularity:desc", ["Paws", "Jawsome", "Jaws", "Jaws 2", "Dentist"]),
            ("vote_average:asc", ["Jaws 2", "Jaws"]),
            ("vote_average:desc", ["Jaws", "Jaws 2"]),
            ("release_date:asc", ["Jaws", "Jaws 2"]),
            ("release_date:desc", ["Jaws 2", "Jaws"]),
            ("title:asc", ["Dentist", "Jaws", "Jaws 2", "Jawsome", "Paws"]),
            ("title:desc", ["Paws", "Jawsome", "Jaws 2", "Jaws", "Dentist"]),
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
            client.get("/search/movies", params={"q": "jaws", "page": page, "page_size": 2}).json()
            for page in (1, 2, 3, 4)
        ]
        found = [hit["document"]["title"] for each in answers for hit in each["hits"]]
        assert found == ["Jaws", "Jaws 2", "Jawsome", "Dentist", "Paws"]
        assert {(each["total_results"], each["total_pages"]) for each in answers} == {(5, 3)}
        scores = [hit["score"] for each in answers for hit in each["hits"]]
        assert scores == sorted(scores, reverse=True)

    def test_pages_end_somewhere(self, client: httpx.Client) -> None:
        index_everything()
        answer = client.get("/search/movies", params={"q": "x", "page": 101, "page_size": 100})
        assert answer.status_code == 400
        assert answer.json()["error"]["details"]["errors"][0]["path"] == "/page"

    def test_highlights(self, client: httpx.Client, sharks: dict[str, Movie]) -> None:
        index_everything()
        answer = client.get("/search/movies", params={"q": "shark towns mayor jawz england"})
        assert answer.json()["hits"][0]["highlights"] == {
            "title": "<mark>Jaws</mark>",
            "original_title": None,
            "overview": "A great white <mark>shark</mark> terrorises a New <mark>England</mark> "
            "beach <mark>town</mark> &amp; its &lt;<mark>mayor</mark>&gt;.",
        }

    def test_snippets_of_long_plots(self, client: httpx.Client, make: Make) -> None:
        plot = "It goes on. " * 50 + "Then a zeppelin lands. " + "And on it goes. " * 50
        make(Movie, title="Long", overview=plot)
        index_everything()
        hit = client.get("/search/movies", params={"q": "zeppelins"}).json()["hits"][0]
        snippet = hit["highlights"]["overview"]
        assert snippet.startswith("…")
        assert snippet.endswith("…")
        assert "a <mark>zeppelin</mark> lands" in snippet
        assert len(snippet) < 260

    def test_facets(
        self, client: httpx.Client, people: dict[str, Person], sharks: dict[str, Movie]
    ) -> None:
        index_everything()
        asked = {"q": "jaws", "genre": "Thriller", "facets": True}
        assert client.get("/search/movies", params=asked).json()["facets"] == {
            "genres": [{"value": "Thriller", "count": 2}, {"value": "Adventure", "count": 1}],
            "years": [{"value": 1978, "count": 1}, {"value": 1975, "count": 1}],
            "status": [{"value": "released", "count": 2}],
            "directors": [{"value": "Steven Spielberg", "count": 1}],
            "resolution": [],
            "has_file": [{"value": False, "count": 2}],
        }

    def test_what_is_gone_is_left_out(self, client: httpx.Client, sharks: dict[str, Movie]) -> None:
        index_everything()
        db.session.execute(delete(Movie).where(Movie.id == sharks["Jaws"].id))
        db.session.commit()
        assert titles(client, "jaws")[0] == "Jaws 2"

    def test_costs_one_query(
        self, client: httpx.Client, engine: Engine, sharks: dict[str, Movie]
    ) -> None:
        index_everything()
        titles(client, "jaws", page_size=1)
        with statements(engine) as few:
            titles(client, "jaws", page_size=1)
        with statements(engine) as many:
            titles(client, "jaws", page_size=5)
        assert len(few) == len(many)
        assert sum("FROM movies" in each for each in many) == 1

    def test_without_an_index(self, client: httpx.Client, database: None) -> None:
        index_everything()
        (folder.folder().path / "current").unlink()
        reader.refresh()
        answer = client.get("/search/movies", params={"q": "jaws"})
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        assert answer.json()["error"]["code"] == "SEARCH_UNAVAILABLE"


class TestOwnIndex:
    """What another engine decides for itself."""

    def test_filters_only_take_away(self, client: httpx.Client, make: Make) -> None:
        for number in range(FEW):
            make(Movie, title=f"Blue {number}", genres=["Drama"] if number else ["Comedy"])
        make(Movie, title="Blur", genres=["Comedy"])
        make(Movie, title="Blues and Reds", overview="Green.", genres=["Comedy"])
        index_everything()
        asked = {"q": "blue", "facets": True, "page_size": 1}
        everything = client.get("/search/movies", params=asked).json()
        assert everything["total_results"] == FEW + 1
        assert {"value": "Comedy", "count": 2} in everything["facets"]["genres"]
        assert titles(client, "blue", genre="Comedy") == ["Blue 0", "Blues and Reds"]
        facets = client.get("/search/movies/facets", params={"q": "blue", "genre": "Comedy"}).json()
        assert facets["genres"] == [{"value": "Comedy", "count": 2}]

    @pytest.mark.parametrize(
        "q, found",
        [
            ("godfather 9", ["The Godfather", "Spider-Man 9", "Rock 9"]),
            ("rocky 9", ["Rocky IV", "Rock 9", "Spider-Man 9"]),
            ("deaf composer", ["Amadeus", "Silence", "Dead Man"]),
            ("rokcy nine", ["Rocky IV"]),
        ],
    )
    def test_rare_words_count_more_where_not_all_are_found(
        self, client: httpx.Client, make: Make, q: str, found: list[str]
    ) -> None:
        make(Movie, title="Rocky IV", overview="Round nine.")
        make(Movie, title="Rock 9", popularity=50)
        make(Movie, title="Spider-Man 9", popularity=90)
        make(Movie, title="The Godfather")
        make(Movie, title="Amadeus", keywords=["composer"])
        make(Movie, title="Silence", overview="A deaf boy.")
        make(Movie, title="Dead Man", popularity=90)
        index_everything()
        assert titles(client, q) == found

    @pytest.mark.parametrize(
        "q, first",
        [
            ("rocky 4", "Rocky IV"),
            ("godfather 2", "The Godfather Part II"),
            ("star trek 2", "Star Trek II: The Wrath of Khan"),
            ("m*a*s*h", "MASH"),
            ("swat", "S.W.A.T."),
        ],
    )
    def test_titles_are_found_as_they_are_said(
        self, client: httpx.Client, make: Make, q: str, first: str
    ) -> None:
        for name in ("Rocky IV", "The Godfather Part II", "Star Trek II: The Wrath of Khan"):
            make(Movie, title=name)
        for name in ("MASH", "S.W.A.T.", "Rocky", "The Godfather", "Star Trek", "Swan"):
            make(Movie, title=name, popularity=90)
        index_everything()
        assert titles(client, q)[0] == first
        answer = client.get("/search/movies/autocomplete", params={"q": q})
        assert answer.json()["suggestions"][0]["title"] == first
