"""src/marquee/services/media_server.py against fakes of Jellyfin and Emby."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from jellyfin_apiclient_python import JellyfinClient  # type: ignore[import-untyped]
from prometheus_client import REGISTRY, generate_latest

from marquee import __version__
from marquee.errors import NotConfigured, TimedOut, Unavailable
from marquee.services import media_server
from marquee.services.media_server import MediaServer, MediaUser
from tests.fakes.exchange import Asked, Reply
from tests.fakes.jellyfin import SERVER_ID, FakeJellyfin, Person
from tests.services.conftest import Clock, Lines, outcomes

PASSWORD = 'the password of Élodie: "quoted"'
ELODIE = Person("Élodie", PASSWORD, max_parental_rating=10)
ROOT = Person("root", "the password of root", is_admin=True)
GONE = Person("gone", "the password of one who is gone", is_disabled=True)
OPEN = Person("open", "")
KINDS = pytest.mark.parametrize("kind", ["jellyfin", "emby"])
Of = Callable[..., MediaServer]


@pytest.fixture
def fake() -> Iterator[FakeJellyfin]:
    with FakeJellyfin(ELODIE, ROOT, GONE, OPEN) as fake:
        yield fake


@pytest.fixture
def of(clock: Clock, lines: Lines) -> Of:
    """The adapter of a fake."""

    def of(fake: FakeJellyfin, **options: Any) -> MediaServer:
        timed = {"timing": clock.timing, "log": lines.log}
        return MediaServer(fake.url, fake.kind, **{**timed, **options})

    return of


class Altered(FakeJellyfin):
    """A server whose answers to a good password are altered."""

    def __init__(self, alter: Callable[[Any], object], **options: Any) -> None:
        super().__init__(ELODIE, **options)
        self.alter = alter

    def _session(self, person: Person, device: str) -> dict[str, Any]:
        session = super()._session(person, device)
        self.alter(session)
        return session


class TestSignIn:
    @KINDS
    def test_gives_the_account(self, of: Of, lines: Lines, kind: str) -> None:
        with FakeJellyfin(ELODIE, ROOT, kind=kind) as fake:
            server = of(fake)
            elodie = MediaUser(ELODIE.id, "Élodie", is_admin=False, max_parental_rating=10)
            assert server.sign_in("élodie", PASSWORD) == elodie
            root = MediaUser(ROOT.id, "root", is_admin=True, max_parental_rating=None)
            assert server.sign_in("ROOT", ROOT.password) == root
        assert lines.text == ""

    @KINDS
    def test_leaves_no_session_there(self, of: Of, kind: str) -> None:
        with FakeJellyfin(ELODIE, kind=kind) as fake:
            of(fake).sign_in("Élodie", PASSWORD)
            assert fake.tokens == {}
            asked = [f"{each.method} {each.path}" for each in fake.seen]
        assert asked == ["POST /Users/AuthenticateByName", "POST /Sessions/Logout"]

    def test_says_who_calls_as_jellyfin_wants_it(self, of: Of, fake: FakeJellyfin) -> None:
        of(fake).sign_in("root", ROOT.password)
        asked = fake.seen[0]
        assert asked.headers["authorization"] == (
            'MediaBrowser Client="Marquee", Device="Marquee", DeviceId="marquee", '
            f'Version="{__version__}"'
        )
        assert "x-emby-authorization" not in asked.headers
        assert json.loads(asked.body) == {"Username": "root", "Pw": ROOT.password}

    def test_says_who_calls_as_emby_wants_it(self, of: Of) -> None:
        with FakeJellyfin(ROOT, kind="emby", port=0) as fake:
            of(fake).sign_in("root", ROOT.password)
            headers = fake.seen[0].headers
        assert headers["x-emby-authorization"].startswith('Emby Client="Marquee", ')
        assert "authorization" not in headers

    def test_takes_a_path_in_the_address(self, clock: Clock) -> None:
        with FakeJellyfin(ROOT, kind="emby") as fake:
            server = MediaServer(f"{fake.url}/emby/", "emby", timing=clock.timing)
            found = server.sign_in("root", ROOT.password)
        assert found is not None

    @pytest.mark.parametrize(
        "name,password",
        [
            ("Élodie", "wrong"),
            ("Élodie", PASSWORD.upper()),
            ("Élodie", ""),
            ("nobody", PASSWORD),
            ("gone", GONE.password),
            ("gone", "wrong"),
            (" ", PASSWORD),
        ],
    )
    def test_tells_no_refusal_from_another(
        self, of: Of, fake: FakeJellyfin, lines: Lines, name: str, password: str
    ) -> None:
        assert of(fake).sign_in(name, password) is None
        assert (lines.text, fake.tokens) == ("", {})

    def test_an_account_without_a_password(self, of: Of, fake: FakeJellyfin) -> None:
        server = of(fake)
        assert server.sign_in("open", "") is not None
        assert server.sign_in("open", "some") is None

    def test_refusals_say_nothing_of_its_health(self, of: Of, fake: FakeJellyfin) -> None:
        """Else five wrong passwords of anybody would shut everybody out."""
        server = of(fake)
        assert [server.sign_in("root", "wrong") for _ in range(12)] == [None] * 12
        assert server.sign_in("root", ROOT.password) is not None

    def test_asks_for_a_password_once_only(self, of: Of, fake: FakeJellyfin, clock: Clock) -> None:
        """A password that is tried again counts again for the server's own lock."""
        fake.breaks("status", status=503)
        with pytest.raises(Unavailable):
            of(fake).sign_in("root", ROOT.password)
        assert (len(fake.seen), clock.waits) == (1, [])

    @pytest.mark.parametrize(
        "alter",
        [
            lambda session: session.update(AccessToken=None),
            lambda session: session.update(AccessToken='x"\r\nX-Evil: 1'),
            lambda session: session.pop("User"),
            lambda session: session.update(User=[]),
            lambda session: session["User"].pop("Policy"),
            lambda session: session["User"].update(Id=None),
            lambda session: session["User"].update(Id="../7"),
            lambda session: session["User"].update(Id=7),
            lambda session: session["User"].update(Name=" \0"),
            lambda session: session["User"]["Policy"].update(IsAdministrator="yes"),
            lambda session: session["User"]["Policy"].update(IsDisabled=1),
            lambda session: session["User"]["Policy"].update(MaxParentalRating="10"),
            lambda session: session["User"]["Policy"].update(MaxParentalRating=-1),
        ],
    )
    def test_believes_no_nonsense(
        self, of: Of, lines: Lines, alter: Callable[[Any], object]
    ) -> None:
        with Altered(alter) as fake, pytest.raises(Unavailable):
            of(fake).sign_in("Élodie", PASSWORD)
        assert outcomes(lines) == ["malformed"]

    def test_cleans_what_it_takes(self, of: Of) -> None:
        def alter(session: Any) -> None:
            session["User"]["Name"] = " " + "n" * 300
            session["User"]["Policy"]["MaxParentalRating"] = 2**31 - 1

        with Altered(alter) as fake:
            found = of(fake).sign_in("Élodie", PASSWORD)
        assert found == MediaUser(ELODIE.id, "n" * 255, is_admin=False, max_parental_rating=32767)

    def test_who_is_disabled_there_is_refused_and_signed_out(self, of: Of) -> None:
        def alter(session: Any) -> None:
            session["User"]["Policy"]["IsDisabled"] = True

        with Altered(alter) as fake:
            assert of(fake).sign_in("Élodie", PASSWORD) is None
            assert fake.tokens == {}

    @pytest.mark.parametrize("status", [401, 404, 500, 503])
    def test_lets_in_where_only_the_end_fails(self, of: Of, lines: Lines, status: int) -> None:
        class Stubborn(FakeJellyfin):
            def _logged_out(self, asked: Asked) -> Reply:
                return self.problem(status)

        with Stubborn(ROOT) as fake:
            server = of(fake)
            assert [server.sign_in("root", ROOT.password) for _ in range(2)].count(None) == 0
            (held,) = fake.tokens.values()
        assert held == ("marquee", ROOT.id)
        assert outcomes(lines) == ["server_error"] * 2 * (status >= 500)


