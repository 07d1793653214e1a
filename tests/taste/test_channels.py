"""openapi/taste/channels.yaml: what channels are, whose they are, and their films."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, select

from marquee import clock, db
from marquee.catalogue.movies.models import Movie
from marquee.identity.users.models import User
from marquee.taste.channels.models import Channel, ChannelExample, ChannelItem
from marquee.taste.ratings.models import Rating
from marquee.watching.progress.models import Watch
from tests.answers import refused
from tests.catalogue.embedded import embed  # noqa: F401 - a fixture
from tests.fakes.openai import FakeOpenAI
from tests.queries import statements

Make = Callable[..., Any]
NOBODY = 9_007_199_254_740_991
UNKNOWN, FORBIDDEN = (404, "CHANNEL_NOT_FOUND"), (403, "INSUFFICIENT_PERMISSIONS")


@pytest.fixture
def films(make: Make) -> list[Movie]:
    """Forty films of one genre, the later the better rated, by enough people."""
    return [
        make(
            Movie, title=f"Film {number}", genres=["Drama"], vote_average=number / 4, vote_count=99
        )
        for number in range(40)
    ]


def titles(client: httpx.Client, channel_id: int) -> list[str]:
    items = client.get(f"/channels/{channel_id}").json()["items"]
    assert [each["position"] for each in items] == list(range(1, len(items) + 1))
    return [each["title"] for each in items]


class TestListChannels:
    def test_ones_own_and_shared_ones(
        self, client: httpx.Client, admin: httpx.Client, make: Make, me: User, other: User
    ) -> None:
        make(Channel, owner_id=other.id, name="Hidden")
        for owner, name, shared in ((me, "Mine", False), (other, "Shared", True)):
            make(Channel, owner_id=owner.id, name=name, is_shared=shared)
        listed = client.get("/channels").json()
        assert [each["name"] for each in listed["items"]] == ["Shared", "Mine"]
        assert [each["name"] for each in admin.get("/channels").json()["items"]] == ["Shared"]
        first = client.get("/channels", params={"limit": 1}).json()
        assert [each["name"] for each in first["items"]] == ["Shared"]
        cursor = {"cursor": first["next_cursor"]}
        assert [each["name"] for each in client.get("/channels", params=cursor).json()["items"]]
        assert refused(admin.get("/channels", params=cursor)) == (400, "VALIDATION_ERROR")

    def test_takes_one_query_however_many(
        self, client: httpx.Client, make: Make, me: User, films: list[Movie], engine: Engine
    ) -> None:
        for number in range(3):
            channel = make(Channel, owner_id=me.id, name=f"Channel {number}")
            make(ChannelExample, channel_id=channel.id, movie_id=films[number].id)
            make(ChannelItem, channel_id=channel.id, movie_id=films[0].id, position=1, score=0.5)
        client.get("/channels")
        with statements(engine) as seen:
            listed = client.get("/channels").json()["items"]
        assert len([each for each in seen if "channel_items" in each]) == 1
        assert {each["item_count"] for each in listed} == {1}
        assert listed[0]["example_movie_ids"] == [films[2].id]


class TestCreateChannel:
    def test_makes_one(self, client: httpx.Client, films: list[Movie], me: User) -> None:
        examples = [films[3].id, films[1].id, films[2].id]
        body = {"name": "Sad", "genre_filters": ["Drama"], "example_movie_ids": examples}
        answer = client.post("/channels", json=body)
        made = answer.json()
        assert (answer.status_code, made["owner_id"], made["item_count"]) == (201, me.id, 0)
        assert (made["example_movie_ids"], made["genre_filters"]) == (examples, ["Drama"])
        assert (made["is_shared"], made["is_active"], made["playlist_id"]) == (False, True, None)
        shown = client.get(f"/channels/{made['id']}")
        assert shown.headers["ETag"] == answer.headers["ETag"]
        assert shown.json() == {**made, "items": []}

    def test_what_the_catalogue_lacks(self, client: httpx.Client, films: list[Movie]) -> None:
        bad = client.post("/channels", json={"name": "x", "genre_filters": ["Drama", "Nope"]})
        assert refused(bad) == (404, "GENRE_NOT_FOUND")
        examples = {"name": "x", "example_movie_ids": [films[0].id, NOBODY]}
        assert refused(client.post("/channels", json=examples)) == (404, "MOVIE_NOT_FOUND")
        assert client.get("/channels").json()["items"] == []

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"name": ""},
            {"name": "  "},
            {"name": "a\0b"},
            {"name": "x", "text_preferences": "x" * 501},
            {"name": "x", "example_movie_ids": [1, 1]},
            {"name": "x", "genre_filters": "Drama"},
            {"name": "x", "owner_id": 1},
        ],
    )
    def test_a_body_that_breaks_the_contract(self, client: httpx.Client, body: Any) -> None:
        assert refused(client.post("/channels", json=body)) == (400, "VALIDATION_ERROR")

    def test_a_hundred_are_the_most(self, client: httpx.Client, make: Make, me: User) -> None:
        db.session.add_all(Channel(owner_id=me.id, name="x") for _ in range(99))
        db.session.commit()
        assert client.post("/channels", json={"name": "x"}).status_code == 201
        assert refused(client.post("/channels", json={"name": "x"})) == (409, "CHANNEL_LIMIT")


@pytest.fixture
def channel(make: Make, me: User) -> Channel:
    """A channel of `me`."""
    made: Channel = make(Channel, owner_id=me.id, name="Mine")
    return made


class TestGetChannel:
    def test_for_whom(
        self,
        client_of: Callable[..., httpx.Client],
        admin: httpx.Client,
        channel: Channel,
        other: User,
    ) -> None:
        stranger, url = client_of(other), f"/channels/{channel.id}"
        assert admin.get(url).json()["name"] == "Mine"
        assert refused(stranger.get(url)) == UNKNOWN
        channel.is_shared = True
        db.session.commit()
        assert stranger.get(url).status_code == 200
        assert refused(stranger.get(f"/channels/{NOBODY}")) == UNKNOWN


class TestUpdateChannel:
    def test_changes_what_is_named(
        self, client: httpx.Client, films: list[Movie], channel: Channel
    ) -> None:
        url = f"/channels/{channel.id}"
        first = client.put(url, json={"example_movie_ids": [films[0].id], "description": "d"})
        second = client.put(url, json={"is_active": False, "genre_filters": ["Drama"]})
        said = second.json()
        assert (said["example_movie_ids"], said["description"]) == ([films[0].id], "d")
        assert (said["is_active"], said["genre_filters"], said["name"]) == (
            False,
            ["Drama"],
            "Mine",
        )
        assert first.headers["ETag"] != second.headers["ETag"]
        emptied = client.put(url, json={"example_movie_ids": [], "description": None}).json()
        assert (emptied["example_movie_ids"], emptied["description"]) == ([], None)

    def test_a_version(self, client: httpx.Client, channel: Channel, films: list[Movie]) -> None:
        url = f"/channels/{channel.id}"
        tag = {"If-Match": client.get(url).headers["ETag"]}
        examples = {"example_movie_ids": [films[0].id]}
        assert client.put(url, json=examples, headers=tag).status_code == 200
        late = client.put(url, json={"name": "Late"}, headers=tag)
        assert refused(late) == (412, "PRECONDITION_FAILED")
        assert refused(client.delete(url, headers=tag)) == (412, "PRECONDITION_FAILED")

    def test_refuses(
        self,
        client: httpx.Client,
        client_of: Callable[..., httpx.Client],
        admin: httpx.Client,
        channel: Channel,
        other: User,
    ) -> None:
        url, name = f"/channels/{channel.id}", {"name": "Another"}
        assert refused(client.put(url, json={})) == (400, "VALIDATION_ERROR")
        assert refused(client_of(other).put(url, json=name)) == UNKNOWN
        client.put(url, json={"is_shared": True})
        assert refused(client_of(other).put(url, json=name)) == FORBIDDEN
        for path in ("generate", "sync"):
            assert refused(client_of(other).post(f"{url}/{path}")) == FORBIDDEN
        assert admin.put(url, json=name).json()["name"] == "Another"


class TestDeleteChannel:
    def test_removes_it(
        self,
        client: httpx.Client,
        client_of: Callable[..., httpx.Client],
        channel: Channel,
        other: User,
    ) -> None:
        url = f"/channels/{channel.id}"
        assert refused(client_of(other).delete(url)) == UNKNOWN
        assert client.delete(url).status_code == 204
        assert refused(client.delete(url)) == UNKNOWN


class TestGenerateChannel:
    def test_what_most_people_like(
        self, client: httpx.Client, films: list[Movie], channel: Channel, make: Make
    ) -> None:
        make(Movie, title="By few", genres=["Drama"], vote_average=10, vote_count=3)
        answer = client.post(f"/channels/{channel.id}/generate").json()
        assert answer == {
            "playlist_id": None,
            "item_count": 20,
            "message": "Mine has 20 films now.",
        }
        assert "By few" not in titles(client, channel.id)
        assert client.get(f"/channels/{channel.id}").json()["last_generated_at"]

    def test_is_another_list_each_time(
        self, client: httpx.Client, films: list[Movie], channel: Channel
    ) -> None:
        lists = []
        for _ in range(3):
            client.post(f"/channels/{channel.id}/generate")
            lists.append(titles(client, channel.id))
            assert len(lists[-1]) == len(set(lists[-1])) == 20
        assert lists[0] != lists[1] != lists[2]

    def test_is_the_same_of_the_same_state(
        self, client: httpx.Client, films: list[Movie], channel: Channel
    ) -> None:
        lists, moment = [], clock.now() - timedelta(days=2)
        for _ in range(2):
            channel.last_generated_at = moment
            db.session.commit()
            client.post(f"/channels/{channel.id}/generate")
            lists.append(titles(client, channel.id))
            db.session.refresh(channel)
        assert lists[0] == lists[1]

    def test_what_is_like_the_examples(
        self,
        client: httpx.Client,
        make: Make,
        embed: Callable[..., None],  # noqa: F811
        channel: Channel,
        films: list[Movie],
    ) -> None:
        jaws = make(Movie, title="Jaws", genres=["Thriller"])
        embed(jaws, 1, 0)
        for number in range(70):
            film = make(Movie, title=f"Shark {number}", genres=["Thriller"])
            embed(film, 1, number / 100)
        for film in films:
            embed(film, -1, 0)
        make(ChannelExample, channel_id=channel.id, movie_id=jaws.id)
        client.post(f"/channels/{channel.id}/generate")
        found = titles(client, channel.id)
        assert len(found) == 20
        assert {each.split()[0] for each in found} == {"Shark"}
        assert {f"Shark {number}" for number in range(60, 70)}.isdisjoint(found)
        items = client.get(f"/channels/{channel.id}").json()["items"]
        assert all(0.8 < each["score"] <= 1 for each in items)

    def test_what_the_words_say(
        self,
        client: httpx.Client,
        make: Make,
        embed: Callable[..., None],  # noqa: F811
        channel: Channel,
        set_variables: Callable[..., None],
    ) -> None:
        with FakeOpenAI() as fake:
            set_variables(EMBEDDINGS_URL=fake.url, EMBEDDINGS_MODEL="tiny")
            channel.text_preferences = "sharks"
            for title in ("Sharks", "Ships"):
                make(Movie, title=title, genres=["Thriller"], vote_average=5, vote_count=99)
            db.session.commit()
            assert client.post(f"/channels/{channel.id}/generate").json()["item_count"] == 2
            assert len(fake.seen) == 1
            fake.breaks("status")
            client.put(f"/channels/{channel.id}", json={"text_preferences": "ships"})
            assert client.post(f"/channels/{channel.id}/generate").json()["item_count"] == 2

    def test_leaves_out(
        self,
        client: httpx.Client,
        make: Make,
        channel: Channel,
        me: User,
        other: User,
    ) -> None:
        def film(title: str, **values: Any) -> Movie:
            good = {"genres": ["Drama", "War"], "vote_average": 8, "vote_count": 99}
            made: Movie = make(Movie, title=title, **{**good, **values})
            return made

        film("Good")
        film("Fit", age_rating="PG-13")
        film("Too old", age_rating="R")
        film("Without the genre", genres=["Comedy"])
        film("Twice", year=1999)
        film("Twice", year=1999)
        make(Watch, user_id=me.id, movie_id=film("Watched").id, watch_count=1)
        make(Watch, user_id=me.id, movie_id=film("Not wanted").id, remark="not_interested")
        make(Watch, user_id=other.id, movie_id=film("Watched by another").id, watch_count=1)
        make(Rating, user_id=me.id, movie_id=film("Disliked").id, score=3)
        make(ChannelExample, channel_id=channel.id, movie_id=film("The example").id)
        channel.genre_filters = ["War"]
        me.max_parental_rating = 13
        db.session.commit()
        client.post(f"/channels/{channel.id}/generate")
        expected = ["Fit", "Good", "Twice", "Watched by another"]
        assert sorted(titles(client, channel.id)) == expected

    def test_of_an_empty_catalogue(self, client: httpx.Client, channel: Channel) -> None:
        answer = client.post(f"/channels/{channel.id}/generate").json()
        assert answer["item_count"] == 0

    def test_takes_few_queries(
        self, client: httpx.Client, films: list[Movie], channel: Channel, engine: Engine
    ) -> None:
        client.post(f"/channels/{channel.id}/generate")
        with statements(engine) as seen:
            client.post(f"/channels/{channel.id}/generate")
        assert len(seen) < 20

    def test_of_a_film_that_is_gone_since(
        self, client: httpx.Client, films: list[Movie], channel: Channel
    ) -> None:
        client.post(f"/channels/{channel.id}/generate")
        query = select(ChannelItem.movie_id).where(ChannelItem.position == 1)
        db.session.delete(db.session.get_one(Movie, db.session.scalars(query).one()))
        db.session.commit()
        found = client.get(f"/channels/{channel.id}").json()
        assert (found["item_count"], found["items"][0]["position"]) == (19, 2)

    def test_refuses(self, client: httpx.Client) -> None:
        assert refused(client.post(f"/channels/{NOBODY}/generate")) == UNKNOWN
