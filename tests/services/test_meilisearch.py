"""src/marquee/services/meilisearch.py against a fake of Meilisearch, and the public client against
the same.
"""

from collections.abc import Iterator
from typing import Any

import meilisearch as public
import pytest
from meilisearch.errors import MeilisearchApiError

from marquee.errors import TimedOut, Unavailable
from marquee.services.http import UpstreamNotFound
from marquee.services.meilisearch import Meilisearch, TaskFailed
from tests.fakes.meilisearch import KEY, FakeMeilisearch
from tests.services.conftest import Clock, Lines

FILMS: list[dict[str, Any]] = [
    {"id": "1", "title": "Jaws", "genres": ["Thriller"], "year": 1975, "popularity": 60},
    {"id": "2", "title": "Jaws 2", "genres": ["Thriller", "Sequel"], "year": 1978, "popularity": 9},
    {"id": "3", "title": "Jawsome", "genres": ["Comedy"], "popularity": 90},
    {"id": "4", "title": "The Matrix", "genres": ["Science Fiction"], "year": 1999},
]
SETTINGS = {
    "searchableAttributes": ["title"],
    "filterableAttributes": ["genres", "year"],
    "sortableAttributes": ["year"],
    "rankingRules": ["sort", "words", "typo", "attributeRank", "exactness", "popularity:desc"],
}


@pytest.fixture
def fake() -> Iterator[FakeMeilisearch]:
    with FakeMeilisearch(delay=0.001) as fake:
        yield fake


@pytest.fixture
def engine(fake: FakeMeilisearch, lines: Lines) -> Meilisearch:
    return Meilisearch(fake.url, KEY, log=lines.log)


@pytest.fixture
def films(engine: Meilisearch) -> str:
    """The name of an index of films."""
    made = [engine.create("films"), engine.configure("films", SETTINGS), engine.add("films", FILMS)]
    engine.wait(made, 5)
    return "films"


class TestSearch:
    def test_answers_each_query(self, engine: Meilisearch, films: str) -> None:
        named, sorted_ones, counted = engine.search(
            films,
            [
                {"q": "jaws", "showRankingScore": True, "attributesToRetrieve": ["id"]},
                {"q": "", "sort": ["year:desc"], "filter": ["year < 1990"]},
                {"q": "", "limit": 0, "facets": ["genres", "year"]},
            ],
        )
        assert [hit.id for hit in named.hits] == ["1", "2", "3"]
        assert named.hits[0].fields.keys() == {"id", "_rankingScore"}
        scores = [hit.score for hit in named.hits]
        assert scores == sorted(scores, reverse=True)
        assert [hit.id for hit in sorted_ones.hits] == ["2", "1"]
        assert counted.hits == []
        assert counted.facets["genres"]["Thriller"] == 2
        assert counted.facets["year"] == {"1975": 1, "1978": 1, "1999": 1}

    def test_of_an_index_that_is_not_there(self, engine: Meilisearch) -> None:
        with pytest.raises(UpstreamNotFound):
            engine.search("films", [{"q": "jaws"}])

    def test_is_tried_once(self, engine: Meilisearch, fake: FakeMeilisearch, films: str) -> None:
        fake.breaks("status", status=503, retry_after="10")
        before = len(fake.seen)
        with pytest.raises(Unavailable) as caught:
            engine.search(films, [{"q": "jaws"}])
        assert caught.value.headers == {"Retry-After": "10"}
        assert len(fake.seen) == before + 1

    @pytest.mark.parametrize("kind", ["broken_json", "empty", "html", "wrong_types", "truncated"])
    def test_of_nonsense(
        self, engine: Meilisearch, fake: FakeMeilisearch, films: str, kind: str
    ) -> None:
        fake.breaks(kind)
        with pytest.raises(Unavailable):
            engine.search(films, [{"q": "jaws", "facets": ["genres"], "showRankingScore": True}])

    def test_tells_nobody_the_key(self, fake: FakeMeilisearch, lines: Lines) -> None:
        engine = Meilisearch(fake.url, "another key", log=lines.log)
        with pytest.raises(Unavailable):
            engine.search("films", [])
        assert lines.entries()[0]["outcome"] == "key_refused"
        assert "another key" not in lines.text

    def test_takes_no_longer_than_it_may(self, fake: FakeMeilisearch, lines: Lines) -> None:
        fake.breaks("slow", seconds=5)
        with pytest.raises(TimedOut):
            Meilisearch(fake.url, KEY, timeout=0.1, log=lines.log).search("films", [])


