"""openapi/taste/taste_profiles.yaml."""

import asyncio
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, QueuePool, insert, select, update

from marquee import clock, db
from marquee.audit import Activity
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.tvshows.models import Episode, Season, TVShow
from marquee.identity.users.models import User
from marquee.taste.favorites.models import Favorite
from marquee.taste.ratings.models import Rating
from marquee.taste.taste_profiles.claiming import Claim
from marquee.taste.taste_profiles.kinds import MOVIE
from marquee.taste.taste_profiles.models import TasteProfile
from marquee.taste.taste_profiles.writing import AT_A_TIME, Place, Writing, places
from marquee.watching.progress.models import Watch
from tests.answers import refused
from tests.committed import committed
from tests.fakes.openai import KEY, FakeOpenAI
from tests.queries import statements
from tests.services.conftest import wait_until

Make = Callable[..., Any]
NOBODY = 9_007_199_254_740_991
NOTHING = {
    "total_watched": 0,
    "top_genres": [],
    "average_rating": None,
    "favorite_decade": None,
    "recent_favorites": [],
}
SAID = "You love dread. You fear the sea."


def events(answer: httpx.Response) -> list[dict[str, Any]]:
    """What a stream has told."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/event-stream")
    lines = [line for line in answer.text.splitlines() if line]
    assert all(line.startswith("data: ") for line in lines)
    return [json.loads(line.removeprefix("data: ")) for line in lines]


def spoken(answer: httpx.Response) -> str:
    """The text of a stream that has ended well."""
    *said, last = events(answer)
    assert last["type"] == "done"
    assert all(set(each) == {"type", "content"} for each in said)
    return "".join(each["content"] for each in said)


def path(user: User, what: str = "taste-profile") -> str:
    return f"/users/{user.id}/{what}"


def write(client: httpx.Client, user: User, what: str = "taste-profile") -> httpx.Response:
    return client.post(f"{path(user, what)}/regenerate")


def profile(user: User, kind: str = "movie") -> TasteProfile | None:
    query = select(TasteProfile).where(TasteProfile.user_id == user.id, TasteProfile.kind == kind)
    return db.session.scalar(query.execution_options(populate_existing=True))


def held(engine: Engine) -> int:
    """How many database connections are in use."""
    assert isinstance(engine.pool, QueuePool)
    return engine.pool.checkedout()


@pytest.fixture
def fake(set_variables: Callable[..., None]) -> Iterator[FakeOpenAI]:
    """A service that writes, as the server's settings name it."""
    with FakeOpenAI(says=SAID) as fake:
        set_variables(TEXT_URL=fake.url, TEXT_API_KEY=KEY, TEXT_MODEL="a-model", TEXT_TIMEOUT="5")
        yield fake


@pytest.fixture
def films(make: Make, me: User) -> list[Movie]:
    """Six films that `me` has watched, of which one is kept and three are rated."""
    made = []
    for number in range(6):
        film = make(
            Movie,
            title=f"Terror in Town {number}",
            year=1970 + number * 2,
            genres=["Horror", "Drama"] if number < 4 else ["Comedy"],
            keywords=["small town", "revenge"],
            countries=["United States"],
            runtime_minutes=90 + number,
            vote_average=6.0,
        )
        make(Watch, user_id=me.id, movie_id=film.id, watch_count=1, is_completed=True)
        made.append(film)
    for film, score in zip(made, (9, 8, 4), strict=False):
        make(Rating, user_id=me.id, movie_id=film.id, score=score)
    make(Favorite, user_id=me.id, movie_id=made[5].id)
    return made


@pytest.fixture
def series(make: Make, me: User) -> TVShow:
    """A series that `me` has watched an episode of and loves."""
    show: TVShow = make(
        TVShow, title="Breaking Bad", year=2008, genres=["Crime"], episode_runtime_minutes=47
    )
    season = make(Season, tvshow_id=show.id)
    for number in (1, 2):
        episode = make(Episode, season_id=season.id, episode_number=number)
        make(Watch, user_id=me.id, episode_id=episode.id, tvshow_id=show.id, watch_count=2 - number)
    make(Rating, user_id=me.id, tvshow_id=show.id, score=9)
    return show


