"""openapi/catalogue/tvshows.yaml: one series, and what belongs to it."""

from collections.abc import Callable
from datetime import date
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, select, update

from marquee import db
from marquee.catalogue.companies.models import Network
from marquee.catalogue.genres.models import Genre
from marquee.catalogue.people.models import Credit, Job, Person
from marquee.catalogue.translations.models import Translation
from marquee.catalogue.tvshows.models import Season, TVShow
from marquee.identity.users.models import User
from tests.answers import refused
from tests.queries import statements

Make = Callable[..., Any]
NOWHERE = 9_007_199_254_740_991


def names(things: list[dict[str, Any]]) -> list[str]:
    return [each["name"] for each in things]


@pytest.fixture
def show(make: Make) -> TVShow:
    """A series with all that it can have, out of order."""
    show: TVShow = make(
        TVShow,
        title="Breaking Bad",
        tmdb_id=1396,
        tvdb_id=81189,
        imdb_id="tt0903747",
        first_air_date=date(2008, 1, 20),
        last_air_date=date(2013, 9, 29),
        status="ended",
        show_type="scripted",
        genres=["Drama", "Crime"],
        networks=["Sky", "AMC"],
        studios=["Sony", "High Bridge"],
        keywords=["chemistry"],
        air_days=["Sunday"],
        episode_runtime_minutes=47,
        poster_path="/poster.jpg",
        external_ratings=[{"source": "metacritic", "value": "87/100", "score": 8.7}],
        watch_providers=[
            {
                "country": "US",
                "kind": "flatrate",
                "provider_id": 8,
                "name": "Netflix",
                "logo_path": None,
            }
        ],
        attribution="Facts: Wikidata (CC0 1.0)",
    )
    for number in (2, 0, 1):
        make(Season, tvshow_id=show.id, season_number=number, episode_count=number + 6)
    people = [
        ("Aaron Paul", Job.ACTOR, 1, "Jesse"),
        ("Bryan Cranston", Job.ACTOR, 0, "Walter"),
        ("Vince Gilligan", Job.CREATOR, 0, None),
        ("Vince Gilligan", Job.WRITER, 1, None),
        ("Michelle MacLaren", Job.DIRECTOR, 2, None),
        ("Sharon Bialy", "casting", 3, None),
    ]
    by_name = {name: make(Person, name=name).id for name in {each[0] for each in people}}
    for name, job, position, character in people:
        it = {"job": job, "position": position, "character": character}
        make(Credit, person_id=by_name[name], tvshow_id=show.id, **it)
    return show


@pytest.fixture
def bare(make: Make) -> TVShow:
    """A series of which nothing is known."""
    made: TVShow = make(TVShow, title="An Announcement")
    return made


class TestGetTvshow:
    def test_shows_the_series_with_all_of_it(self, client: httpx.Client, show: TVShow) -> None:
        shown = client.get(f"/tvshows/{show.id}").json()
        assert (shown["title"], shown["tvdb_id"], shown["end_year"]) == (
            "Breaking Bad",
            81189,
            2013,
        )
        assert [each["season_number"] for each in shown["seasons"]] == [0, 1, 2]
        assert (shown["total_seasons"], shown["total_episodes"]) == (2, 15)
        assert names(shown["creators"]) == names(shown["writers"]) == ["Vince Gilligan"]
        assert names(shown["directors"]) == ["Michelle MacLaren"]
        cast = [(each["name"], each["character"]) for each in shown["cast_members"]]
        assert cast == [("Bryan Cranston", "Walter"), ("Aaron Paul", "Jesse")]
        assert names(shown["networks"]) == ["Sky", "AMC"]
        assert names(shown["studios"]) == ["Sony", "High Bridge"]
        assert (shown["keywords"], shown["air_days"]) == (["chemistry"], ["Sunday"])
        assert names(shown["watch_providers"]) == ["Netflix"]
        assert (shown["metacritic_score"], shown["rt_score"]) == (87, None)
        assert shown["poster_url"] == "/api/v1/images/poster/w342/poster.jpg"
        assert not {"search_title", "images", "networks_named", "editors"} & set(shown)

    def test_one_of_which_nothing_is_known(self, client: httpx.Client, bare: TVShow) -> None:
        shown = client.get(f"/tvshows/{bare.id}").json()
        empty = ("seasons", "networks", "studios", "cast_members", "creators", "watch_providers")
        assert [shown[name] for name in empty] == [[]] * len(empty)
        assert (shown["end_year"], shown["total_seasons"]) == (None, 0)

    def test_comes_in_the_language_asked_for(
        self, client: httpx.Client, show: TVShow, make: Make
    ) -> None:
        make(Translation, tvshow_id=show.id, language="es", tagline="Respira")
        shown = client.get(f"/tvshows/{show.id}", params={"language": "es"}).json()
        assert (shown["title"], shown["tagline"]) == ("Breaking Bad", "Respira")
        assert names(shown["networks"]) == ["Sky", "AMC"]

    def test_an_unknown_series(self, client: httpx.Client, database: None) -> None:
        assert refused(client.get(f"/tvshows/{NOWHERE}")) == (404, "TV_SHOW_NOT_FOUND")
        assert refused(client.get("/tvshows/0")) == (400, "VALIDATION_ERROR")

    def test_is_for_those_who_may(
        self,
        anonymous: httpx.Client,
        client_of: Callable[..., httpx.Client],
        make: Make,
        show: TVShow,
    ) -> None:
        path = f"/tvshows/{show.id}"
        assert refused(anonymous.get(path)) == (401, "INVALID_TOKEN")
        answer = client_of(make(User)).get(path)
        assert refused(answer) == (403, "INSUFFICIENT_PERMISSIONS")

    def test_says_when_nothing_has_changed(self, client: httpx.Client, show: TVShow) -> None:
        condition = {"If-None-Match": client.get(f"/tvshows/{show.id}").headers["etag"]}
        assert client.get(f"/tvshows/{show.id}", headers=condition).status_code == 304

    def test_old_address_leads_here(self, client: httpx.Client, show: TVShow) -> None:
        answer = client.get(f"/series/{show.id}")
        target = f"/api/v1/tvshows/{show.id}"
        assert (answer.status_code, answer.headers["location"]) == (308, target)

    def test_costs_the_same_whatever_it_has(
        self, client: httpx.Client, engine: Engine, show: TVShow, bare: TVShow
    ) -> None:
        client.get(f"/tvshows/{bare.id}")
        with statements(engine) as few:
            client.get(f"/tvshows/{bare.id}?language=de")
        with statements(engine) as many:
            client.get(f"/tvshows/{show.id}?language=de")
        assert len(many) == len(few) <= 5


