"""The language in which titles come: of `language`, else of `Accept-Language`."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from marquee.catalogue.collections.models import Collection
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.translations.models import Translation
from tests.answers import refused
from tests.queries import statements

Make = Callable[..., Any]
OVERVIEW = "A great white shark."


@pytest.fixture
def film(make: Make) -> Movie:
    """A film in German, in Brazilian Portuguese, and with an Austrian title."""
    saga = make(Collection, name="Jaws Collection")
    film: Movie = make(
        Movie,
        title="Jaws",
        original_title="JAWS",
        overview=OVERVIEW,
        vote_count=200,
        vote_average=8,
        collection_id=saga.id,
    )
    make(
        Translation,
        movie_id=film.id,
        language="de",
        title="Der weiße Hai",
        overview="Ein großer Hai.",
    )
    make(Translation, movie_id=film.id, language="de-AT", title="Der weisse Hai")
    make(Translation, movie_id=film.id, language="pt-BR", title="Tubarão")
    make(Translation, movie_id=film.id, language="it", title=None, tagline="Lo squalo")
    make(Movie, title="Untranslated")
    return film


class TestLanguage:
    @pytest.mark.parametrize(
        "language,accept,title",
        [
            (None, None, "Jaws"),
            ("de", None, "Der weiße Hai"),
            ("de-AT", None, "Der weisse Hai"),
            ("de-CH", None, "Der weiße Hai"),
            ("pt", None, "Tubarão"),
            ("fr", None, "Jaws"),
            ("it", None, "Jaws"),
            ("de", "pt", "Der weiße Hai"),
            (None, "de", "Der weiße Hai"),
            (None, "DE-at", "Der weisse Hai"),
            (None, "fr, pt-PT;q=0.5, de;q=0.9", "Der weiße Hai"),
            (None, "de;q=0.4, pt;q=0.8", "Tubarão"),
            (None, "en-US, de;q=0.9", "Jaws"),
            (None, "*, de;q=0.9", "Jaws"),
            (None, "de;q=0, *", "Jaws"),
            (None, "de;q=1.5, pt;q=0.1", "Tubarão"),
            (None, "fr, *;q=0.5, de;q=0.1", "Jaws"),
            (None, "", "Jaws"),
            (None, ",;q=,de-;é".replace("é", "?"), "Jaws"),
            (None, "tlh, " * 40 + "de", "Der weiße Hai"),
        ],
    )
    def test_chooses_the_best(
        self,
        client: httpx.Client,
        film: Movie,
        language: str | None,
        accept: str | None,
        title: str,
    ) -> None:
        query = {"language": language} if language else {}
        headers = {"Accept-Language": accept} if accept is not None else {}
        shown = client.get(f"/movies/{film.id}", params=query, headers=headers).json()
        assert (shown["title"], shown["original_title"]) == (title, "JAWS")

    def test_takes_what_is_missing_from_the_language_itself(
        self, client: httpx.Client, film: Movie
    ) -> None:
        austrian = client.get(f"/movies/{film.id}", params={"language": "de-AT"}).json()
        assert austrian["overview"] == "Ein großer Hai."
        italian = client.get(f"/movies/{film.id}", params={"language": "it"}).json()
        assert (italian["tagline"], italian["overview"]) == ("Lo squalo", OVERVIEW)

    @pytest.mark.parametrize(
        "path",
        [
            "/movies?query=jaws",
            "/movies/search?query=jaws",
            "/movies/top-rated",
            "/movies/recently-added?page=2&page_size=1",
            "/collections/{collection_id}/movies",
        ],
    )
    def test_of_lists_costs_one_statement(
        self, client: httpx.Client, engine: Engine, film: Movie, path: str
    ) -> None:
        path = path.format(collection_id=film.collection_id)
        with statements(engine) as plain:
            assert [each["title"] for each in client.get(path).json()["results"]] == ["Jaws"]
        with statements(engine) as german:
            answer = client.get(path, headers={"Accept-Language": "de"})
        assert [each["title"] for each in answer.json()["results"]] == ["Der weiße Hai"]
        assert len(german) == len(plain) + 1

    def test_each_has_an_etag_of_its_own(self, client: httpx.Client, film: Movie) -> None:
        stored = client.get(f"/movies/{film.id}")
        headers = {"Accept-Language": "de", "If-None-Match": stored.headers["etag"]}
        german = client.get(f"/movies/{film.id}", headers=headers)
        assert (german.status_code, german.json()["title"]) == (200, "Der weiße Hai")
        assert "accept-language" in german.headers["vary"].lower()
        headers["If-None-Match"] = german.headers["etag"]
        again = client.get(f"/movies/{film.id}", headers=headers)
        assert again.status_code == 304
        assert "accept-language" in again.headers["vary"].lower()

    @pytest.mark.parametrize("language", ["", "d", "deu", "DE", "de-at", "de_AT", "*"])
    def test_what_is_no_language(self, client: httpx.Client, film: Movie, language: str) -> None:
        answer = client.get(f"/movies/{film.id}", params={"language": language})
        assert refused(answer) == (400, "VALIDATION_ERROR")
