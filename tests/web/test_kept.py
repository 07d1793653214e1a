"""marquee/web/kept.py, by the operations of the catalogue."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from marquee.catalogue.movies.models import Movie
from marquee.catalogue.tvshows.models import TVShow
from marquee.db import session
from marquee.identity.users.models import User
from marquee.remembered import Remembered
from marquee.watching.progress.models import Watch
from marquee.web import kept
from marquee.web.answers import Answer
from marquee.web.parameters import Parameters
from marquee.web.plan import Keeping
from tests.queries import statements

Make = Callable[..., Any]


@pytest.fixture
def titles() -> Iterator[Remembered[Answer]]:
    """What is kept until a title changes, in a process that hears of it."""
    found = kept.until("titles")
    found.set_hears(hears=True)
    yield found
    found.set_hears(hears=False)


def test_an_answer_is_made_once_for_all(
    titles: Remembered[Answer], client_of: Make, make_user: Make, make: Make
) -> None:
    movie = make(Movie, title="Jaws")
    first, second = client_of(make_user()), client_of(make_user())
    made = first.get(f"/movies/{movie.id}")
    movie.title = "Jaws 2"
    session.commit()
    same = second.get(f"/movies/{movie.id}")
    assert (same.json(), same.headers["etag"]) == (made.json(), made.headers["etag"])
    titles.heard("")
    assert second.get(f"/movies/{movie.id}").json()["title"] == "Jaws 2"


@pytest.mark.usefixtures("titles")
def test_it_costs_no_query(client: httpx.Client, make: Make, engine: Engine) -> None:
    path = f"/movies/{make(Movie).id}"
    client.get(path)
    with statements(engine) as sent:
        assert client.get(path).status_code == 200
    assert not [each for each in sent if "movies" in each]


def test_a_list_is_kept_too(titles: Remembered[Answer], client: httpx.Client, make: Make) -> None:
    make(Movie)
    for path in ("/movies", "/tvshows", "/movies?watch_status=any"):
        before = client.get(path).json()
        make(Movie)
        make(TVShow)
        assert client.get(path).json() == before
        titles.heard("")
        assert client.get(path).json() != before


@pytest.mark.usefixtures("titles")
def test_who_may_not_have_it_does_not_get_it(
    client: httpx.Client, anonymous: httpx.Client, client_of: Make, make_user: Make, make: Make
) -> None:
    path = f"/movies/{make(Movie).id}"
    client.get(path)
    assert anonymous.get(path).status_code == 401
    assert client_of(make_user(), scopes=("write",)).get(path).status_code == 403


@pytest.mark.usefixtures("titles")
def test_conditions_and_languages_are_each_callers_own(client: httpx.Client, make: Make) -> None:
    path = f"/movies/{make(Movie).id}"
    etag = client.get(path).headers["etag"]
    assert client.get(path, headers={"If-None-Match": etag}).status_code == 304
    again = client.get(path)
    assert (again.status_code, again.headers.get_list("cache-control")) == (
        200,
        ["private, no-cache"],
    )


@pytest.mark.usefixtures("titles")
@pytest.mark.parametrize("name", ["watch_status", "%77atch_status"])
def test_what_is_ones_own_is_not_kept(
    client_of: Make, make_user: Make, make: Make, name: str
) -> None:
    me: User = make_user()
    movie = make(Movie)
    make(Watch, user_id=me.id, movie_id=movie.id, watch_count=1)
    path = f"/movies?{name}=watched"
    mine, anothers = (client_of(each).get(path).json() for each in (me, make_user()))
    assert [each["id"] for each in mine["results"]] == [movie.id]
    assert anothers["results"] == []


@pytest.mark.usefixtures("titles")
def test_what_is_refused_is_not_kept(client: httpx.Client, make: Make) -> None:
    assert client.get("/movies/987654321").status_code == 404
    make(Movie, id=987654321)
    assert client.get("/movies/987654321").status_code == 200


@pytest.mark.usefixtures("titles")
def test_a_stamp_tells_answers_apart() -> None:
    stamps, made = iter((1, 1, 2, None, None)), []
    kept.add_stamp("test", lambda: next(stamps))
    plan: Any = SimpleNamespace(
        kept=Keeping("titles", stamp="test"),
        operation_id="any",
        varies_by=(),
        parameters=Parameters([]),
    )
    request: Any = SimpleNamespace(path="/any", query="", headers={})

    def make() -> Answer:
        made.append(Answer(200, b"{}"))
        return made[-1]

    for _ in range(5):
        kept.answer(plan, request, {}, make)
    assert len(made) == 4


def test_parameters_that_are_not_there_stop_the_start() -> None:
    with pytest.raises(ValueError, match="watch_statu"):
        Keeping.of({"until": "titles", "unless": ["watch_statu"]}, ["watch_status"])
