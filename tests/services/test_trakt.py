"""src/marquee/services/trakt.py against a fake of Trakt, and a public client against the same."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from trakt.client import TraktClient  # type: ignore[import-untyped]

from marquee import __version__
from marquee.errors import NotConfigured, TimedOut, Unavailable
from marquee.services import trakt
from marquee.services.trakt import (
    AccountLimited,
    Ids,
    Rated,
    Tokens,
    Trakt,
    TraktRefused,
)
from tests.fakes.exchange import Asked, Reply
from tests.fakes.trakt import CLIENT_ID, CLIENT_SECRET, DAY, REDIRECT_URI, FakeTrakt, Member
from tests.services.conftest import START, Clock, Lines, outcomes

Of = Callable[..., Trakt]
MOMENT = datetime(2026, 2, 1, 20, 15, 30, 123000, tzinfo=UTC)


@pytest.fixture
def fake() -> Iterator[FakeTrakt]:
    with FakeTrakt() as fake:
        yield fake


@pytest.fixture
def casey() -> Member:
    return Member("Casey")


@pytest.fixture
def of(clock: Clock, lines: Lines) -> Of:
    """The adapter of a fake."""

    def of(fake: FakeTrakt, **options: Any) -> Trakt:
        given = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "base_url": fake.url}
        timed = {"web_url": fake.url, "timing": clock.timing, "log": lines.log}
        return Trakt(**{**given, **timed, **options})

    return of


@pytest.fixture
def client(of: Of, fake: FakeTrakt) -> Trakt:
    return of(fake)


def connected(client: Trakt, fake: FakeTrakt, member: Member) -> Tokens:
    return client.exchange(fake.authorize(member), redirect_uri=REDIRECT_URI)


class Altered(FakeTrakt):
    """A Trakt whose answers are altered."""

    def __init__(self, alter: Callable[[Any], Any], status: int = 200) -> None:
        super().__init__()
        self.alter, self.status = alter, status

    def answer(self, asked: Asked) -> Reply:
        reply = super().answer(asked)
        return Reply(reply.status, self.alter(reply.value), reply.headers)


class TestOAuth:
    def test_page_is_told_where_to_come_back(self, client: Trakt, fake: FakeTrakt) -> None:
        url = urlsplit(client.authorize_url(redirect_uri=REDIRECT_URI, state="s-1_x"))
        assert f"{url.scheme}://{url.netloc}{url.path}" == f"{fake.url}/oauth/authorize"
        assert parse_qs(url.query) == {
            "response_type": ["code"],
            "client_id": [CLIENT_ID],
            "redirect_uri": [REDIRECT_URI],
            "state": ["s-1_x"],
        }

    def test_code_becomes_tokens_and_a_name(
        self, client: Trakt, fake: FakeTrakt, casey: Member, lines: Lines
    ) -> None:
        tokens = connected(client, fake, casey)
        assert tokens.expires_at == START + timedelta(days=1)
        assert client.username(tokens.access_token) == "Casey"
        assert tokens.access_token not in repr(tokens)
        assert lines.text == ""

    def test_code_is_good_once(self, client: Trakt, fake: FakeTrakt, casey: Member) -> None:
        code = fake.authorize(casey)
        client.exchange(code, redirect_uri=REDIRECT_URI)
        with pytest.raises(TraktRefused):
            client.exchange(code, redirect_uri=REDIRECT_URI)

    def test_refresh_ends_the_tokens_before(
        self, client: Trakt, fake: FakeTrakt, casey: Member
    ) -> None:
        first = connected(client, fake, casey)
        second = client.refresh(first.refresh_token, redirect_uri=REDIRECT_URI)
        assert client.username(second.access_token) == "Casey"
        with pytest.raises(TraktRefused):
            client.username(first.access_token)
        with pytest.raises(TraktRefused):
            client.refresh(first.refresh_token, redirect_uri=REDIRECT_URI)

    def test_revoked_leave_is_no_more(self, client: Trakt, fake: FakeTrakt, casey: Member) -> None:
        tokens = connected(client, fake, casey)
        client.revoke(tokens.access_token)
        with pytest.raises(TraktRefused):
            client.username(tokens.access_token)

    def test_secrets_are_in_no_log(self, of: Of, casey: Member, lines: Lines) -> None:
        with Altered(lambda value: {**value, "expires_in": "soon"}) as fake:
            client = of(fake)
            with pytest.raises(Unavailable):
                connected(client, fake, casey)
            [leave] = fake.leaves
        assert outcomes(lines) == ["malformed"]
        assert CLIENT_SECRET not in lines.text
        assert leave.access_token not in lines.text


class TestRatings:
    def test_pages(self, client: Trakt, fake: FakeTrakt, casey: Member) -> None:
        fake.page = 2
        for number in range(5):
            film = fake.add("movies", f"Film {number}", imdb=f"tt000000{number}", tmdb=number + 1)
            fake.rate(casey, film, number + 1, MOMENT - timedelta(days=number))
        token = connected(client, fake, casey).access_token
        pages = [client.ratings(token, "movies", page) for page in (1, 2, 3)]
        assert [page.pages for page in pages] == [3, 3, 3]
        assert [each.score for page in pages for each in page.ratings] == [1, 2, 3, 4, 5]
        assert pages[0].ratings[0] == Rated(Ids("tt0000000", 1, None), 1, MOMENT)
        asked = fake.seen[-1]
        assert asked.query == {"page": "3", "limit": "250"}
        assert asked.headers["trakt-api-version"] == "2"
        assert asked.headers["user-agent"] == f"Marquee/{__version__}"

    def test_bad_ones_are_left_out(self, of: Of, casey: Member, lines: Lines) -> None:
        def alter(value: Any) -> Any:
            if not isinstance(value, list):
                return value
            good = value[0]
            bad = [
                {**good, "rating": 11},
                {**good, "rated_at": "yesterday"},
                {**good, "show": None},
                {**good, "show": {"ids": {"tmdb": "78"}}},
                7,
            ]
            odd = {**good, "show": {"ids": {"imdb": "https://imdb.com", "tvdb": 5, "tmdb": 0}}}
            return [good, *bad, odd]

        with Altered(alter) as fake:
            fake.rate(casey, fake.add("shows", "Lost", tvdb=73739), 8, MOMENT)
            client = of(fake)
            page = client.ratings(connected(client, fake, casey).access_token, "shows", 1)
        found = [Ids(tvdb_id=73739), Ids(tvdb_id=5)]
        assert [each.ids for each in page.ratings] == found
        assert len(lines.entries("upstream_item_skipped")) == 5

    @pytest.mark.parametrize("count", ["-1", "many", "9" * 20])
    def test_count_of_pages_that_is_none(
        self, of: Of, casey: Member, lines: Lines, count: str
    ) -> None:
        class Odd(FakeTrakt):
            def answer(self, asked: Asked) -> Reply:
                reply = super().answer(asked)
                return Reply(reply.status, reply.value, {"X-Pagination-Page-Count": count})

        with Odd() as fake:
            client = of(fake)
            token = connected(client, fake, casey).access_token
            with pytest.raises(Unavailable):
                client.ratings(token, "movies", 1)
        assert outcomes(lines) == ["malformed"]

    def test_rates_and_removes(self, client: Trakt, fake: FakeTrakt, casey: Member) -> None:
        fake.add("movies", "Jaws", 1975, imdb="tt0073195", tmdb=578)
        fake.add("shows", "Lost", 2004, tvdb=73739)
        token = connected(client, fake, casey).access_token
        unknown = Rated(Ids(tmdb_id=7), 3, MOMENT)
        client.rate(token, "movies", [Rated(Ids("tt0073195"), 9, MOMENT), unknown])
        client.rate(token, "shows", [Rated(Ids(tvdb_id=73739), 4, MOMENT)])
        assert fake.scores(casey) == {"Jaws": 9, "Lost": 4}
        assert client.ratings(token, "movies", 1).ratings[0].rated_at == MOMENT
        client.unrate(token, "movies", [Ids("tt0073195"), Ids(tmdb_id=7)])
        client.unrate(token, "shows", [Ids(tvdb_id=73739)])
        assert fake.scores(casey) == {}


class TestTrouble:
    def test_write_that_came_too_early_comes_again(
        self, client: Trakt, fake: FakeTrakt, casey: Member, clock: Clock
    ) -> None:
        fake.add("movies", "Jaws", imdb="tt0073195")
        token = connected(client, fake, casey).access_token
        fake.breaks("status", status=429, retry_after="1", times=1)
        client.rate(token, "movies", [Rated(Ids("tt0073195"), 9, MOMENT)])
        assert (fake.scores(casey), clock.waits) == ({"Jaws": 9}, [1.0])

    def test_long_limit_is_told(self, client: Trakt, fake: FakeTrakt, casey: Member) -> None:
        token = connected(client, fake, casey).access_token
        fake.breaks("status", status=429, retry_after="200")
        with pytest.raises(Unavailable) as refusal:
            client.rate(token, "movies", [])
        assert refusal.value.headers == {"Retry-After": "200"}

    @pytest.mark.parametrize("status", [420, 423, 426])
    def test_accounts_that_may_not(
        self, client: Trakt, fake: FakeTrakt, casey: Member, status: int
    ) -> None:
        token = connected(client, fake, casey).access_token
        fake.breaks("status", status=status)
        with pytest.raises(AccountLimited):
            client.rate(token, "movies", [])

    @pytest.mark.parametrize("kind", ["broken_json", "html", "empty", "wrong_types", "reset"])
    def test_nonsense(self, client: Trakt, fake: FakeTrakt, casey: Member, kind: str) -> None:
        fake.rate(casey, fake.add("movies", "Jaws", tmdb=578), 9, MOMENT)
        token = connected(client, fake, casey).access_token
        fake.breaks(kind)
        with pytest.raises(Unavailable):
            client.ratings(token, "movies", 1)
        with pytest.raises(Unavailable):
            client.username(token)

    def test_too_slow(self, of: Of, fake: FakeTrakt, casey: Member) -> None:
        client = of(fake, timeout=0.1)
        token = connected(client, fake, casey).access_token
        fake.breaks("slow", seconds=2)
        with pytest.raises(TimedOut):
            client.ratings(token, "movies", 1)

    def test_reading_is_tried_again(
        self, client: Trakt, fake: FakeTrakt, casey: Member, lines: Lines
    ) -> None:
        token = connected(client, fake, casey).access_token
        fake.breaks("status", status=504, times=2)
        assert client.username(token) == "Casey"
        assert outcomes(lines) == ["server_error", "server_error"]

    def test_wrong_application_is_refused(self, of: Of, fake: FakeTrakt, casey: Member) -> None:
        client = of(fake, client_secret="another")
        with pytest.raises(TraktRefused):
            connected(client, fake, casey)


class TestCurrent:
    def test_is_not_configured(self, set_variables: Callable[..., None]) -> None:
        set_variables(TRAKT_CLIENT_ID=CLIENT_ID)
        with pytest.raises(NotConfigured):
            trakt.current()

    def test_is_one(self, set_variables: Callable[..., None]) -> None:
        set_variables(TRAKT_CLIENT_ID=CLIENT_ID, TRAKT_CLIENT_SECRET=CLIENT_SECRET)
        assert trakt.current() is trakt.current()
        url = trakt.current().authorize_url(redirect_uri=REDIRECT_URI, state="s")
        assert url.startswith("https://trakt.tv/oauth/authorize?")


class TestPublicClient:
    """The fake is one that trakt.py, a client of the real Trakt, can use."""

    def test_connects_and_rates(self, fake: FakeTrakt, casey: Member) -> None:
        jaws = fake.add("movies", "Jaws", 1975, imdb="tt0073195", tmdb=578)
        lost = fake.add("shows", "Lost", 2004, imdb="tt0411008", tvdb=73739)
        fake.rate(casey, jaws, 9, MOMENT)
        fake.rate(casey, lost, 7, MOMENT)
        fake.expires_in = 90 * DAY  # this client does not believe in the last two days of a token
        public = TraktClient()
        public.base_url = fake.url
        public.configuration.defaults.client(id=CLIENT_ID, secret=CLIENT_SECRET)
        code = fake.authorize(casey)
        granted = public["oauth"].token_exchange(code, REDIRECT_URI)
        granted = public["oauth"].token_refresh(granted["refresh_token"], REDIRECT_URI)
        with public.configuration.oauth.from_response(granted):
            assert public["users/settings"].get()["user"]["username"] == "Casey"
            [film] = public["sync/ratings"].movies().values()
            assert (film.title, film.rating.value, film.pk) == ("Jaws", 9, ("imdb", "tt0073195"))
            assert film.rating.timestamp.replace(tzinfo=UTC) == MOMENT
            [show] = public["sync/ratings"].get("shows", flat=True, page=1, per_page=10)
            assert (show.title, show.rating.value) == ("Lost", 7)
            added = public["sync/ratings"].add({"movies": [{"rating": 3, "ids": {"tmdb": 578}}]})
            assert added["added"]["movies"] == 1
            removed = public["sync/ratings"].remove({"shows": [{"ids": {"tvdb": 73739}}]})
            assert removed["deleted"]["shows"] == 1
        assert fake.scores(casey) == {"Jaws": 3}