class TestGetMovieTasteProfile:
    def test_of_who_has_watched_nothing(self, client: httpx.Client, me: User) -> None:
        answer = client.get(path(me))
        assert answer.json() == {"synopsis": None, "updated_at": None, "stats": NOTHING}
        assert answer.headers["cache-control"] == "private, no-cache"
        again = client.get(path(me), headers={"If-None-Match": answer.headers["etag"]})
        assert again.status_code == 304

    def test_counts_what_was_watched(
        self, client: httpx.Client, make: Make, films: list[Movie], series: TVShow, me: User
    ) -> None:
        begun = make(Movie, year=1999, genres=["War"])
        make(Watch, user_id=me.id, movie_id=begun.id, progress_seconds=60)
        assert client.get(path(me)).json()["stats"] == {
            "total_watched": 6,
            "top_genres": [
                {"genre": "Drama", "count": 4},
                {"genre": "Horror", "count": 4},
                {"genre": "Comedy", "count": 2},
            ],
            "average_rating": 3.5,
            "favorite_decade": "1970s",
            "recent_favorites": [{"id": films[5].id, "title": films[5].title, "year": 1980}],
        }

    def test_names_five_of_each(self, client: httpx.Client, make: Make, me: User) -> None:
        ids = []
        for number in range(7):
            film = make(Movie, title=f"Film {number}", genres=[f"Genre {number}"])
            make(Watch, user_id=me.id, movie_id=film.id, watch_count=1)
            make(Favorite, user_id=me.id, movie_id=film.id, created_at=clock.now())
            ids.append(film.id)
        stats = client.get(path(me)).json()["stats"]
        assert len(stats["top_genres"]) == 5
        assert stats["favorite_decade"] is None
        assert [each["id"] for each in stats["recent_favorites"]] == ids[:1:-1]

    def test_writes_nothing(self, client: httpx.Client, films: list[Movie], me: User) -> None:
        client.get(path(me))
        assert profile(me) is None

    def test_costs_the_same_however_much_was_watched(
        self, client: httpx.Client, make: Make, films: list[Movie], me: User, engine: Engine
    ) -> None:
        client.get(path(me))
        with statements(engine) as few:
            client.get(path(me))
        new = [{"title": "F", "search_title": "f", "sort_title": "f", "year": 1990}] * 300
        ids = db.session.scalars(insert(Movie).returning(Movie.id), new).all()
        watches = [{"user_id": me.id, "movie_id": each, "watch_count": 1} for each in ids]
        db.session.execute(insert(Watch), watches)
        db.session.commit()
        with statements(engine) as many:
            assert client.get(path(me)).json()["stats"]["total_watched"] == 306
        assert len(many) == len(few) <= 5

    def test_another_user(self, client: httpx.Client, admin: httpx.Client, other: User) -> None:
        assert refused(client.get(path(other))) == (403, "INSUFFICIENT_PERMISSIONS")
        assert admin.get(path(other)).status_code == 200
        unknown = admin.get(f"/users/{NOBODY}/taste-profile")
        assert refused(unknown) == (404, "USER_NOT_FOUND")


class TestGetSeriesTasteProfile:
    def test_counts_series(
        self, client: httpx.Client, films: list[Movie], series: TVShow, me: User
    ) -> None:
        found = client.get(path(me, "series-taste-profile")).json()
        assert found["stats"] == {
            "total_watched": 1,
            "top_genres": [{"genre": "Crime", "count": 1}],
            "average_rating": 4.5,
            "favorite_decade": "2000s",
            "recent_favorites": [{"id": series.id, "title": "Breaking Bad", "year": 2008}],
        }

    def test_of_who_has_watched_nothing(
        self, client: httpx.Client, films: list[Movie], me: User
    ) -> None:
        assert client.get(path(me, "series-taste-profile")).json()["stats"] == NOTHING

    def test_another_user(self, client: httpx.Client, admin: httpx.Client, other: User) -> None:
        answer = client.get(path(other, "series-taste-profile"))
        assert refused(answer) == (403, "INSUFFICIENT_PERMISSIONS")
        unknown = admin.get(f"/users/{NOBODY}/series-taste-profile")
        assert refused(unknown) == (404, "USER_NOT_FOUND")


