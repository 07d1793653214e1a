"""openapi/taste/recommendations.yaml: why a title is recommended."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from marquee.catalogue.movies.models import Movie
from marquee.identity.users.models import User
from marquee.taste.favorites.models import Favorite
from marquee.taste.ratings.models import Rating
from marquee.taste.recommendations import explaining
from tests.answers import refused
from tests.fakes.openai import KEY, FakeOpenAI
from tests.queries import statements
from tests.taste.recommended import listed, rate, work

Make = Callable[..., Any]


class TestGetRecommendationInsights:
    def test_why(
        self, client: httpx.Client, make: Make, me: User, viewers: list[User], catalogue: Any
    ) -> None:
        films = catalogue["films"]
        rate(make, me, films[0], films[2])
        rate(make, me, films[4], score=6)
        make(Favorite, user_id=me.id, movie_id=films[0].id)
        work(me)
        first = listed(client, me)["recommendations"][0]
        path = f"/users/{me.id}/recommendations/movie/{first['movie_id']}/insights"
        answer = client.get(path).json()
        assert (answer["is_recommended"], answer["is_selected"], answer["rank"]) == (True, True, 1)
        assert answer["scores"]["score_breakdown"] == first["score_breakdown"]
        types = {each["title"]["title"]: each["evidence_type"] for each in answer["evidence"]}
        expected = {"Film 0": "favorite", "Film 2": "highly_rated", "Film 4": "watched"}
        assert types.items() <= expected.items()
        assert types
        amounts = [each["amount"] for each in answer["evidence"]]
        assert amounts == sorted(amounts, reverse=True)
        assert answer["genre_analysis"] == {
            "title_genres": ["Horror"],
            "matching_genres": ["Horror"],
            "new_genres": [],
            "user_top_genres": ["Horror"],
        }
        words = answer["explanation"]
        assert words.startswith(f"{first['title']['title']} is number 1 of your recommendations")
        assert next(iter(types)) in words
        assert client.get(path).json() == answer

    def test_of_what_is_no_candidate(
        self, client: httpx.Client, make: Make, me: User, catalogue: Any
    ) -> None:
        films = catalogue["films"]
        rate(make, me, films[0], films[1])
        answer = client.get(f"/users/{me.id}/recommendations/movie/{films[5].id}/insights").json()
        assert (answer["run_id"], answer["rank"], answer["scores"]) == (None, None, None)
        assert answer["is_recommended"] is False
        near = [(each["title"]["title"], each["amount"]) for each in answer["evidence"]]
        assert near == [("Film 1", None), ("Film 0", None)]
        likeness = [each["likeness"] for each in answer["evidence"]]
        assert likeness[0] > likeness[1]
        assert "is not among your recommendations, but it goes with Film 1" in answer["explanation"]

    def test_a_stranger_is_told_that_it_is_popular(
        self, client: httpx.Client, me: User, catalogue: Any
    ) -> None:
        work(me)
        film = listed(client, me)["recommendations"][0]
        path = f"/users/{me.id}/recommendations/movie/{film['movie_id']}/insights"
        answer = client.get(path).json()
        assert answer["evidence"] == []
        assert "many others watch it" in answer["explanation"]

    def test_who_and_what_there_is_not(
        self, client: httpx.Client, admin: httpx.Client, me: User, other: User, catalogue: Any
    ) -> None:
        film = catalogue["films"][0].id
        path = "/users/{}/recommendations/movie/{}/insights"
        assert client.get(path.format(other.id, film)).status_code == 403
        assert refused(admin.get(path.format(999999, film))) == (404, "USER_NOT_FOUND")
        assert refused(client.get(path.format(me.id, 999999))) == (404, "MOVIE_NOT_FOUND")
        answer = client.get(path.format(me.id, film), params={"run_id": 999999})
        assert refused(answer) == (404, "RECOMMENDATION_RUN_NOT_FOUND")

    def test_a_number_of_statements_that_does_not_grow(
        self, client: httpx.Client, make: Make, me: User, catalogue: Any, engine: Engine
    ) -> None:
        films = catalogue["films"]

        def asked() -> int:
            with statements(engine) as sent:
                client.get(f"/users/{me.id}/recommendations/movie/{films[9].id}/insights")
            return len(sent)

        asked()
        before = asked()
        rate(make, me, *films[:8])
        assert asked() == before


@pytest.fixture
def fake() -> Iterator[FakeOpenAI]:
    with FakeOpenAI() as fake:
        yield fake


@pytest.fixture
def told(set_variables: Callable[..., None], fake: FakeOpenAI) -> FakeOpenAI:
    """A language model that explains."""
    explaining._written.cache_clear()  # noqa: SLF001 - sentences of another test
    set_variables(TEXT_URL=fake.url, TEXT_API_KEY=KEY, TEXT_MODEL="a-model")
    return fake


class TestExplanation:
    @pytest.fixture
    def explain(
        self, client: httpx.Client, make: Make, me: User, catalogue: Any
    ) -> Callable[[], str]:
        film, liked = catalogue["films"][5], catalogue["films"][1]
        make(Movie, title="The Godfather")
        rate(make, me, liked)
        path = f"/users/{me.id}/recommendations/movie/{film.id}/insights"

        def explain() -> str:
            words: str = client.get(path).json()["explanation"]
            return words

        return explain

    def test_is_the_models_once(self, told: FakeOpenAI, explain: Callable[[], str]) -> None:
        told.says = "Because you like Film 1, the Comedy of Film 5 may suit you."
        assert explain() == told.says
        assert explain() == told.says
        assert len(told.seen) == 1

    @pytest.mark.parametrize(
        "says",
        [
            "Like The Godfather, Film 5 is a comedy.",
            "You liked Film 1. Godfather fans will love this.",
            "It is as good as “Some Unknown Thing”.",
            "Since Film 5 is not Film 7, it will do.",
        ],
    )
    def test_names_nothing_else(
        self, told: FakeOpenAI, explain: Callable[[], str], says: str
    ) -> None:
        told.says = says
        assert explain().startswith("Film 5 is not among your recommendations")
        assert told.seen

    def test_is_plain_where_nobody_writes(
        self, told: FakeOpenAI, explain: Callable[[], str]
    ) -> None:
        told.stop()
        assert explain().startswith("Film 5 is not among your recommendations")


class TestGetSeriesInsights:
    def test_why(
        self, client: httpx.Client, make: Make, me: User, viewers: list[User], catalogue: Any
    ) -> None:
        shows = catalogue["shows"]
        make(Rating, user_id=me.id, tvshow_id=shows[0].id, score=9)
        rate(make, me, *catalogue["films"][0:4:2])
        work(me)
        path = f"/users/{me.id}/recommendations/tvshow"
        answer = client.get(f"{path}/{shows[2].id}/insights").json()
        assert (answer["is_selected"], answer["rank"]) == (True, 1)
        kinds = {each["media_type"] for each in answer["evidence"]}
        assert "tvshow" in kinds
        assert refused(client.get(f"{path}/999999/insights")) == (404, "TV_SHOW_NOT_FOUND")

    def test_not_anothers(self, client: httpx.Client, other: User, catalogue: Any) -> None:
        show = catalogue["shows"][0].id
        path = f"/users/{other.id}/recommendations/tvshow/{show}/insights"
        assert client.get(path).status_code == 403
