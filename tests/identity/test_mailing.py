"""marquee/identity/mailing: what is written to whom, and that a worker sends it."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any, get_args

import pytest
from sqlalchemy import Engine, delete, func, select, text

from marquee import clock, db
from marquee.identity.auth import one_time
from marquee.identity.auth.models import OneTimeToken
from marquee.identity.mailing import send_soon
from marquee.identity.mailing.letters import LETTERS, Kind, written
from marquee.identity.mailing.tasks import send
from marquee.identity.users.models import User
from marquee.services.mail import Refused
from tests.live import own_database
from tests.mail_server import MailServer, mail_server

Make = Callable[..., Any]
Set = Callable[..., None]
KINDS: tuple[Kind, ...] = get_args(Kind)


@pytest.fixture
def post(set_variables: Set) -> Iterator[MailServer]:
    """A mail server that Marquee knows, and addresses of ours."""
    with mail_server() as server:
        ours = {"PUBLIC_URL": "https://api.marquee.example", "APP_URL": "https://marquee.example/"}
        set_variables(**server.variables(SMTP_TLS="none"), **ours)
        yield server


@pytest.fixture
def ann(make_user: Make) -> User:
    """Somebody to write to."""
    user: User = make_user(username="ann", email="ann@example.org")
    return user


def parts(message: EmailMessage) -> tuple[str, str]:
    text_, html = (part.get_content() for part in message.iter_parts())
    return text_, html


def send_now(kind: Kind, user: User) -> None:
    """What the worker does with the job."""
    db.session.remove()
    send(kind, user.id, "an-id")


class TestLetters:
    @pytest.mark.parametrize("kind", KINDS)
    def test_arrive_in_both_forms(self, post: MailServer, ann: User, kind: Kind) -> None:
        send_now(kind, ann)
        (message,) = post.received
        assert (message["To"], message["Subject"]) == (ann.email, LETTERS[kind].subject)
        assert message["Message-ID"] == "<an-id@marquee.example>"
        for part in parts(message):
            assert "Hello ann," in part
            assert "https://marquee.example" in part

    @pytest.mark.parametrize(
        "kind,page,call,hours",
        [
            ("verify_email", "/verify-email", "verify-email", 24),
            ("reset_password", "/reset-password", "reset-password", 0.5),
        ],
    )
    def test_carry_a_token_that_is_good_once(
        self, post: MailServer, ann: User, kind: Kind, page: str, call: str, hours: float
    ) -> None:
        send_now(kind, ann)
        plain, html = parts(post.received[0])
        found = re.search(rf"https://marquee\.example{page}\?token=(\S+)", plain)
        assert found
        token = found[1]
        assert plain.count(token) == 3
        assert html.count(f"{page}?token={token}") == 3
        for part in (plain, html):
            assert f"POST https://api.marquee.example/api/v1/auth/{call}" in part
        expiry = db.session.scalars(select(OneTimeToken.expires_at)).one() - clock.now()
        assert abs(expiry - timedelta(hours=hours)) < timedelta(minutes=1)
        granted = one_time.redeem(kind, token)
        assert granted is not None
        assert (granted.user_id, granted.data) == (ann.id, {"email": ann.email})
        assert one_time.redeem(kind, token) is None

    @pytest.mark.parametrize("kind", ["account_exists", "password_changed"])
    def test_notices_carry_none(self, post: MailServer, ann: User, kind: Kind) -> None:
        send_now(kind, ann)
        assert "token" not in "".join(parts(post.received[0]))
        assert db.session.scalar(select(func.count()).select_from(OneTimeToken)) == 0

    @pytest.mark.parametrize("kind", KINDS)
    def test_html_is_escaped(self, kind: Kind) -> None:
        plain, html = written(kind, "<b>&", "a-token")
        assert "Hello <b>&," in plain
        assert "Hello &lt;b&gt;&amp;," in html
        assert "<b>" not in html

    def test_links_lead_here_where_no_address_is_set(self, set_variables: Set) -> None:
        set_variables(PUBLIC_URL=None, APP_URL=None, HOST="127.0.0.1", PORT="9001")
        plain, _ = written("verify_email", "ann", "a-token")
        assert "http://127.0.0.1:9001/verify-email?token=a-token" in plain
        assert "POST http://127.0.0.1:9001/api/v1/auth/verify-email" in plain


class TestWhoGetsNone:
    @pytest.mark.parametrize(
        "columns", [{"is_active": False}, {"email": None}, {"email_verified": True}]
    )
    def test_who_needs_none(
        self, post: MailServer, make_user: Make, columns: dict[str, Any]
    ) -> None:
        send_now("verify_email", make_user(**columns))
        assert post.received == []
        assert db.session.scalar(select(func.count()).select_from(OneTimeToken)) == 0

    def test_who_was_deleted(self, post: MailServer, ann: User) -> None:
        db.session.execute(delete(User).where(User.id == ann.id))
        db.session.commit()
        send_now("verify_email", ann)
        assert post.received == []

    def test_whose_address_is_refused(self, post: MailServer, ann: User) -> None:
        post.refusals["RCPT"] = "550 <ann@example.org> is unknown"
        with pytest.raises(Refused) as refused:
            send_now("verify_email", ann)
        assert "ann@" not in str(refused.value)


@pytest.fixture
def apart(engine: Engine, database_url: str) -> Iterator[Engine]:
    """A database of its own, whose queue only our worker looks at, for `db.transaction`."""
    with own_database(database_url) as url:
        own = db.engine_for(url)
        db.Session.configure(bind=own)
        yield own
        db.Session.configure(bind=engine)
        own.dispose()


@contextmanager
def worker(engine: Engine, folder: Path, **variables: str) -> Iterator[Path]:
    """A real `marquee worker`, and its log."""
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    log = folder / "worker.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "marquee", "worker"],
            env={**os.environ, "DATABASE_URL": url, **variables},
            stdout=output,
            stderr=output,
        )
    try:
        yield log
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()


def until(condition: Callable[[], object], log: Path) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, log.read_text()
        time.sleep(0.02)


def test_a_worker_sends_what_a_transaction_asked_for(apart: Engine, tmp_path: Path) -> None:
    """Sent what can be, put off what may be sent later, given up what nobody takes."""

    def ask(name: str) -> None:
        with db.transaction():
            user = User(username=name, email=f"{name}@example.org")
            db.session.add(user)
            db.session.flush()
            send_soon("verify_email", user.id)

    def states() -> list[str]:
        query = "select status::text from procrastinate_jobs where task_name = 'send-mail'"
        with apart.connect() as connection:
            return list(connection.scalars(text(f"{query} and attempts > 0 order by id")))

    with mail_server() as server:
        ask("ann")
        variables = server.variables(SMTP_TLS="none", LOG_LEVEL="INFO")
        with worker(apart, tmp_path, **variables) as log:
            until(lambda: states() == ["succeeded"], log)
            server.refusals["RCPT"] = "450 <ben@example.org> may come again"
            ask("ben")
            until(lambda: states() == ["succeeded", "todo"], log)
            server.refusals["RCPT"] = "550 <eve@example.org> is unknown"
            ask("eve")
            until(lambda: states() == ["succeeded", "todo", "failed"], log)
    (message,) = server.received
    token = re.search(r"token=(\S+)", parts(message)[0])
    assert token
    with db.transaction():
        assert one_time.redeem("verify_email", token[1])
        query = text("select args from procrastinate_jobs where task_name = 'send-mail'")
        arguments = list(db.session.scalars(query))
    assert {tuple(sorted(each)) for each in arguments} == {("kind", "message_id", "user_id")}
    told = log.read_text()
    assert '"mail_sent"' in told
    assert "Job send-mail" in told
    for secret in ("ann@", "ben@", "eve@", token[1]):
        assert secret not in told


def test_a_worker_refuses_settings_that_contradict_each_other(tmp_path: Path) -> None:
    refused = subprocess.run(
        [sys.executable, "-m", "marquee", "worker"],
        env={**os.environ, "DATABASE_URL": "postgresql://127.0.0.1:1/x", "SMTP_HOST": "localhost"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert "MAIL_FROM" in refused.stderr