class TestRegenerateMovieTasteProfile:
    def test_tells_and_stores_it(self, client: httpx.Client, films: list[Movie], me: User) -> None:
        answer = write(client, me)
        synopsis = spoken(answer)
        found = client.get(path(me)).json()
        assert found["synopsis"] == synopsis
        assert found["updated_at"] is not None
        assert events(answer)[-1] == {"type": "done", "stats": found["stats"]}
        stored = profile(me)
        assert stored is not None
        assert (stored.model, stored.writing_until) == ("narrator", None)
        assert "horror" in synopsis
        assert "Terror" not in synopsis

    def test_says_the_same_of_the_same(
        self, client: httpx.Client, make: Make, films: list[Movie], me: User
    ) -> None:
        first = spoken(write(client, me))
        assert spoken(write(client, me)) == first
        make(Rating, user_id=me.id, movie_id=films[4].id, score=2)
        assert spoken(write(client, me)) != first

    def test_of_who_has_watched_nothing(
        self, client: httpx.Client, fake: FakeOpenAI, me: User
    ) -> None:
        assert "you have not watched, rated or kept any films" in spoken(write(client, me))
        assert fake.seen == []

    def test_a_model_is_told_facts_and_no_title(
        self, client: httpx.Client, fake: FakeOpenAI, films: list[Movie], me: User
    ) -> None:
        assert spoken(write(client, me)) == SAID
        stored = profile(me)
        assert stored is not None
        assert (stored.synopsis, stored.model) == (SAID, "a-model")
        system, user = json.loads(fake.seen[0].body)["messages"]
        assert "Never name" in system["content"]
        told = json.loads(user["content"])
        assert (told["about"], told["watched"], told["favorites"]) == ("films", 6, 1)
        assert "Terror" not in user["content"]
        assert me.username not in user["content"]

    def test_sentences_that_name_a_title_are_left_out(
        self, client: httpx.Client, fake: FakeOpenAI, films: list[Movie], me: User
    ) -> None:
        fake.says = (
            "You love dread. Terror in Town 3 shows it. So does the quiet “Jaws” of old. "
            "You keep to what you know. And then it breaks"
        )
        answer = write(client, me)
        assert spoken(answer) == "You love dread. You keep to what you know."
        assert client.get(path(me)).json()["synopsis"] == spoken(answer)

    def test_where_nothing_is_left_the_narrator_speaks(
        self, client: httpx.Client, fake: FakeOpenAI, films: list[Movie], me: User
    ) -> None:
        fake.says = "You love Terror in Town."
        assert "horror" in spoken(write(client, me))
        stored = profile(me)
        assert stored is not None
        assert stored.model == "narrator"

    @pytest.mark.parametrize(
        "kind,how,said,code",
        [
            ("status", {"status": 401}, 0, "EXTERNAL_API_ERROR"),
            ("halfway", {"seconds": 0}, 1, "EXTERNAL_API_ERROR"),
            ("halfway", {"seconds": 9}, 1, "EXTERNAL_API_TIMEOUT"),
        ],
    )
    def test_a_service_that_fails(
        self,
        client: httpx.Client,
        fake: FakeOpenAI,
        films: list[Movie],
        me: User,
        set_variables: Callable[..., None],
        kind: str,
        how: dict[str, Any],
        said: int,
        code: str,
    ) -> None:
        before = spoken(write(client, me))
        set_variables(TEXT_TIMEOUT="0.5")
        fake.says = "You love the rain. You love the sun. You love the snow and the wind."
        fake.breaks(kind, **how)
        *texts, last = events(write(client, me))
        assert [each["type"] for each in texts] == ["text"] * said
        assert (last["type"], last["code"]) == ("error", code)
        assert "text" in last["message"]
        assert client.get(path(me)).json()["synopsis"] == before
        fake.heals()
        set_variables(TEXT_TIMEOUT="5")
        assert spoken(write(client, me)) == fake.says

    def test_is_written_once_at_a_time(
        self, client: httpx.Client, make: Make, films: list[Movie], me: User
    ) -> None:
        later = clock.now() + timedelta(minutes=1)
        make(TasteProfile, user_id=me.id, kind="movie", writing_until=later)
        assert refused(write(client, me)) == (409, "TASTE_PROFILE_RUNNING")
        assert client.get(path(me)).json()["updated_at"] is None
        assert spoken(write(client, me, "series-taste-profile"))
        # Who has died is not waited for for ever.
        db.session.execute(update(TasteProfile).values(writing_until=clock.now()))
        db.session.commit()
        assert spoken(write(client, me))

    def test_so_many_at_a_time_and_no_more(
        self, client: httpx.Client, films: list[Movie], me: User
    ) -> None:
        taken: list[Place] = [places.take() for _ in range(AT_A_TIME)]
        answer = write(client, me)
        assert refused(answer) == (503, "OVERLOADED")
        assert answer.headers["retry-after"] == "5"
        taken.clear()
        for _ in range(AT_A_TIME + 1):
            assert spoken(write(client, me))
            wait_until(lambda: profile(me) is not None)

    def test_a_refused_one_takes_no_place(self, client: httpx.Client, make: Make, me: User) -> None:
        later = clock.now() + timedelta(minutes=1)
        make(TasteProfile, user_id=me.id, kind="movie", writing_until=later)
        for _ in range(AT_A_TIME + 1):
            assert refused(write(client, me)) == (409, "TASTE_PROFILE_RUNNING")

    def test_a_stream_says_that_it_lives(self) -> None:
        writing = Writing(1, MOVIE, Claim(1, clock.now()), places.take())

        async def first() -> bytes:
            return await anext(aiter(writing.events(0.01)))

        assert asyncio.run(first()) == b": heartbeat\n\n"

    def test_is_stored_when_the_client_has_gone(
        self, base_url: str, engine: Engine, fake: FakeOpenAI
    ) -> None:
        with committed(engine) as rows:
            me = rows.user()
            film = rows.movie(genres=["Horror"])
            rows.make(Watch, user_id=me.id, movie_id=film.id, watch_count=1)
            client = rows.client(base_url, me)
            client.event_hooks = {}
            fake.breaks("slow", seconds=0.6)
            with client.stream("POST", f"{path(me)}/regenerate") as answer:
                assert answer.status_code == 200
                wait_until(lambda: len(fake.seen) == 1)
                assert held(engine) == 0
            busy = write(client, me)
            assert refused(busy) == (409, "TASTE_PROFILE_RUNNING")
            assert client.get(path(me)).json()["synopsis"] is None
            wait_until(lambda: client.get(path(me)).json()["synopsis"] == SAID)

    def test_another_user(self, client: httpx.Client, admin: httpx.Client, other: User) -> None:
        assert refused(write(client, other)) == (403, "INSUFFICIENT_PERMISSIONS")
        assert spoken(write(admin, other))
        assert profile(other) is not None
        unknown = admin.post(f"/users/{NOBODY}/taste-profile/regenerate")
        assert refused(unknown) == (404, "USER_NOT_FOUND")

    def test_is_recorded(self, client: httpx.Client, me: User) -> None:
        write(client, me)
        line = db.session.scalars(select(Activity)).one()
        stored = db.session.scalars(select(TasteProfile.id)).one()
        told = (line.action, line.success, line.resource_id)
        assert told == ("taste_profile.regenerate", True, str(stored))


class TestRegenerateSeriesTasteProfile:
    def test_keeps_to_series(
        self, client: httpx.Client, films: list[Movie], series: TVShow, me: User
    ) -> None:
        synopsis = spoken(write(client, me, "series-taste-profile"))
        assert "crime" in synopsis
        assert "horror" not in synopsis
        assert client.get(path(me, "series-taste-profile")).json()["synopsis"] == synopsis
        assert client.get(path(me)).json()["synopsis"] is None

    def test_another_user(self, client: httpx.Client, admin: httpx.Client, other: User) -> None:
        told = refused(write(client, other, "series-taste-profile"))
        assert told == (403, "INSUFFICIENT_PERMISSIONS")
        unknown = admin.post(f"/users/{NOBODY}/series-taste-profile/regenerate")
        assert refused(unknown) == (404, "USER_NOT_FOUND")

    def test_is_written_once_at_a_time(self, client: httpx.Client, make: Make, me: User) -> None:
        later = clock.now() + timedelta(minutes=1)
        make(TasteProfile, user_id=me.id, kind="tvshow", writing_until=later)
        told = refused(write(client, me, "series-taste-profile"))
        assert told == (409, "TASTE_PROFILE_RUNNING")
