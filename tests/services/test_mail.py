"""marquee/services/mail.py, smtp.py, against aiosmtpd and servers that are none."""

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import trustme
from prometheus_client import REGISTRY

from marquee.errors import TimedOut, Unavailable
from marquee.services import mail
from marquee.services.mail import Message, Refused
from marquee.services.smtp import SmtpServer
from marquee.services.wire import Failed
from marquee.settings import BadSetting, read
from tests.mail_server import NAME, PASSWORD, USERNAME, MailServer, authority, mail_server

Set = Callable[..., None]
LETTER = Message(
    "ann@example.org", "Grüße", "Hello 🎬\nhttps://a.example/?token=secret", "<p>Hi</p>"
)


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> tuple[trustme.CA, str]:
    return authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def plain(set_variables: Set) -> Iterator[MailServer]:
    """A server without TLS, and settings that say so."""
    with mail_server() as server:
        set_variables(**server.variables(SMTP_TLS="none"))
        yield server


@pytest.fixture
def secure(set_variables: Set, trusted: tuple[trustme.CA, str]) -> Iterator[MailServer]:
    """A server that takes mail of those alone who sign in, behind STARTTLS."""
    ca, file = trusted
    with mail_server(ca.issue_cert(NAME), require_starttls=True, auth_required=True) as server:
        signed_in = {"SMTP_USERNAME": USERNAME, "SMTP_PASSWORD": PASSWORD}
        set_variables(**server.variables(**signed_in), SSL_CERT_FILE=file)
        yield server


@contextmanager
def talking(converse: Callable[[socket.socket], None]) -> Iterator[int]:
    """The port of something that is not quite an SMTP server."""

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                try:
                    converse(connection)
                except OSError:
                    continue

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def failure(server: SmtpServer) -> Failed:
    """What becomes of a message to a server."""
    with pytest.raises(Failed) as caught:
        server.deliver(mail.written(LETTER, mail.Address("", "no-reply", "marquee.example")))
    return caught.value


def lines(output: str, event: str) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    return [line for line in found if line["event"] == event]


def attempts(outcome: str) -> float:
    labels = {"upstream": "smtp", "outcome": outcome}
    return REGISTRY.get_sample_value("upstream_requests_total", labels) or 0


class TestSending:
    def test_both_parts_arrive(self, plain: MailServer, capsys: pytest.CaptureFixture[str]) -> None:
        before = attempts("ok")
        mail.send(LETTER)
        (got,) = plain.received
        assert got["From"] == "Marquee <no-reply@marquee.example>"
        assert (got["To"], got["Subject"]) == (LETTER.to, LETTER.subject)
        assert got["Message-ID"] == f"<{LETTER.id}@marquee.example>"
        assert got["Auto-Submitted"] == "auto-generated"
        text, html = got.iter_parts()
        assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
        assert text.get_content().splitlines() == LETTER.text.splitlines()
        assert html.get_content().splitlines() == [LETTER.html]
        assert plain.envelopes[0].rcpt_tos == [LETTER.to]
        assert plain.envelopes[0].original_content.isascii()
        assert attempts("ok") == before + 1
        output = capsys.readouterr().out
        assert lines(output, "mail_sent")[0]["domain"] == "example.org"
        assert "ann@" not in output
        assert "secret" not in output

    def test_starttls_and_a_password(self, secure: MailServer) -> None:
        mail.send(LETTER)
        assert len(secure.received) == 1
        assert secure.sessions[0].ssl is not None
        assert secure.sessions[0].authenticated

    def test_tls_from_the_first_byte(
        self, set_variables: Set, trusted: tuple[trustme.CA, str]
    ) -> None:
        ca, file = trusted
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ca.issue_cert(NAME).configure_cert(context)
        with mail_server(ssl_context=context) as server:
            set_variables(**server.variables(SMTP_TLS="tls"), SSL_CERT_FILE=file)
            mail.send(LETTER)
            assert len(server.received) == 1

    def test_what_was_taken_is_not_sent_again_for_a_bad_farewell(self) -> None:
        def converse(connection: socket.socket) -> None:
            file = connection.makefile("rb")
            connection.sendall(b"220 hello\r\n")
            for reply in (b"250 me", b"250 ok", b"250 ok", b"354 go on"):
                file.readline()
                connection.sendall(reply + b"\r\n")
            while file.readline() != b".\r\n":
                pass
            connection.sendall(b"250 taken\r\n")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

        with talking(converse) as port:
            server = SmtpServer("127.0.0.1", port, security="none")
            server.deliver(mail.written(LETTER, mail.Address("", "no-reply", "marquee.example")))