class TestListTvshowCast:
    def test_lists_it_in_order_of_billing(self, client: httpx.Client, show: TVShow) -> None:
        page = client.get(f"/tvshows/{show.id}/cast", params={"page_size": 1}).json()
        assert (page["total_results"], page["total_pages"]) == (2, 2)
        (first,) = page["results"]
        assert (first["name"], first["character"]) == ("Bryan Cranston", "Walter")
        assert (first["credit_type"], first["cast_order"]) == ("cast", 0)

    def test_refusals(self, client: httpx.Client, anonymous: httpx.Client) -> None:
        assert refused(client.get(f"/tvshows/{NOWHERE}/cast")) == (404, "TV_SHOW_NOT_FOUND")
        assert refused(anonymous.get("/tvshows/1/cast")) == (401, "INVALID_TOKEN")


class TestListTvshowCrew:
    def test_lists_everybody_else(self, client: httpx.Client, show: TVShow) -> None:
        page = client.get(f"/tvshows/{show.id}/crew").json()
        assert [(each["name"], each["job"]) for each in page["results"]] == [
            ("Vince Gilligan", "creator"),
            ("Vince Gilligan", "writer"),
            ("Michelle MacLaren", "director"),
            ("Sharon Bialy", "casting"),
        ]

    def test_refusals(self, client: httpx.Client, anonymous: httpx.Client) -> None:
        assert refused(client.get(f"/tvshows/{NOWHERE}/crew")) == (404, "TV_SHOW_NOT_FOUND")
        assert refused(anonymous.get("/tvshows/1/crew")) == (401, "INVALID_TOKEN")


class TestListGenresOfTvshow:
    def test_lists_them_in_the_series_order(self, client: httpx.Client, show: TVShow) -> None:
        genres = client.get(f"/tvshows/{show.id}/genres").json()["genres"]
        assert [(each["name"], each["slug"]) for each in genres] == [
            ("Drama", "drama"),
            ("Crime", "crime"),
        ]
        ids = db.session.scalars(select(Genre.id).where(Genre.name.in_(show.genres)))
        assert {each["id"] for each in genres} == set(ids)

    def test_a_series_without_any(self, client: httpx.Client, bare: TVShow) -> None:
        assert client.get(f"/tvshows/{bare.id}/genres").json() == {"genres": []}

    def test_refusals(self, client: httpx.Client, anonymous: httpx.Client) -> None:
        assert refused(client.get(f"/tvshows/{NOWHERE}/genres")) == (404, "TV_SHOW_NOT_FOUND")
        assert refused(anonymous.get("/tvshows/1/genres")) == (401, "INVALID_TOKEN")


class TestListTvshowNetworks:
    def test_lists_them_in_the_series_order(self, client: httpx.Client, show: TVShow) -> None:
        known = {"tmdb_id": 174, "logo_path": "/amc.png", "origin_country": "US"}
        db.session.execute(update(Network).where(Network.name == "AMC").values(**known))
        db.session.commit()
        networks = client.get(f"/tvshows/{show.id}/networks").json()["networks"]
        assert names(networks) == ["Sky", "AMC"]
        assert {name: networks[1][name] for name in known} == known
        assert networks == client.get(f"/tvshows/{show.id}").json()["networks"]

    def test_refusals(self, client: httpx.Client, anonymous: httpx.Client) -> None:
        assert refused(client.get(f"/tvshows/{NOWHERE}/networks")) == (404, "TV_SHOW_NOT_FOUND")
        assert refused(anonymous.get("/tvshows/1/networks")) == (401, "INVALID_TOKEN")
