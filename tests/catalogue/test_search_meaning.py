"""Finding films and series by describing them: src/marquee/catalogue/search/blending.py."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from marquee import db
from marquee.catalogue.embeddings import making
from marquee.catalogue.embeddings.kinds import MOVIES, TVSHOWS
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.search import blending
from marquee.catalogue.tvshows.models import TVShow
from marquee.progress import Progress
from tests.catalogue.indexing import index_everything

Make = Callable[..., Any]
PLOTS = {
    "Jaws": "A great white shark attacks swimmers, and the police chief of the town hunts it.",
    "Ratatouille": "A rat who can cook makes an alliance with a kitchen worker in Paris.",
    "Groundhog Day": "A weatherman lives the same day over and over again.",
    "The Killer Cook of the Old Town": "A policeman hunts a murderer.",
}


def titles(client: httpx.Client, q: str, path: str = "/search/movies", **asked: Any) -> list[str]:
    """The titles that are found, in order."""
    answer = client.get(path, params={"q": q, **asked})
    assert answer.status_code == 200, answer.text
    return [hit["document"]["title"] for hit in answer.json()["hits"]]


@pytest.fixture
def films(make: Make) -> None:
    """Films with vectors, by the model that is there."""
    for year, (title, overview) in enumerate(PLOTS.items(), start=1990):
        make(Movie, title=title, overview=overview, year=year)
    make(TVShow, title="Dark", overview="Children vanish in a German town, and time is a knot.")
    db.session.remove()
    for kind in (MOVIES, TVSHOWS):
        making.make(kind, Progress())
    index_everything()


@pytest.mark.usefixtures("films")
class TestSearchMovies:
    @pytest.mark.parametrize(
        "q,title",
        [
            ("giant fish eats people who bathe in the sea", "Jaws"),
            ("ein Hai greift badende Menschen an", "Jaws"),
            ("una rata que cocina en un restaurante", "Ratatouille"),
            ("un homme revit sans cesse la même journée", "Groundhog Day"),
        ],
    )
    def test_finds_what_is_described(self, client: httpx.Client, q: str, title: str) -> None:
        assert titles(client, q)[0] == title

    def test_a_title_stays_before_what_it_might_mean(self, client: httpx.Client) -> None:
        found = titles(client, "killer cook of the old town")
        assert found[0] == "The Killer Cook of the Old Town"
        assert titles(client, "jaws") == ["Jaws"]

    def test_few_words_that_count_describe_where_not_all_are_found(
        self, client: httpx.Client
    ) -> None:
        assert "Ratatouille" in titles(client, "a rodent who is a great chief")
        assert titles(client, "the killer cooke of the twon") == ["The Killer Cook of the Old Town"]

    def test_facets_are_of_what_is_found(self, client: httpx.Client) -> None:
        q = "giant fish eats people who bathe in the sea"
        found = client.get("/search/movies", params={"q": q, "facets": True}).json()
        assert found["facets"]["years"]
        assert client.get("/search/movies/facets", params={"q": q}).json() == found["facets"]

    def test_filters_hold_for_what_is_found_by_meaning(self, client: httpx.Client) -> None:
        q = "giant fish eats people who bathe in the sea"
        assert "Jaws" not in titles(client, q, year_from=1991)

    def test_pages_have_every_find_once(self, client: httpx.Client) -> None:
        asked = {"q": "policeman hunts somebody who kills swimmers", "page_size": 1}
        first = client.get("/search/movies", params=asked).json()
        found = []
        for page in range(1, first["total_pages"] + 1):
            hits = client.get("/search/movies", params={**asked, "page": page}).json()["hits"]
            found += [(hit["document"]["id"], hit["score"]) for hit in hits]
        assert len({id_ for id_, _ in found}) == len(found) == first["total_results"] == 4
        assert sorted(found, key=lambda each: -each[1]) == found

    def test_words_alone_answer_where_the_embedder_does_not_serve(
        self, client: httpx.Client, set_variables: Callable[..., None]
    ) -> None:
        set_variables(EMBEDDINGS_URL="http://127.0.0.1:9/v1")
        assert titles(client, "the police chief hunts a great white shark")[0] == "Jaws"
        assert titles(client, "una rata que cocina muy bien") == []


@pytest.mark.usefixtures("films")
class TestBeyondTheBest:
    def test_scores_do_not_rise_again(
        self, client: httpx.Client, make: Make, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for number, word in enumerate(("murderer", "policeman", "shark", "swimmers") * 2):
            make(Movie, title=f"Film {number}", overview=f"A {word}." + " Much else." * number)
        index_everything()
        monkeypatch.setattr(blending, "BY_WORDS", 2)
        monkeypatch.setattr(blending, "BY_MEANING", 2)
        asked = {"q": "a policeman hunts the murderer of swimmers by sharks", "page_size": 2}
        scores: list[float] = []
        for page in range(1, 6):
            found = client.get("/search/movies", params={**asked, "page": page}).json()
            scores += (hit["score"] for hit in found["hits"])
        assert scores == sorted(scores, reverse=True)
        assert len(set(scores)) > 6


@pytest.mark.usefixtures("films")
class TestSearchTvshows:
    def test_finds_what_is_described(self, client: httpx.Client) -> None:
        q = "Kinder verschwinden in einer kleinen Stadt"
        assert titles(client, q, "/search/tvshows") == ["Dark"]
