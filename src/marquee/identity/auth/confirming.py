"""Making sure, before what cannot be taken back, that it is the owner who asks for it."""

from marquee.errors import Forbidden, Invalid
from marquee.identity.auth import service
from marquee.identity.auth.recent import require_recent
from marquee.identity.users.models import User
from marquee.viewer import Viewer


def confirm(viewer: Viewer, user: User, password: str | None, *, field: str) -> None:
    """Look at the account's password; where it has none, at how long ago the caller signed in.

    `field` is what the body calls the password. What the transaction did so far is committed.
    Raises Unauthenticated (INVALID_CREDENTIALS) for a wrong password, which counts as a failed
    sign-in, RateLimited, Invalid for a password that is not there, and Forbidden for an API key or
    an old session (REAUTHENTICATION_REQUIRED).
    """
    if viewer.session_id is None:
        raise Forbidden("An API key cannot do this: sign in.")
    if user.password_hash is None:
        require_recent(viewer)
    elif password is None:
        raise Invalid.value("body", f"/{field}", "is needed here")
    else:
        service.prove(user, user.username, password)