class TestRefusals:
    @pytest.mark.parametrize(
        "command,reply", [("RCPT", "550 5.1.1 <ann@example.org> is unknown"), ("DATA", "554 spam")]
    )
    def test_a_message_that_nobody_will_take(
        self, plain: MailServer, command: str, reply: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        plain.refusals[command] = reply
        before = attempts("rejected")
        with pytest.raises(Refused) as refused:
            mail.send(LETTER)
        assert attempts("rejected") == before + 1
        line = lines(capsys.readouterr().out, "upstream_failed")[0]
        assert (line["level"], line["outcome"], line["status"]) == (
            "error",
            "rejected",
            int(reply[:3]),
        )
        assert "ann@" not in f"{line} {refused.value}"

    @pytest.mark.parametrize(
        "command,reply",
        [
            ("MAIL", "550 sender unknown"),
            ("RCPT", "450 come again"),
            ("RCPT", "421 too much"),
            ("DATA", "452 disk full"),
        ],
    )
    def test_a_server_that_will_not_now(
        self, plain: MailServer, command: str, reply: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        plain.refusals[command] = reply
        with pytest.raises(Unavailable):
            mail.send(LETTER)
        line = lines(capsys.readouterr().out, "upstream_failed")[0]
        assert (line["level"], line["outcome"]) == ("warning", "server_error")
        plain.refusals.clear()
        mail.send(LETTER)
        assert len(plain.received) == 1

    @pytest.mark.parametrize(
        "address",
        [
            "",
            "ann",
            "a@",
            "a,b@example.org",
            "a@example.org, b@example.org",
            "a@example.org>",
            "a@example.org\r\nBcc: all@example.org",
        ],
    )
    def test_an_address_that_is_none(self, plain: MailServer, address: str) -> None:
        with pytest.raises(Refused):
            mail.send(Message(address, "Hello", "text", "html"))
        assert plain.received == []

    @pytest.mark.parametrize("international", [True, False])
    def test_an_address_in_other_letters(self, set_variables: Set, international: bool) -> None:  # noqa: FBT001
        message = Message("ann@käse.example", "Grüße", "text", "html")
        with mail_server(enable_SMTPUTF8=international) as server:
            set_variables(**server.variables(SMTP_TLS="none"))
            if international:
                mail.send(message)
                assert server.envelopes[0].rcpt_tos == [message.to]
                assert server.received[0]["Subject"] == "Grüße"
            else:
                with pytest.raises(Refused, match="ASCII"):
                    mail.send(message)

    def test_a_subject_adds_no_header(self, plain: MailServer) -> None:
        with pytest.raises(ValueError, match="linefeed"):
            mail.send(Message("ann@example.org", "Hello\r\nBcc: all@example.org", "text", "html"))
        assert plain.received == []

    def test_a_wrong_password(
        self, secure: MailServer, set_variables: Set, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for wrong in ("a wrong password", "ein schönes Passwort"):
            set_variables(SMTP_PASSWORD=wrong)
            with pytest.raises(Unavailable):
                mail.send(LETTER)
            output = capsys.readouterr().out
            assert lines(output, "upstream_failed")[0]["outcome"] == "key_refused"
            assert wrong not in output

    def test_a_server_that_asks_for_no_password(
        self, set_variables: Set, trusted: tuple[trustme.CA, str]
    ) -> None:
        ca, file = trusted
        set_variables(SSL_CERT_FILE=file)
        exclude = ["LOGIN", "PLAIN"]
        with mail_server(ca.issue_cert(NAME), auth_exclude_mechanism=exclude) as server:
            signing = SmtpServer(NAME, server.port, username=USERNAME, password=PASSWORD)
            assert failure(signing).outcome == "key_refused"


class TestCertificates:
    """The password goes to nobody whose certificate does not hold."""

    def test_of_an_unknown_authority(self, secure: MailServer, set_variables: Set) -> None:
        set_variables(SSL_CERT_FILE=None)
        failed = failure(SmtpServer(NAME, secure.port, username=USERNAME, password=PASSWORD))
        assert (failed.outcome, failed.again) == ("tls", True)
        assert secure.received == []

    def test_of_another_name(self, secure: MailServer) -> None:
        assert failure(SmtpServer("127.0.0.1", secure.port)).outcome == "tls"

    def test_of_another_name_from_the_first_byte(
        self, set_variables: Set, trusted: tuple[trustme.CA, str]
    ) -> None:
        ca, file = trusted
        set_variables(SSL_CERT_FILE=file)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ca.issue_cert("mail.example.org").configure_cert(context)
        with mail_server(ssl_context=context) as server:
            failed = failure(SmtpServer(NAME, server.port, security="tls"))
        assert failed.outcome == "tls"

    def test_starttls_that_is_not_offered(self, plain: MailServer) -> None:
        assert failure(SmtpServer(NAME, plain.port)).outcome == "tls"
        assert plain.received == []


class TestPatience:
    def test_nobody_is_there(self, set_variables: Set) -> None:
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            port = closed.getsockname()[1]
            failed = failure(SmtpServer("127.0.0.1", port, security="none"))
        assert (failed.outcome, failed.again) == ("connection_error", True)

    @pytest.mark.parametrize("host", ["nowhere.invalid", "mail..example"])
    def test_a_name_that_is_none(self, host: str) -> None:
        failed = failure(SmtpServer(host, 25, security="none"))
        assert (failed.outcome, failed.again) == ("connection_error", True)

    def test_silence(self, set_variables: Set) -> None:
        with talking(lambda connection: connection.recv(1) and None) as port:
            silent = MailServer(port)
            set_variables(**silent.variables(SMTP_TLS="none", SMTP_TIMEOUT="0.1"))
            with pytest.raises(TimedOut):
                mail.send(LETTER)

    @pytest.mark.parametrize("security", ["tls", "starttls"])
    def test_silence_instead_of_tls(self, security: str) -> None:
        def converse(connection: socket.socket) -> None:
            if security == "starttls":
                connection.sendall(b"220 hello\r\n")
                connection.recv(100)
                connection.sendall(b"250-me\r\n250 STARTTLS\r\n")
                connection.recv(100)
                connection.sendall(b"220 go on\r\n")
            while connection.recv(1000):
                pass

        with talking(converse) as port:
            failed = failure(SmtpServer("127.0.0.1", port, security=security, timeout=0.1))
        assert (failed.outcome, failed.again) == ("timeout", True)

    def test_bytes_that_drip(self) -> None:
        def drip(connection: socket.socket) -> None:
            while True:
                connection.sendall(b"2")
                time.sleep(0.02)

        started = time.monotonic()
        with talking(drip) as port:
            failed = failure(SmtpServer("127.0.0.1", port, security="none", total_timeout=0.3))
        assert failed.outcome == "timeout"
        assert time.monotonic() - started < 3

    @pytest.mark.parametrize(
        "words,outcome",
        [
            (b"", "connection_error"),
            (b"220 hello\r\n", "connection_error"),
            (b"554 go away\r\n", "server_error"),
            (b"HTTP/1.1 400 Bad Request\r\n\r\n", "server_error"),
        ],
    )
    def test_hanging_up(self, words: bytes, outcome: str) -> None:
        with talking(lambda connection: connection.sendall(words)) as port:
            failed = failure(SmtpServer("127.0.0.1", port, security="none"))
        assert (failed.outcome, failed.again) == (outcome, True)


class TestSettings:
    @pytest.mark.parametrize(
        "variables",
        [
            {"SMTP_HOST": "localhost"},
            {
                "SMTP_HOST": "localhost",
                "MAIL_FROM": "a@example.org",
                "SMTP_TLS": "none",
                "SMTP_USERNAME": "marquee",
                "SMTP_PASSWORD": "open",
            },
            {"SMTP_HOST": "localhost", "MAIL_FROM": "a..b@example.org"},
        ],
    )
    def test_contradictions_are_named(self, variables: dict[str, str]) -> None:
        with pytest.raises(BadSetting, match=r"MAIL_FROM|SMTP_TLS"):
            mail.carrier(read(variables))

    @pytest.mark.parametrize(
        "variable,text",
        [
            ("SMTP_TLS", "yes"),
            ("SMTP_PORT", "0"),
            ("MAIL_FROM", "Marquee"),
            ("MAIL_FROM", "Marquee <a@b> <c@d>"),
            ("MAIL_FROM", "a@example.org\nBcc: b@example.org"),
            ("APP_URL", "www.example.org"),
        ],
    )
    def test_a_bad_value_names_its_variable(self, variable: str, text: str) -> None:
        with pytest.raises(BadSetting, match=f"^{variable}="):
            read({variable: text})

    def test_addresses_follow_from_one_another(self) -> None:
        values = read({"HOST": "0.0.0.0", "PORT": "9000"})  # noqa: S104 - that is the point
        assert (values.server_address, values.app_address) == ("http://127.0.0.1:9000",) * 2
        assert read({"HOST": "::"}).server_address == "http://[::1]:8080"
        values = read({"PUBLIC_URL": "https://api.example.org/"})
        assert (values.server_address, values.app_address) == ("https://api.example.org",) * 2
        values = read({"PUBLIC_URL": "https://api.example.org", "APP_URL": "https://example.org/"})
        assert values.app_address == "https://example.org"
