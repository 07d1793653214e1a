"""What users prefer: the defaults, and of each user what differs from them."""

from copy import deepcopy
from typing import Any

from sqlalchemy import select

from marquee.db import session
from marquee.identity.users.models import User

Preferences = dict[str, Any]

DEFAULTS: Preferences = {
    "email_notifications": {"enabled": True, "frequency": "instant"},
    "push_notifications": {"enabled": False},
    "digest_notifications": {"enabled": False, "frequency": "weekly"},
    # Nobody shows anything of themselves without having said so.
    "profile_visibility": "private",
    "show_email": False,
    "show_activity": False,
    "theme": "system",
    "display_language": "en",
    "content_language": None,
    "metadata_language": None,
    "show_adult_content": False,
    "show_spoilers": False,
    "auto_play_videos": True,
    "dislike_behavior": "exclude",
}
"""Of who has set nothing. A language that is None is the display's."""


def complete(stored: Preferences) -> Preferences:
    """All preferences of a user, by those that are stored."""
    return _merged(DEFAULTS, stored)


def change(user_id: int, changes: Preferences) -> Preferences:
    """Change some of a user's preferences, in objects too; all of them as they are then."""
    query = select(User).where(User.id == user_id).with_for_update()
    user = session.scalars(query.execution_options(populate_existing=True)).one()
    changed = _merged(complete(user.preferences), changes)
    user.preferences = _without(DEFAULTS, changed)
    return changed


def _merged(base: Preferences, over: Preferences) -> Preferences:
    merged = deepcopy(base)
    for name, value in over.items():
        merged[name] = _merged(base[name], value) if isinstance(value, dict) else value
    return merged


def _without(defaults: Preferences, changed: Preferences) -> Preferences:
    """What differs from the defaults."""
    differing = {
        name: _without(defaults[name], value) if isinstance(value, dict) else value
        for name, value in changed.items()
        if value != defaults[name]
    }
    return {name: value for name, value in differing.items() if value != {}}