class TestFailures:
    @pytest.mark.parametrize(
        "kind,outcome",
        [
            ("status", "server_error"),
            ("reset", "connection_error"),
            ("truncated", "connection_error"),
            ("broken_json", "malformed"),
            ("html", "malformed"),
            ("empty", "malformed"),
            ("wrong_types", "malformed"),
            ("huge", "too_large"),
            ("endless", "too_large"),
            ("bomb", "too_large"),
            ("encoding", "malformed"),
            ("redirect", "redirect"),
        ],
    )
    def test_are_503(
        self, of: Of, fake: FakeJellyfin, lines: Lines, kind: str, outcome: str
    ) -> None:
        fake.breaks(kind)
        with pytest.raises(Unavailable) as refusal:
            of(fake).sign_in("Élodie", PASSWORD)
        assert (refusal.value.status, refusal.value.code) == (503, "EXTERNAL_API_ERROR")
        assert int(refusal.value.headers["Retry-After"]) >= 1
        assert outcomes(lines) == [outcome]

    @pytest.mark.parametrize("status", [400, 404, 429, 500])
    def test_statuses_are_503(self, of: Of, fake: FakeJellyfin, status: int) -> None:
        fake.breaks("status", status=status, retry_after="7" if status == 429 else None)
        with pytest.raises(Unavailable) as refusal:
            of(fake).sign_in("Élodie", PASSWORD)
        assert refusal.value.status == 503
        assert refusal.value.headers["Retry-After"] == ("7" if status == 429 else "5")

    @pytest.mark.parametrize("kind,seconds", [("slow", 5), ("drip", 0.05), ("drip_headers", 0.05)])
    def test_slowness_is_504(
        self, of: Of, fake: FakeJellyfin, lines: Lines, kind: str, seconds: float
    ) -> None:
        fake.breaks(kind, seconds=seconds)
        with pytest.raises(TimedOut) as refusal:
            of(fake, timeout=0.2).sign_in("Élodie", PASSWORD)
        assert refusal.value.status == 504
        assert outcomes(lines) == ["timeout"]

    def test_nobody_listens(self, of: Of, fake: FakeJellyfin, lines: Lines) -> None:
        fake.stop()
        with pytest.raises(Unavailable):
            of(fake).sign_in("Élodie", PASSWORD)
        assert outcomes(lines) == ["connection_error"]

    def test_is_left_alone_while_it_fails(self, of: Of, fake: FakeJellyfin, clock: Clock) -> None:
        server = of(fake)
        fake.breaks("status")
        for _ in range(6):
            with pytest.raises(Unavailable):
                server.sign_in("root", ROOT.password)
        assert len(fake.seen) == 5
        fake.heals()
        clock.sleep(31)
        assert server.sign_in("root", ROOT.password) is not None


