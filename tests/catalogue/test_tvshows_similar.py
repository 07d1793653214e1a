"""Similar series."""

from collections.abc import Callable
from typing import Any

import httpx

from marquee.catalogue.movies.models import Movie
from marquee.catalogue.people.models import Credit, Person
from marquee.catalogue.tvshows.models import TVShow
from tests.answers import refused
from tests.catalogue.tmdb import Serve, show
from tests.committed import Committed
from tests.fakes.tmdb import FakeTmdb

Make = Callable[..., Any]


class TestListSimilarTvshows:
    def test_gives_the_nearest_with_what_both_have(
        self, client: httpx.Client, make: Make, embed: Callable[..., None]
    ) -> None:
        titles = "Breaking Bad", "Better Call Saul"
        first, second = (make(TVShow, title=title, overview="A lawyer.") for title in titles)
        vince = make(Person, name="Vince Gilligan")
        for each in (first, second):
            make(Credit, tvshow_id=each.id, person_id=vince.id, job="creator")
            embed(each, 1)
        embed(make(Movie, title="El Camino"), 1)
        answer = client.get(f"/tvshows/{first.id}/similar").json()
        (similar,) = answer["similar"]
        assert (answer["tvshow_id"], answer["source"]) == (first.id, "vector")
        assert similar["title"] == "Better Call Saul"
        assert similar["reasons"] == ["Also created by Vince Gilligan", "A similar story"]

    def test_refuses_an_unknown_series(self, client: httpx.Client) -> None:
        answer = client.get("/tvshows/999999/similar")
        assert refused(answer) == (404, "TV_SHOW_NOT_FOUND")

    def test_tmdb_may_be_slow(self, serve: Serve, real: Committed, tmdb: FakeTmdb) -> None:
        ours, client = show(real, "Breaking Bad", tmdb_id=1396), serve()
        tmdb.breaks("slow", seconds=2)
        answer = client.get(f"/tvshows/{ours.id}/similar")
        assert refused(answer) == (504, "EXTERNAL_API_TIMEOUT")
