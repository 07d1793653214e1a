"""Similar films."""

from collections.abc import Callable
from typing import Any

import httpx
from sqlalchemy import Engine

from marquee.catalogue.collections.models import Collection
from marquee.catalogue.files.models import MediaFile
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.people.models import Credit, Person
from tests.answers import refused
from tests.catalogue.embedded import MODEL
from tests.catalogue.tmdb import Serve
from tests.fakes.tmdb import FakeTmdb
from tests.queries import statements

Make = Callable[..., Any]


class TestListSimilarMovies:
    def test_gives_the_nearest_with_what_both_have(
        self, client: httpx.Client, make: Make, embed: Callable[..., None]
    ) -> None:
        saga = make(Collection, name="Jaws")
        genres, words = ["Thriller", "Horror"], ["shark", "beach"]
        both = {"genres": genres, "keywords": words, "collection_id": saga.id, "overview": "Teeth."}
        jaws = make(Movie, title="Jaws", year=1975, **both)
        second = make(Movie, title="Jaws 2", year=1978, **both)
        other = make(Movie, title="Up", genres=["Animation"])
        roy, steven = make(Person, name="Roy Scheider"), make(Person, name="Steven Spielberg")
        for film in (jaws, second):
            make(Credit, movie_id=film.id, person_id=roy.id, job="actor", position=0)
        make(Credit, movie_id=jaws.id, person_id=steven.id, job="director")
        make(Credit, movie_id=second.id, person_id=steven.id, job="actor", position=1)
        file = {"file_path": "/films/2.mkv", "file_name": "2.mkv", "file_size_bytes": 1}
        make(MediaFile, movie_id=second.id, **file)
        embed(jaws, 1)
        embed(second, 1, 0.2)
        embed(other, 0, 0, 1)
        answer = client.get(f"/movies/{jaws.id}/similar")
        assert answer.status_code == 200
        first, last = answer.json().pop("similar")
        assert 0.9 < first.pop("similarity") < 1
        assert first == {
            "id": second.id,
            "title": "Jaws 2",
            "year": 1978,
            "poster_url": f"/api/v1/images/poster/w342/movies-{second.id}.webp",
            "genres": genres,
            "reasons": [
                "Of the same collection",
                "Also with Roy Scheider",
                "A similar story",
                "Both about shark and beach",
                "Both Thriller and Horror",
            ],
            "in_library": True,
        }
        assert (last["id"], last["reasons"], last["in_library"]) == (other.id, [], False)
        assert last["similarity"] < 0.1
        head = {"movie_id": jaws.id, "source": "vector", "total_results": 2}
        assert {name: answer.json()[name] for name in head} == head

    def test_gives_no_title_twice_nor_the_film_itself(
        self, client: httpx.Client, make: Make, embed: Callable[..., None]
    ) -> None:
        films = [make(Movie, title=title, year=1975) for title in ("Jaws", "Jaws", "Up", "Up")]
        for film in films:
            embed(film, 1)
        similar = client.get(f"/movies/{films[0].id}/similar").json()["similar"]
        assert [each["title"] for each in similar] == ["Up"]

    def test_a_similar_story_needs_two_stories(
        self, client: httpx.Client, make: Make, embed: Callable[..., None]
    ) -> None:
        told = {"Told": "A story.", "Told too": "A story.", "Untold": None, "Untold too": ""}
        films = {title: make(Movie, title=title, overview=text) for title, text in told.items()}
        for film in films.values():
            embed(film, 1)
        for title, likes in (("Told", {"Told too"}), ("Untold", set())):
            similar = client.get(f"/movies/{films[title].id}/similar").json()["similar"]
            assert {each["title"] for each in similar if each["reasons"]} == likes

    def test_prefers_the_present_model_to_an_older_one(
        self, client: httpx.Client, make: Make, embed: Callable[..., None]
    ) -> None:
        jaws, near, far = (make(Movie, title=title) for title in ("Jaws", "Near", "Far"))
        for model, numbers in ((MODEL, (1, 0, 1)), ("old@4", (1, 1, 0))):
            for film, number in zip((jaws, near, far), numbers, strict=True):
                embed(film, number, 1 - number, model=model)
        similar = client.get(f"/movies/{jaws.id}/similar").json()["similar"]
        assert [each["title"] for each in similar] == ["Far", "Near"]

    def test_takes_an_older_model_where_there_is_no_other(
        self, client: httpx.Client, make: Make, embed: Callable[..., None]
    ) -> None:
        jaws, near = make(Movie, title="Jaws"), make(Movie, title="Near")
        for film in (jaws, near):
            embed(film, 1, model="old@4")
        answer = client.get(f"/movies/{jaws.id}/similar").json()
        assert (answer["source"], len(answer["similar"])) == ("vector", 1)

    def test_without_vector_and_key_there_are_none(self, client: httpx.Client, make: Make) -> None:
        jaws = make(Movie, title="Jaws", tmdb_id=578)
        answer = client.get(f"/movies/{jaws.id}/similar").json()
        assert answer == {
            "movie_id": jaws.id,
            "source": "tmdb",
            "similar": [],
            "total_results": 0,
        }

    def test_tmdb_recommends_where_there_is_no_vector_or_it_is_asked(
        self, serve: Serve, tmdb: FakeTmdb
    ) -> None:
        client = serve()
        film = client.get("/movies/popular").json()["results"][0]
        url = f"/movies/{film['id']}/similar"
        for query in ({}, {"source": "tmdb"}):
            answer = client.get(url, params=query).json()
            assert answer["source"] == "tmdb"
            first = answer["similar"][0]
            assert first["similarity"] is None
            assert first["reasons"]
        tmdb.breaks("status", status=500)
        assert refused(client.get(url)) == (503, "EXTERNAL_API_ERROR")
        tmdb.breaks("slow", seconds=2)
        assert refused(client.get(f"{url}?limit=9")) == (504, "EXTERNAL_API_TIMEOUT")

    def test_keeps_the_limit(
        self, client: httpx.Client, make: Make, embed: Callable[..., None]
    ) -> None:
        films = [make(Movie, title=f"Film {number}") for number in range(15)]
        for number, film in enumerate(films):
            embed(film, 1, number / 20)
        url = f"/movies/{films[0].id}/similar"
        assert len(client.get(url).json()["similar"]) == 10
        similar = client.get(url, params={"limit": 3}).json()["similar"]
        assert [each["title"] for each in similar] == ["Film 1", "Film 2", "Film 3"]
        for limit in (0, 51):
            assert client.get(url, params={"limit": limit}).status_code == 400

    def test_costs_the_same_for_few_and_many(
        self, client: httpx.Client, make: Make, embed: Callable[..., None], engine: Engine
    ) -> None:
        films = [make(Movie, title=f"Film {number}") for number in range(12)]
        for film in films:
            embed(film, 1)
        url = f"/movies/{films[0].id}/similar"
        client.get(url)
        counts = []
        for limit in (1, 10):
            with statements(engine) as sent:
                client.get(url, params={"limit": limit})
            counts.append(len(sent))
        assert counts[0] == counts[1] <= 8

    def test_refuses_an_unknown_film(self, client: httpx.Client) -> None:
        answer = client.get("/movies/999999/similar")
        assert refused(answer) == (404, "MOVIE_NOT_FOUND")
