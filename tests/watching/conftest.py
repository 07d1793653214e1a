"""What the tests of watching share."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from marquee import clock
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.tvshows.models import Episode, TVShow
from tests.catalogue.series import make_episodes
from tests.media_servers import media_server, member  # noqa: F401 - fixtures

Make = Callable[..., Any]


def ago(**time: int) -> str:
    """A moment in the past, as players say it."""
    return (clock.now() - timedelta(**time)).isoformat()


@pytest.fixture
def jaws(make: Make) -> Movie:
    """A film of 124 minutes."""
    film: Movie = make(
        Movie, title="Jaws", year=1975, runtime_minutes=124, genres=["Thriller"], vote_average=8.1
    )
    return film


@pytest.fixture
def show(make: Make) -> TVShow:
    """A series."""
    series: TVShow = make(TVShow, title="Breaking Bad", genres=["Crime", "Drama"])
    return series


@pytest.fixture
def episodes(make: Make, show: TVShow) -> list[Episode]:
    """A special, three episodes of its first season and two of its second."""
    return make_episodes(make, show, s0=1, s1=3, s2=2)


class Player:
    """Tells the server where it is."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client

    def film(self, movie: Movie, seconds: int, of: int = 1000, **more: str) -> dict[str, Any]:
        """Say where it is in a film; what the server answers."""
        body = {"progress_seconds": seconds, "duration_seconds": of, **more}
        return self._told(self.client.post(f"/movies/{movie.id}/progress", json=body))

    def episode(
        self, episode: Episode, seconds: int, of: int = 1000, **more: str
    ) -> dict[str, Any]:
        """The same for an episode."""
        body = {"progress_seconds": seconds, "duration_seconds": of, **more}
        return self._told(self.client.put(f"/tvshows/episodes/{episode.id}/progress", json=body))

    @staticmethod
    def _told(answer: httpx.Response) -> dict[str, Any]:
        assert answer.status_code == 200, answer.text
        said: dict[str, Any] = answer.json()
        return said


@pytest.fixture
def player(client: httpx.Client) -> Player:
    """The player of `me`."""
    return Player(client)
