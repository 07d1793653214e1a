"""openapi/catalogue/tvshows.yaml: lists of series."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, insert

from marquee import db
from marquee.catalogue.translations.models import Translation
from marquee.catalogue.tvshows.models import TVShow
from marquee.identity.users.models import User
from tests.answers import refused
from tests.catalogue.series import make_series
from tests.queries import statements

Make = Callable[..., Any]
BAD, DEAD, CONAN, SOON = "Breaking Bad", "Les Revenants", "名探偵コナン", "An Announcement"


@pytest.fixture
def series(make: Make) -> dict[str, TVShow]:
    """A few series, by title."""
    return make_series(make)


@pytest.fixture
def nobody(client_of: Callable[..., httpx.Client], make: Make) -> httpx.Client:
    """A client of a user without any role."""
    return client_of(make(User))


def titles(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [show["title"] for show in answer.json()["results"]]


class TestListTvshows:
    def test_shows_the_contracts_fields_and_no_others(
        self, client: httpx.Client, series: dict[str, TVShow]
    ) -> None:
        page = client.get("/tvshows", params={"query": "breaking"}).json()
        assert {name: page[name] for name in page if name != "results"} == {
            "page": 1,
            "page_size": 20,
            "total_pages": 1,
            "total_results": 1,
            "total_is_estimate": False,
        }
        (shown,) = page["results"]
        assert (shown["id"], shown["title"]) == (series[BAD].id, BAD)
        assert (shown["year"], shown["end_year"]) == (2008, 2013)
        assert (shown["total_seasons"], shown["total_episodes"]) == (5, 50)
        assert (shown["rt_score"], shown["networks"]) == (96, ["AMC"])
        assert shown["poster_url"] == f"/api/v1/images/poster/w342/tvshows-{series[BAD].id}.webp"
        assert not {"search_title", "keywords", "watch_providers", "metacritic_score"} & set(shown)

    def test_tells_the_year_in_which_it_ended(
        self, client: httpx.Client, series: dict[str, TVShow]
    ) -> None:
        found = client.get("/tvshows").json()["results"]
        years = {show["title"]: show["end_year"] for show in found}
        assert years == {BAD: 2013, DEAD: 2015, CONAN: None, SOON: None}

    @pytest.mark.parametrize(
        "query,expected",
        [
            ("query=revenants", {DEAD}),
            ("query=bad break", {BAD}),
            ("query=名探偵", {CONAN}),
            ("year_from=2008", {BAD, DEAD}),
            ("year_to=2008", {BAD, CONAN}),
            ("min_score=7.8", {BAD, CONAN}),
            ("age_rating=TV-MA", {BAD, DEAD}),
            ("age_rating=TV-14&age_rating=TV-MA", {BAD, DEAD, CONAN}),
            ("genre=Crime", {BAD, CONAN}),
            ("genre=Horror&genre=Animation", {DEAD, CONAN}),
            ("country=France", {DEAD}),
            ("network=NTV", {CONAN}),
            ("network=AMC&network=Canal%2B", {BAD, DEAD}),
            ("network=ntv", set()),
            ("status=ended&status=canceled", {BAD, DEAD}),
            ("min_seasons=5", {BAD, CONAN}),
            ("max_seasons=5", {BAD, DEAD, SOON}),
            ("min_seasons=1&max_seasons=2", {DEAD}),
            ("min_rt_score=97", {DEAD}),
            ("min_metacritic=60", {BAD, CONAN}),
            ("has_awards=true", {BAD}),
            ("has_awards=false", {DEAD, CONAN, SOON}),
            (
                "genre=Drama&status=ended&min_seasons=2&network=AMC&query=brea&has_awards=true",
                {BAD},
            ),
        ],
    )
    def test_filters(
        self, client: httpx.Client, series: dict[str, TVShow], query: str, expected: set[str]
    ) -> None:
        answer = client.get(f"/tvshows?{query}")
        assert set(titles(answer)) == expected
        assert answer.json()["total_results"] == len(expected)

    @pytest.mark.parametrize("order", ["asc", "desc"])
    @pytest.mark.parametrize(
        "sort,key",
        [
            ("popularity", lambda show: show.popularity),
            ("title", lambda show: show.sort_title),
            ("year", lambda show: show.year),
            ("first_air_date", lambda show: show.first_air_date),
            ("rating", lambda show: show.vote_average),
            ("rt_score", lambda show: show.rt_score),
            ("metacritic", lambda show: show.metacritic_score),
            ("seasons", lambda show: show.total_seasons),
            ("added", lambda show: show.added_at),
        ],
    )
    def test_sorts_with_the_unknown_last_and_ties_by_id(
        self,
        client: httpx.Client,
        series: dict[str, TVShow],
        sort: str,
        order: str,
        key: Callable[[TVShow], Any],
    ) -> None:
        for show in series.values():
            db.session.refresh(show)
        known = [show for show in series.values() if key(show) is not None]
        unknown = [show for show in series.values() if key(show) is None]
        descending = order == "desc"
        wanted = sorted(known, key=lambda show: (key(show), show.id), reverse=descending)
        wanted += sorted(unknown, key=lambda show: show.id, reverse=descending)
        query = {"sort": sort, "order": order, "page_size": 3}
        pages = [titles(client.get("/tvshows", params=query | {"page": page})) for page in (1, 2)]
        assert [*pages[0], *pages[1]] == [show.title for show in wanted]

    def test_comes_in_the_language_asked_for(
        self, client: httpx.Client, series: dict[str, TVShow], make: Make
    ) -> None:
        make(Translation, tvshow_id=series[DEAD].id, language="de", title="Die Wiederkehrenden")
        query = {"query": "revenants"}
        german = {"Accept-Language": "de-AT, fr;q=0.5"}
        assert titles(client.get("/tvshows", params=query | {"language": "de"})) == [
            "Die Wiederkehrenden"
        ]
        assert titles(client.get("/tvshows", params=query, headers=german)) == [
            "Die Wiederkehrenden"
        ]
        assert titles(client.get("/tvshows", params=query | {"language": "es"})) == [DEAD]

    def test_totals_are_estimated_beyond_10000(self, client: httpx.Client, make: Make) -> None:
        row = {"search_title": "show", "sort_title": "show", "status": "ended", "networks": ["AMC"]}
        rows = [row | {"title": f"Show {n}", "popularity": n % 7} for n in range(10_050)]
        db.session.execute(insert(TVShow), rows)
        db.session.commit()
        page = client.get("/tvshows?status=ended&network=AMC&max_seasons=0&page=500").json()
        assert (page["total_is_estimate"], len(page["results"])) == (True, 20)
        assert page["total_results"] > 10_000

    @pytest.mark.parametrize(
        "query",
        [
            "page=501",
            "page=0",
            "page_size=101",
            "query=",
            "query=%00",
            "year_from=1800",
            "min_score=11",
            "age_rating=",
            "genre=a,b",
            "&".join(f"network={number}" for number in range(11)),
            "status=" + "x" * 51,
            "min_seasons=-1",
            "max_seasons=32768",
            "min_rt_score=101",
            "min_metacritic=1.5",
            "has_awards=maybe",
            "sort=runtime",
            "order=random",
            "language=german",
            "duration=over-120",
        ],
    )
    def test_refuses_what_the_contract_does_not_have(
        self, client: httpx.Client, query: str
    ) -> None:
        assert refused(client.get(f"/tvshows?{query}")) == (400, "VALIDATION_ERROR")

    def test_old_address_leads_here(
        self, client: httpx.Client, series: dict[str, TVShow], base_url: str
    ) -> None:
        for old in ("/series", f"{base_url}/api/series"):
            answer = client.get(old, params={"query": "bad"}, follow_redirects=True)
            assert (answer.history[0].status_code, titles(answer)) == (308, [BAD])
            assert answer.url.path == "/api/v1/tvshows"

    def test_is_for_those_who_may(self, anonymous: httpx.Client, nobody: httpx.Client) -> None:
        assert refused(anonymous.get("/tvshows")) == (401, "INVALID_TOKEN")
        assert refused(nobody.get("/tvshows")) == (403, "INSUFFICIENT_PERMISSIONS")

    def test_says_when_nothing_has_changed(
        self, client: httpx.Client, series: dict[str, TVShow]
    ) -> None:
        condition = {"If-None-Match": client.get("/tvshows").headers["etag"]}
        assert client.get("/tvshows", headers=condition).status_code == 304
        series[BAD].popularity = 61
        db.session.commit()
        assert client.get("/tvshows", headers=condition).status_code == 200

    def test_costs_the_same_whatever_its_length(
        self, client: httpx.Client, engine: Engine, series: dict[str, TVShow]
    ) -> None:
        client.get("/tvshows")
        with statements(engine) as few:
            client.get("/tvshows", params={"page_size": 1})
        with statements(engine) as many:
            client.get("/tvshows", params={"page_size": 100})
        assert len(many) == len(few) <= 3


class TestSearchTvshowsByTitle:
    def test_exact_titles_come_first_then_beginnings_then_the_popular(
        self, client: httpx.Client, make: Make
    ) -> None:
        for title, popularity in (
            ("Law & Order: Night", 90),
            ("Beyond Night", 99),
            ("The Night", 1),
            ("Nightfall", 50),
            ("Dawn", 100),
        ):
            make(TVShow, title=title, popularity=popularity)
        found = titles(client.get("/tvshows/search", params={"query": "night"}))
        assert found == ["The Night", "Nightfall", "Beyond Night", "Law & Order: Night"]

    @pytest.mark.parametrize("query", ["%", "_", "' OR 1=1 --", "\\", ":*&!", "🦈"])
    def test_takes_hostile_words_for_words(
        self, client: httpx.Client, series: dict[str, TVShow], query: str
    ) -> None:
        assert titles(client.get("/tvshows/search", params={"query": query})) == []

    def test_refusals(self, client: httpx.Client, anonymous: httpx.Client) -> None:
        for query in ("", "query=", "query=" + "x" * 101, "query=a&sort=title", "query=a&page=501"):
            assert refused(client.get(f"/tvshows/search?{query}")) == (400, "VALIDATION_ERROR")
        assert refused(anonymous.get("/tvshows/search?query=a")) == (401, "INVALID_TOKEN")


class TestListRecentlyAddedTvshows:
    def test_the_newest_come_first(self, client: httpx.Client, series: dict[str, TVShow]) -> None:
        query = {"page": 2, "page_size": 2}
        assert titles(client.get("/tvshows/recently-added")) == [SOON, CONAN, DEAD, BAD]
        assert titles(client.get("/tvshows/recently-added", params=query)) == [DEAD, BAD]

    def test_refusals(self, client: httpx.Client, nobody: httpx.Client) -> None:
        answer = client.get("/tvshows/recently-added?sort=title")
        assert refused(answer) == (400, "VALIDATION_ERROR")
        answer = nobody.get("/tvshows/recently-added")
        assert refused(answer) == (403, "INSUFFICIENT_PERMISSIONS")
