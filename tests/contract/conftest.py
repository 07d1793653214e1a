"""What tests of the contract share: a world in which its examples are true, and the order in which
they run.
"""

from collections.abc import Callable
from typing import Any

import pytest

from marquee.catalogue.movies.models import Movie
from marquee.taste.favorites.models import Favorite
from marquee.taste.ratings.models import Rating

LAST = "test_exercised.py"


@pytest.fixture
def world(make: Callable[..., Any], me: Any) -> None:
    """The rows that the examples of the contract name, for `me`."""
    jaws = make(Movie, id=42, tmdb_id=578, title="Jaws")
    other = make(Movie, title="The Shark Is Still Working")
    make(Favorite, id=12, user_id=me.id, movie_id=other.id)
    make(Rating, id=7, user_id=me.id, movie_id=other.id, score=9)
    assert jaws.id == 42


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What has been exercised is known at the end, and only where everything has run."""
    last = [item for item in items if item.path.name == LAST]
    rest = [item for item in items if item.path.name != LAST]
    options = config.option
    whole = config.args == config.getini("testpaths") and not (options.keyword or options.markexpr)
    if whole:
        items[:] = rest + last
    else:
        items[:] = rest
        config.hook.pytest_deselected(items=last)