class TestSecrets:
    @pytest.mark.parametrize(
        "kind", ["status", "reset", "truncated", "html", "wrong_types", "redirect", "slow"]
    )
    def test_are_in_no_log_and_no_metric(
        self, of: Of, fake: FakeJellyfin, lines: Lines, kind: str
    ) -> None:
        fake.breaks(kind)
        with pytest.raises(Unavailable):
            of(fake, timeout=0.3).sign_in("Élodie", PASSWORD)
        metrics = generate_latest(REGISTRY).decode()
        for secret in ("password of", "lodie"):
            assert secret not in lines.text + metrics
        assert 'upstream="media_server"' in metrics

    @pytest.mark.parametrize("status", [400, 500])
    def test_are_not_taken_from_an_echo(
        self, of: Of, fake: FakeJellyfin, lines: Lines, status: int
    ) -> None:
        class Echo(FakeJellyfin):
            def answer(self, asked: Asked) -> Reply:
                return Reply(status, asked.body)

        with Echo(ROOT) as echo, pytest.raises(Unavailable):
            of(echo).sign_in("root", ROOT.password)
        assert "password of root" not in lines.text
        assert lines.entries()[0]["status"] == status

    def test_tokens_are_not_shown(self, of: Of, lines: Lines) -> None:
        tokens: list[str] = []

        class Failing(FakeJellyfin):
            def _logged_out(self, asked: Asked) -> Reply:
                tokens.extend(self.tokens)
                return Reply(500, asked.headers["authorization"].encode())

        with Failing(ROOT) as fake:
            of(fake).sign_in("root", ROOT.password)
        assert tokens[0] not in lines.text


class TestCurrent:
    def test_is_refused_where_there_is_none(self, set_variables: Callable[..., None]) -> None:
        set_variables(MEDIA_SERVER_URL=None)
        with pytest.raises(NotConfigured):
            media_server.current()

    def test_is_the_one_of_the_settings(
        self, fake: FakeJellyfin, set_variables: Callable[..., None]
    ) -> None:
        set_variables(MEDIA_SERVER_URL=fake.url, MEDIA_SERVER_KIND="emby")
        assert media_server.current() is media_server.current()
        assert media_server.current().kind == "emby"


class TestFake:
    """It is honest: a public client, which nobody here wrote, signs in to it."""

    @pytest.fixture
    def public(self, fake: FakeJellyfin) -> Any:
        client = JellyfinClient()
        client.config.app("Counterpart", "1.0", "A test", "a-device")
        client.config.data["auth.ssl"] = True
        state = client.auth.connect_to_address(fake.url)
        assert state["Servers"][0]["Id"] == SERVER_ID
        return client

    def test_serves_a_public_client(self, fake: FakeJellyfin, public: Any) -> None:
        session = public.auth.login(fake.url, "Élodie", PASSWORD)
        assert session["User"]["Id"] == ELODIE.id
        assert session["User"]["Policy"]["MaxParentalRating"] == 10
        assert fake.tokens == {session["AccessToken"]: ("a-device", ELODIE.id)}
        state = public.authenticate(
            {"Servers": public.get_credentials()["Servers"]}, discover=False
        )
        assert state["State"].name == "SignedIn"

    def test_refuses_it(self, fake: FakeJellyfin, public: Any) -> None:
        assert public.auth.login(fake.url, "Élodie", "wrong") == {}
        assert public.auth.login(fake.url, "gone", GONE.password) == {}
        assert fake.tokens == {}
