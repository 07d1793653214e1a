"""openapi/catalogue/images.yaml: posters of popular films, and of films known by name."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from marquee.catalogue.images import posters
from marquee.catalogue.movies import sources
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.translations.models import Translation
from marquee.services import http
from tests.answers import refused
from tests.catalogue.indexing import index_everything
from tests.contract.checking import check_answer
from tests.fakes.meilisearch import KEY as SEARCH_KEY
from tests.fakes.meilisearch import FakeMeilisearch
from tests.fakes.tmdb import KEY, FakeTmdb
from tests.fakes.tmdb_films import FILMS
from tests.queries import statements
from tests.serving import serving_with

Make = Callable[..., Any]
IMAGES = "/api/v1/images/poster/w342"


@pytest.fixture
def fresh(database: None) -> Iterator[httpx.Client]:
    """A client of a server that has stored no answer."""
    hooks = {"response": [check_answer]}
    with (
        serving_with() as url,
        httpx.Client(base_url=f"{url}/api/v1", event_hooks=hooks, timeout=30) as client,
    ):
        yield client


@pytest.fixture
def tmdb(monkeypatch: pytest.MonkeyPatch, set_variables: Callable[..., None]) -> Iterator[FakeTmdb]:
    """A TMDB that the settings name. Waits between attempts are a hundredth of the usual."""
    with FakeTmdb() as fake:
        set_variables(TMDB_API_KEY=KEY, TMDB_BASE_URL=fake.url, TMDB_TIMEOUT="0.5")
        monkeypatch.setattr(http, "FIRST_WAIT", 0.01)
        sources.source.cache_clear()
        yield fake
    set_variables(TMDB_API_KEY=None)
    sources.source.cache_clear()


def resolve(client: httpx.Client, *movies: dict[str, Any], locale: str = "en-US") -> list[Any]:
    """What is found of films."""
    answer = client.post("/movie-posters", json={"locale": locale, "movies": list(movies)})
    assert answer.status_code == 200, answer.text
    results: list[Any] = answer.json()["results"]
    return results


class TestListPosterUrls:
    def test_without_tmdb_they_are_drawn(self, fresh: httpx.Client, make: Make) -> None:
        jaws = make(Movie, title="Jaws", popularity=1e5)
        other = make(Movie, title="Other", popularity=1e4, poster_path="/abc.jpg")
        answer = fresh.get("/poster-urls")
        first, second = answer.json()["posters"][:2]
        assert (first["id"], first["title"]) == (jaws.id, "Jaws")
        assert first["poster_url"] == f"{IMAGES}/movies-{jaws.id}.webp"
        assert (second["id"], second["poster_url"]) == (other.id, f"{IMAGES}/abc.jpg")
        lifetime = "public, max-age=86400, stale-while-revalidate=3600"
        assert answer.headers["cache-control"] == lifetime
        tag = {"If-None-Match": answer.headers["etag"]}
        assert fresh.get("/poster-urls", headers=tag).status_code == 304

    def test_tmdbs(self, tmdb: FakeTmdb, fresh: httpx.Client) -> None:
        popular = sorted(FILMS.values(), key=lambda film: -film.popularity)[:20]
        found = fresh.get("/poster-urls").json()["posters"]
        assert [each["title"] for each in found] == [film.title for film in popular]
        assert found[0]["poster_url"] == f"{IMAGES}/poster{popular[0].id}.jpg"

    def test_when_tmdb_fails_they_are_the_catalogues(
        self, tmdb: FakeTmdb, fresh: httpx.Client, make: Make
    ) -> None:
        make(Movie, title="Jaws", popularity=1e5)
        tmdb.breaks("status", status=503)
        answer = fresh.get("/poster-urls")
        assert answer.json()["posters"][0]["title"] == "Jaws"
        assert answer.headers["cache-control"] == "public, max-age=60"


class TestResolveMoviePosters:
    def test_by_name_and_year(self, anonymous: httpx.Client, make: Make) -> None:
        make(Movie, title="The Thing", year=1951, popularity=9)
        thing = make(Movie, title="The Thing", year=1982, overview="Ice.")
        make(Movie, title="Thing", year=1982, popularity=99)
        (found,) = resolve(anonymous, {"id": "a", "name": "the thing!", "year": 1981})
        assert found == {
            "id": "a",
            "poster_url": f"{IMAGES}/movies-{thing.id}.webp",
            "localized_name": "The Thing",
            "localized_overview": "Ice.",
        }

    def test_by_tmdb_id_first(self, anonymous: httpx.Client, make: Make) -> None:
        make(Movie, title="Jaws", year=1975, tmdb_id=1, poster_path="/wrong.jpg")
        make(Movie, title="Der weiße Hai", year=1975, tmdb_id=578, poster_path="/right.jpg")
        wanted = {"name": "Jaws", "year": 1975}
        found = resolve(
            anonymous,
            {"id": "1", **wanted, "tmdb_id": 578},
            {"id": "2", **wanted},
            {"id": "3", **wanted, "tmdb_id": 99},
        )
        paths = [f"{IMAGES}/right.jpg", f"{IMAGES}/wrong.jpg", None]
        assert [each["poster_url"] for each in found] == paths
        assert [each["id"] for each in found] == ["1", "2", "3"]

    def test_in_a_language(self, anonymous: httpx.Client, make: Make) -> None:
        jaws = make(Movie, title="Jaws", overview="A shark.")
        make(
            Translation, movie_id=jaws.id, language="de", title="Der weiße Hai", overview="Ein Hai."
        )
        make(Movie, title="Alien", overview="A ship.")
        wanted = {"id": "a", "name": "Jaws"}, {"id": "b", "name": "Alien"}
        german, untranslated = resolve(anonymous, *wanted, locale="de-AT")
        assert (german["localized_name"], german["localized_overview"]) == (
            "Der weiße Hai",
            "Ein Hai.",
        )
        assert (untranslated["localized_name"], untranslated["localized_overview"]) == (None, None)
        assert untranslated["poster_url"]

    def test_each_text_in_the_language_alone(self, anonymous: httpx.Client, make: Make) -> None:
        raiders = make(Movie, title="Raiders of the Lost Ark", overview="An archaeologist.")
        make(Translation, movie_id=raiders.id, language="de", title="Jäger")
        (found,) = resolve(anonymous, {"id": "a", "name": raiders.title}, locale="de")
        assert (found["localized_name"], found["localized_overview"]) == ("Jäger", None)

    def test_by_a_name_in_another_language(
        self, anonymous: httpx.Client, make: Make, engine: Engine
    ) -> None:
        for number in range(20):
            film = make(Movie, title=f"Film {number}", year=2000, popularity=number)
            names = {"de": f"Der Film Nummer {number}", "fr": "Un film"}
            for language, name in names.items():
                make(Translation, movie_id=film.id, language=language, title=name)
        index_everything()
        counts = []
        for many in (1, 20):
            wanted = [{"id": str(i), "name": f"der film nummer {i}"} for i in range(many)]
            with statements(engine) as sent:
                found = resolve(anonymous, *wanted, locale="de")
            counts.append(len(sent))
            names = [each["localized_name"] for each in found]
            assert names == [f"Der Film Nummer {i}" for i in range(many)]
        assert counts[0] == counts[1]
        popular, far = resolve(
            anonymous,
            {"id": "a", "name": "un film", "year": 2001},
            {"id": "b", "name": "un film", "year": 2005},
            locale="de",
        )
        assert popular["localized_name"] == "Der Film Nummer 19"
        assert far["poster_url"] is None

    def test_by_a_name_in_another_language_with_an_engine_of_ones_own(
        self, anonymous: httpx.Client, make: Make, set_variables: Callable[..., None]
    ) -> None:
        jaws = make(Movie, title="Jaws", year=1975)
        make(Translation, movie_id=jaws.id, language="de", title="Der weiße Hai")
        wanted = {"id": "a", "name": "Der weiße Hai", "year": 1976}, {"id": "b", "name": "Ein Hai"}
        with FakeMeilisearch(delay=0.001) as fake:
            set_variables(SEARCH_URL=fake.url, SEARCH_API_KEY=SEARCH_KEY, SEARCH_TIMEOUT="1")
            index_everything()
            known, unknown = resolve(anonymous, *wanted, locale="de")
            assert (known["localized_name"], unknown["poster_url"]) == ("Der weiße Hai", None)
            fake.breaks("status", status=500)
            known, _ = resolve(anonymous, *wanted, locale="de")
            assert known["poster_url"] is None

    def test_a_batch_costs_no_more_statements(
        self, anonymous: httpx.Client, make: Make, engine: Engine
    ) -> None:
        for number in range(50):
            make(Movie, title=f"Film {number}", year=2000)
        counts = []
        for number in (1, 50):
            with statements(engine) as sent:
                found = resolve(
                    anonymous, *({"id": str(i), "name": f"film {i}"} for i in range(number))
                )
            counts.append(len(sent))
            assert all(each["poster_url"] for each in found)
        assert counts[0] == counts[1]

    def test_tmdb_knows_what_the_catalogue_lacks(
        self, tmdb: FakeTmdb, anonymous: httpx.Client, make: Make
    ) -> None:
        mine = make(Movie, title="My own film")
        known, by_name, by_id, unknown = resolve(
            anonymous,
            {"id": "a", "name": "My own film"},
            {"id": "b", "name": "Fight Club", "year": 1999},
            {"id": "c", "name": "?", "tmdb_id": 550},
            {"id": "d", "name": "There is no such film"},
        )
        assert known["poster_url"] == f"{IMAGES}/movies-{mine.id}.webp"
        for each in (by_name, by_id):
            assert (each["poster_url"], each["localized_name"]) == (
                f"{IMAGES}/poster550.jpg",
                "Fight Club",
            )
        assert unknown == {**dict.fromkeys(unknown), "id": "d"}
        assert len(tmdb.seen) == 3

    def test_tmdb_is_asked_so_many_times_only(
        self, tmdb: FakeTmdb, anonymous: httpx.Client
    ) -> None:
        resolve(anonymous, *({"id": str(i), "name": f"Nothing {i}"} for i in range(50)))
        assert len(tmdb.seen) == posters.MOST_CALLS

    def test_what_tmdb_does_not_tell_in_time_is_left_out(
        self, tmdb: FakeTmdb, anonymous: httpx.Client, make: Make, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(posters, "SECONDS", 0.2)
        make(Movie, title="Jaws")
        tmdb.breaks("slow", seconds=2)
        started = time.monotonic()
        known, late = resolve(
            anonymous, {"id": "a", "name": "Jaws"}, {"id": "b", "name": "Fight Club"}
        )
        assert time.monotonic() - started < 1
        assert (bool(known["poster_url"]), late["poster_url"]) == (True, None)

    @pytest.mark.parametrize(
        "body",
        [
            {"movies": [{"id": "a", "name": "Jaws"}]},
            {"locale": "en-US", "movies": []},
            {"locale": "en-US", "movies": [{"id": str(i), "name": "x"} for i in range(51)]},
            {"locale": "english", "movies": [{"id": "a", "name": "Jaws"}]},
            {"locale": "en-US", "movies": [{"id": "a", "name": " "}]},
            {"locale": "en-US", "movies": [{"id": 1, "name": "Jaws"}]},
        ],
    )
    def test_400(self, anonymous: httpx.Client, body: Any) -> None:
        assert refused(anonymous.post("/movie-posters", json=body)) == (400, "VALIDATION_ERROR")

    def test_413(self, anonymous: httpx.Client) -> None:
        movies = [{"id": str(i), "name": "x" * 500} for i in range(70)]
        answer = anonymous.post("/movie-posters", json={"locale": "en-US", "movies": movies})
        assert refused(answer) == (413, "PAYLOAD_TOO_LARGE")

    def test_429(self, database: None) -> None:
        with (
            serving_with(rate_limit_posters="1/minute") as url,
            httpx.Client(
                base_url=f"{url}/api/v1", event_hooks={"response": [check_answer]}
            ) as client,
        ):
            body = {"locale": "en-US", "movies": [{"id": "a", "name": "Jaws"}]}
            statuses = [client.post("/movie-posters", json=body).status_code for _ in "ab"]
        assert statuses == [200, 429]
