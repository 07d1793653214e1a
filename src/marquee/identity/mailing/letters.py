"""What stands in the mails. A letter is a template in plain text and one in HTML, of one name."""

from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Literal
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from marquee import settings

Kind = Literal["verify_email", "reset_password", "account_exists", "password_changed"]


@dataclass(frozen=True, slots=True)
class Letter:
    """What is known of a kind of mail before it is written.

    One with a `lifetime` carries a token for the purpose of the kind's name; `page` is the page of
    the web application that takes it, `operation` the one of the API.
    """

    subject: str
    lifetime: timedelta | None = None
    page: str = ""
    operation: str = ""


LETTERS: dict[Kind, Letter] = {
    "verify_email": Letter(
        "Confirm your e-mail address", timedelta(hours=24), "/verify-email", "/auth/verify-email"
    ),
    "reset_password": Letter(
        "Choose a new password", timedelta(minutes=30), "/reset-password", "/auth/reset-password"
    ),
    "account_exists": Letter("You already have an account"),
    "password_changed": Letter("Your password was changed"),
}


def written(kind: Kind, username: str, token: str | None) -> tuple[str, str]:
    """A letter to a user, as plain text and as HTML.

    Names a user by nothing but the user name: other words of a stranger who registers somebody
    else's address must not travel in our mail.
    """
    letter, values = LETTERS[kind], settings.current()
    words = {
        "subject": letter.subject,
        "username": username,
        "token": token,
        "link": f"{values.app_address}{letter.page}?{urlencode({'token': token})}",
        "operation": f"{values.server_address}/api/v1{letter.operation}",
        "lifetime": _in_words(letter.lifetime),
        "home": values.app_address,
    }
    text, html = (_templates().get_template(f"{kind}.{form}") for form in ("txt", "html"))
    return text.render(words), html.render(words)


def _in_words(lifetime: timedelta | None) -> str:
    if lifetime is None:
        return ""
    hours, minutes = divmod(round(lifetime.total_seconds() / 60), 60)
    return f"{minutes} minutes" if minutes else f"{hours} hours"


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("marquee.identity.mailing"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
