"""E-mail: one message to one person, by SMTP, or into a folder where no server is named.

Whoever sends does so from a job, never while a request waits.
"""

import secrets
import time
from dataclasses import dataclass, field
from email import policy
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

import structlog

from marquee import clock, settings
from marquee.errors import TimedOut, Unavailable
from marquee.services.http import DURATION, REQUESTS
from marquee.services.mailbox import Mailbox
from marquee.services.smtp import SmtpServer
from marquee.services.wire import Failed
from marquee.settings import BadSetting, Settings

log = structlog.get_logger("marquee")

NOBODY = "Marquee <marquee@localhost>"
"""Whom kept messages come from, where `MAIL_FROM` does not say."""
POLICY = policy.SMTP.clone(cte_type="7bit")
"""Every server takes 7-bit bodies; `smtplib` would send others without asking."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message to one address, as plain text and as HTML."""

    to: str
    subject: str
    text: str
    html: str
    id: str = field(default_factory=lambda: secrets.token_hex(16))
    """Becomes its Message-ID: a message that is sent again under the same one is known for a
    repetition by the mail servers on its way."""


class Refused(Exception):
    """Nobody will ever take this message: there is no such address, or it is refused for good."""


def carrier(values: Settings) -> SmtpServer | Mailbox:
    """What takes our mail. Raises BadSetting where the settings contradict each other."""
    if not values.smtp_host:
        return Mailbox(values.mailbox)
    if values.smtp_tls == "none" and values.smtp_username:
        raise BadSetting(
            "SMTP_TLS=none would show SMTP_PASSWORD to everybody: it goes with no SMTP_USERNAME."
        )
    _sender(values)
    return SmtpServer(
        values.smtp_host,
        values.smtp_port,
        username=values.smtp_username,
        password=values.smtp_password,
        security=values.smtp_tls,
        timeout=values.smtp_timeout,
        total_timeout=6 * values.smtp_timeout,
    )


def send(message: Message) -> None:
    """Send a message once.

    Raises Refused where another attempt is useless, TimedOut and Unavailable where it is not,
    ValueError for a subject of several lines.
    """
    values = settings.current()
    by = carrier(values)
    outcome, started = "bug", time.monotonic()
    try:
        by.deliver(written(message, _sender(values)))
        outcome = "ok"
    except Failed as failed:
        outcome = failed.outcome
        _report(failed, by.name, message)
        raise _refusal(failed, by.name) from failed
    finally:
        REQUESTS.labels(by.name, outcome).inc()
        DURATION.labels(by.name).observe(time.monotonic() - started)
    log.info("mail_sent", upstream=by.name, message=message.id, domain=_domain(message.to))


def written(message: Message, sender: Address) -> EmailMessage:
    """A message in the form of RFC 5322. Raises Failed for an address that is none, ValueError for
    a subject of several lines.
    """
    mail = EmailMessage(POLICY)
    mail["From"] = sender
    try:
        mail["To"] = Address(addr_spec=message.to)
    except (ValueError, IndexError, MessageError):
        raise Failed("rejected", "That is not an address.") from None
    mail["Subject"] = message.subject
    mail["Date"] = format_datetime(clock.now())
    mail["Message-ID"] = f"<{message.id}@{sender.domain}>"
    # RFC 3834: holiday notices and the like stay away.
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text)
    mail.add_alternative(message.html, subtype="html")
    return mail


def _sender(values: Settings) -> Address:
    if values.smtp_host and not values.mail_from:
        raise BadSetting("MAIL_FROM must be set where SMTP_HOST is.")
    name, _, address = (values.mail_from or NOBODY).rpartition("<")
    try:
        return Address(name.strip(' "'), addr_spec=address.rstrip(">"))
    except (ValueError, IndexError, MessageError) as error:
        raise BadSetting(f"MAIL_FROM={values.mail_from!r} is not an address.") from error


def _report(failed: Failed, upstream: str, message: Message) -> None:
    say = log.warning if failed.again else log.error
    say(
        "upstream_failed",
        upstream=upstream,
        message=message.id,
        domain=_domain(message.to),
        outcome=failed.outcome,
        status=failed.status,
        error=str(failed),
    )


def _refusal(failed: Failed, upstream: str) -> Exception:
    if not failed.again:
        return Refused(f"The message was refused: {failed}")
    if failed.outcome == "timeout":
        return TimedOut(f"The outside service {upstream} took too long to answer.")
    return Unavailable(f"The outside service {upstream} cannot be used at the moment.")


def _domain(address: str) -> str:
    """All that a log may show of an address."""
    return address.rpartition("@")[2][:255]