class TestKeeping:
    def test_writes_and_removes(self, engine: Meilisearch, films: str) -> None:
        engine.wait([engine.add(films, [{"id": "1", "title": "Duel"}])], 5)
        assert engine.document(films, "1") == {"id": "1", "title": "Duel"}
        assert engine.number_of_documents(films) == 4
        engine.wait([engine.remove(films, ["1", "no-such"])], 5)
        assert engine.document(films, "1") is None
        assert engine.number_of_documents(films) == 3

    def test_swaps(self, engine: Meilisearch, films: str) -> None:
        engine.wait([engine.create("other"), engine.swap(films, "other")], 5)
        assert (engine.number_of_documents(films), engine.number_of_documents("other")) == (0, 4)
        assert engine.indexes() == ["films", "other"]
        engine.wait([engine.delete("other")], 5)
        assert engine.indexes() == ["films"]
        assert (engine.document("other", "1"), engine.number_of_documents("other")) == (None, 0)

    def test_tells_of_what_could_not_be_done(self, engine: Meilisearch, films: str) -> None:
        with pytest.raises(TaskFailed) as caught:
            engine.wait([engine.swap(films, "none")], 5)
        assert caught.value.reason == "index_not_found"

    def test_waits_for_so_long(self, lines: Lines, clock: Clock) -> None:
        with FakeMeilisearch(delay=60) as fake:
            engine = Meilisearch(fake.url, KEY, log=lines.log, timing=clock.timing)
            with pytest.raises(TimedOut):
                engine.wait([engine.create("films")], 0.05)


class TestFake:
    """The public client is content with it."""

    @pytest.fixture
    def client(self, fake: FakeMeilisearch) -> public.Client:
        return public.Client(fake.url, KEY)

    def test_with_the_public_client(self, client: public.Client) -> None:
        assert client.health() == {"status": "available"}
        client.wait_for_task(client.create_index("films", {"primaryKey": "id"}).task_uid)
        index = client.index("films")
        client.wait_for_task(index.update_settings(SETTINGS).task_uid)
        assert index.get_settings()["typoTolerance"]["minWordSizeForTypos"]["oneTypo"] == 5
        task = client.wait_for_task(index.add_documents(FILMS).task_uid)
        assert (task.status, task.type) == ("succeeded", "documentAdditionOrUpdate")
        found = index.search(
            "matirx", {"facets": ["genres"], "attributesToHighlight": ["title"], "page": 1}
        )
        assert found["hits"][0]["_formatted"]["title"] == "The <em>Matrix</em>"
        assert found["facetDistribution"] == {"genres": {"Science Fiction": 1}}
        assert (found["totalHits"], found["totalPages"]) == (1, 1)
        both = client.multi_search([{"indexUid": "films", "q": "jaws", "limit": 1}])
        assert both["results"][0]["estimatedTotalHits"] == 3
        asked = {"filter": "(genres = thriller OR year 1990 TO 2000) AND NOT year > 1998"}
        assert [each["id"] for each in index.search("", asked)["hits"]] == ["1", "2"]
        assert index.get_document("3").title == "Jawsome"
        client.wait_for_task(client.create_index("other").task_uid)
        client.wait_for_task(client.swap_indexes([{"indexes": ["films", "other"]}]).task_uid)
        assert client.index("other").get_stats().number_of_documents == 4

    def test_refuses_as_the_engine_does(self, client: public.Client, films: str) -> None:
        for search, code in (
            ({"filter": "title = Jaws"}, "invalid_search_filter"),
            ({"filter": "year >"}, "invalid_search_filter"),
            ({"sort": ["title:asc"]}, "invalid_search_sort"),
            ({"facets": ["title"]}, "invalid_search_facets"),
        ):
            with pytest.raises(MeilisearchApiError) as caught:
                client.index(films).search("jaws", search)
            assert caught.value.code == code
        with pytest.raises(MeilisearchApiError) as caught:
            client.index("none").search("jaws")
        assert (caught.value.code, caught.value.status_code) == ("index_not_found", 404)
        task = client.wait_for_task(client.index("none").delete().task_uid)
        assert (task.status, (task.error or {})["code"]) == ("failed", "index_not_found")

    def test_finds_as_the_engine_does(self, client: public.Client, films: str) -> None:
        def found(q: str, **asked: Any) -> list[str]:
            return [each["title"] for each in client.index(films).search(q, asked)["hits"]]

        assert found("jaws ") == ["Jaws", "Jaws 2"]
        assert found("zaws") == []
        assert found('"the matrix"') == ["The Matrix"]
        assert found('"matrix the"') == []
        assert found("jaws nowhere") == ["Jaws", "Jaws 2"]
        assert found("jaws nowhere", matchingStrategy="all") == []
        assert found("nowhere jaws") == []
