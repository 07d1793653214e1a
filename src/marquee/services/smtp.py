"""Handing a message to an SMTP server (RFC 5321), by `smtplib`, which has no end to its patience:
its time-out starts anew with every byte, so a timer cuts the connection.
"""

import re
import smtplib
import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import ClassVar

from marquee.services.wire import Failed

READY, PERMANENT = 220, 500
ADDRESS = re.compile(r"[^\s<>@]+@[^\s<>@]+")
LONGEST_REPLY = 300


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """A server that takes our mail. Each message has a connection of its own. Times in seconds."""

    host: str
    port: int
    username: str = ""
    password: str = field(default="", repr=False)
    security: str = "starttls"
    """`starttls`, `tls` or `none`, as the setting `SMTP_TLS`."""
    timeout: float = 10.0
    """The longest wait for a connection, and for each answer."""
    total_timeout: float = 60.0
    name: ClassVar[str] = "smtp"

    def deliver(self, message: EmailMessage) -> None:
        """Hand a message to the server, which has then answered for it.

        Raises Failed; `again` says that another attempt may fare better. What the server says is in
        it without addresses.
        """
        smtp = self._client()
        expired = threading.Event()
        timer = threading.Timer(self.total_timeout, _cut, (smtp, expired))
        timer.daemon = True
        timer.start()
        try:
            self._converse(smtp, message)
        except (OSError, smtplib.SMTPException, UnicodeError) as error:  # the last: a host's name
            raise _explained(error, expired=expired.is_set()) from None
        finally:
            timer.cancel()
            smtp.close()

    def _client(self) -> smtplib.SMTP:
        if self.security == "tls":
            context = ssl.create_default_context()
            client: smtplib.SMTP = smtplib.SMTP_SSL(timeout=self.timeout, context=context)
        else:
            client = smtplib.SMTP(timeout=self.timeout)
        # The name that the certificate must have. Only the constructor sets it, but that would
        # connect at once, before the timer knows what to cut.
        client._host = self.host  # type: ignore[attr-defined]  # noqa: SLF001
        return client

    def _converse(self, smtp: smtplib.SMTP, message: EmailMessage) -> None:
        code, reply = smtp.connect(self.host, self.port)
        if code != READY:
            raise smtplib.SMTPConnectError(code, reply)
        if self.security == "starttls":
            smtp.starttls(context=ssl.create_default_context())
        if self.username:
            _sign_in(smtp, self.username, self.password)
        sender, recipient = (message[name].addresses[0].addr_spec for name in ("From", "To"))
        try:
            smtp.send_message(message, sender, [recipient])
        except smtplib.SMTPNotSupportedError:
            # The address is not ASCII, and the server knows no other (RFC 6531).
            raise Failed("rejected", "The server takes ASCII addresses only.") from None
        # It has been taken: whatever happens to the farewell, it must not be sent again.
        with suppress(OSError, smtplib.SMTPException):
            smtp.quit()


def _sign_in(smtp: smtplib.SMTP, username: str, password: str) -> None:
    try:
        smtp.login(username, password)
    except smtplib.SMTPAuthenticationError as error:
        raise Failed("key_refused", _said(error.smtp_code, error.smtp_error), again=True) from None
    except UnicodeEncodeError:
        # Its words would show a letter of the password.
        raise Failed("key_refused", "Name or password is not ASCII.", again=True) from None
    except smtplib.SMTPServerDisconnected:
        raise
    except smtplib.SMTPException as error:
        raise Failed("key_refused", str(error), again=True) from None


def _cut(smtp: smtplib.SMTP, expired: threading.Event) -> None:
    expired.set()
    if smtp.sock is not None:
        with suppress(OSError):
            # Not the method of ssl.SSLSocket, which is not made to be called from elsewhere.
            socket.socket.shutdown(smtp.sock, socket.SHUT_RDWR)


def _explained(error: Exception, *, expired: bool) -> Failed:
    """Name an error of the library. Only what concerns this one message is final."""
    if expired or isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
        return Failed("timeout", "No answer in time.", again=True)
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return _judged(*next(iter(error.recipients.values())), personal=True)
    if isinstance(error, smtplib.SMTPResponseException):
        personal = isinstance(error, smtplib.SMTPDataError)
        return _judged(error.smtp_code, error.smtp_error, personal=personal)
    is_tls = isinstance(error, ssl.SSLError | smtplib.SMTPNotSupportedError)
    message = ADDRESS.sub("***", f"{type(error).__name__}: {error}")
    return Failed("tls" if is_tls else "connection_error", message, again=True)


def _judged(code: int, reply: bytes | str, *, personal: bool) -> Failed:
    if personal and code >= PERMANENT:
        return Failed("rejected", _said(code, reply), status=code)
    return Failed("server_error", _said(code, reply), again=True, status=code)


def _said(code: int, reply: bytes | str) -> str:
    text = reply.decode(errors="replace") if isinstance(reply, bytes) else reply
    return f"{code}: {ADDRESS.sub('***', text)[:LONGEST_REPLY]}"
