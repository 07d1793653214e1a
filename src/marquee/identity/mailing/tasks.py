"""The worker's part: writing a mail when it is to go, and handing it over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from marquee import jobs
from marquee.db import first, transaction
from marquee.errors import Unavailable
from marquee.identity.auth import one_time
from marquee.identity.mailing import TASK
from marquee.identity.mailing.letters import LETTERS, Kind, written
from marquee.identity.users.models import User
from marquee.services import mail

if TYPE_CHECKING:
    import procrastinate

log = structlog.get_logger("marquee")


def register(app: procrastinate.App) -> None:
    """Add the tasks to a queue."""

    @app.task(name=TASK, retry=jobs.patiently(Unavailable, OperationalError))
    def send_mail(kind: Kind, user_id: int, message_id: str) -> None:
        send(kind, user_id, message_id)


def send(kind: Kind, user_id: int, message_id: str) -> None:
    """Send a user a mail of a kind, if there still is somebody to send it to.

    Raises `mail.Refused` where the address takes no mail, Unavailable where it may do so later.
    """
    with transaction():
        message = _message(kind, user_id, message_id)
    if message is None:
        log.info("mail_not_needed", kind=kind, user=user_id, message=message_id)
        return
    # The token is committed and no transaction open, however long the server of mail takes.
    mail.send(message)


def _message(kind: Kind, user_id: int, message_id: str) -> mail.Message | None:
    """The message, with a token of its own: tokens are stored as digests, so none can come with the
    job. Each attempt makes a new one; the earlier ones have gone to nobody, and expire. Its data
    say which `email` it proves, which may be another one by the time it comes back.
    """
    query = select(User.username, User.email, User.email_verified)
    user = first(query.where(User.id == user_id, User.is_active))
    if user is None or user.email is None or (kind == "verify_email" and user.email_verified):
        return None
    letter, token = LETTERS[kind], None
    if letter.lifetime is not None:
        data = {"email": user.email}
        token = one_time.grant(kind, letter.lifetime, user_id=user_id, data=data)
    text, html = written(kind, user.username, token)
    return mail.Message(user.email, letter.subject, text, html, id=message_id)
