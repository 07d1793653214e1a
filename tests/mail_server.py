"""A real SMTP server on 127.0.0.1, aiosmtpd, that refuses what it is told to."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.live import free_port

USERNAME, PASSWORD = "marquee", "a password of the mail server"
NAME = "localhost"
"""The name in its certificate."""


@dataclass
class MailServer:
    """What aiosmtpd has taken, and what it answers instead of taking more: by command."""

    port: int
    received: list[EmailMessage] = field(default_factory=list)
    envelopes: list[Envelope] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)
    refusals: dict[str, str] = field(default_factory=dict)

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if "MAIL" in self.refusals:
            return self.refusals["MAIL"]
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if "RCPT" in self.refusals:
            return self.refusals["RCPT"]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        if "DATA" in self.refusals:
            return self.refusals["DATA"]
        assert isinstance(envelope.content, bytes)
        self.received.append(message_from_bytes(envelope.content, policy=policy.default))
        self.envelopes.append(envelope)
        self.sessions.append(session)
        return "250 OK"

    def variables(self, **others: str) -> dict[str, str]:
        """The settings with which Marquee finds it."""
        return {
            "SMTP_HOST": NAME,
            "SMTP_PORT": str(self.port),
            "MAIL_FROM": "Marquee <no-reply@marquee.example>",
            **others,
        }


@contextmanager
def mail_server(
    certificate: trustme.LeafCert | None = None, **options: Any
) -> Iterator[MailServer]:
    """A running server; with a certificate it offers STARTTLS, and AUTH behind it."""
    server = MailServer(free_port())
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        options = {"tls_context": context, "authenticator": _authenticate, **options}
    controller = Controller(server, hostname="127.0.0.1", port=server.port, **options)
    controller.start()
    try:
        yield server
    finally:
        controller.stop()


def authority(folder: Path) -> tuple[trustme.CA, str]:
    """A certificate authority, and the file by which `SSL_CERT_FILE` makes it known."""
    made = trustme.CA()
    made.cert_pem.write_to_path(folder / "authority.pem")
    return made, str(folder / "authority.pem")


def _authenticate(
    server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: Any
) -> AuthResult:
    right = LoginPassword(USERNAME.encode(), PASSWORD.encode())
    return AuthResult(success=given == right, handled=False)
