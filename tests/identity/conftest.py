"""What tests of accounts share: an account with a password, and the letters to it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from marquee.identity.auth import passwords
from marquee.identity.users.models import User
from tests.letters import Letters

PASSWORD = "correct horse battery staple"


@pytest.fixture
def letters(database: None, tmp_path: Path, set_variables: Callable[..., None]) -> Letters:
    """The letters that requests ask for, in a folder."""
    set_variables(MARQUEE_DATA=str(tmp_path), SMTP_HOST=None)
    return Letters(tmp_path)


@pytest.fixture
def casey(make_user: Callable[..., Any]) -> User:
    """Somebody with a password."""
    user: User = make_user(
        "user",
        username="Casey",
        email="Casey@Example.org",
        display_name="Casey",
        password_hash=passwords.hashed(PASSWORD),
    )
    return user
