"""What the tests of taste share: another user, and favourites to sort."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from marquee.catalogue.movies.models import Movie
from marquee.identity.users.models import User
from marquee.taste.favorites.models import Favorite
from marquee.taste.ratings.models import Rating
from tests.media_servers import media_server, member  # noqa: F401 - fixtures
from tests.taste.quizzes import quiz_films  # noqa: F401 - a fixture
from tests.taste.recommended import catalogue, untrained, viewers  # noqa: F401 - fixtures
from tests.taste.trakt import account, casey, trakt  # noqa: F401 - fixtures

Make = Callable[..., Any]


@pytest.fixture
def other(make_user: Make) -> User:
    """Another user, who keeps a film."""
    user: User = make_user()
    return user


DATES = [date(1975, 6, 20), None, date(1999, 3, 31), date(1975, 6, 20), None, date(1942, 1, 1)]
STARS = [4.5, None, 0, 4.5, None, 5]


@pytest.fixture
def films(make: Make, me: User) -> list[Favorite]:
    """Six favourites: two without a date and without a rating, two with the same of each."""
    favorites = []
    for number, (day, stars) in enumerate(zip(DATES, STARS, strict=True)):
        film = make(Movie, title=f"Film {number}", release_date=day, popularity=number)
        favorites.append(make(Favorite, user_id=me.id, movie_id=film.id))
        if stars is not None:
            make(Rating, user_id=me.id, movie_id=film.id, score=stars * 2)
    return favorites
