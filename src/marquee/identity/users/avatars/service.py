"""Rules about the pictures that users show of themselves."""

import secrets
from functools import partial
from typing import IO, Any

import structlog
from sqlalchemy import Select, select, update

from marquee import clock
from marquee.db import after_commit, session
from marquee.errors import NotFound, Unavailable
from marquee.identity.users import service
from marquee.identity.users.avatars import images
from marquee.identity.users.avatars.models import Avatar
from marquee.identity.users.models import User
from marquee.services import storage
from marquee.viewer import Viewer

log = structlog.get_logger("marquee")


def replace(viewer: Viewer, file: IO[bytes]) -> Avatar:
    """The caller's new picture, made from a file. The file of the one before is removed.

    Raises what `images.square` raises, and Unavailable where it cannot be stored.
    """
    picture = images.square(file)
    key = f"avatars/{viewer.id}/{secrets.token_hex(16)}.webp"
    storage.current().put(key, picture.data, images.MEDIA_TYPE)
    try:
        return _recorded(viewer, key, picture)
    except BaseException:
        _remove(key)
        raise


def take_away(viewer: Viewer) -> None:
    """Let the caller have no picture. Raises NotFound where there is none."""
    avatar = session.scalar(Avatar.visible_to(viewer).with_for_update())
    if avatar is None or not avatar.is_current:
        raise _missing(viewer.id)
    avatar.is_current = False
    session.flush()
    # A picture elsewhere, which the profile has named since, stays.
    session.execute(
        update(User)
        .where(User.id == viewer.id, User.avatar_url == address_of(viewer.id))
        .values(avatar_url=None)
    )
    after_commit(partial(_remove, avatar.file_key))


def shown(viewer: Viewer, user_id: int) -> bytes:
    """A user's picture, as WebP, for those who may see the profile.

    Raises NotFound where there is none, or the profile may not be seen.
    """
    service.profile(viewer, user_id)
    # Once more for one that was replaced between the row and the file.
    data = _file_of(user_id) or _file_of(user_id)
    if data is None:
        raise _missing(user_id)
    return data


def described(avatar: Avatar) -> dict[str, Any]:
    """A picture as the contract shows it."""
    columns = {column.key: getattr(avatar, column.key) for column in Avatar.__mapper__.columns}
    return columns | {"mime_type": images.MEDIA_TYPE, "url": address_of(avatar.user_id)}


def address_of(user_id: int) -> str:
    """Where a user's picture is, for clients of this server."""
    return f"/api/v1/users/{user_id}/avatar"


def remove_files_of(user_id: int) -> None:
    """Remove a user's stored files when the present transaction has been committed.

    For the deletion of an account, before its rows are gone.
    """
    key = session.scalar(_key_of(user_id))
    if key is not None:
        after_commit(partial(_remove, key))


def _recorded(viewer: Viewer, key: str, picture: images.Picture) -> Avatar:
    """The row of a stored picture. One upload after the other, each with a version of its own."""
    session.scalar(select(User.id).where(User.id == viewer.id).with_for_update(key_share=True))
    avatar = session.scalar(Avatar.visible_to(viewer))
    if avatar is None:
        avatar = Avatar(user_id=viewer.id, version=0, is_current=False)
        session.add(avatar)
    if avatar.is_current:
        after_commit(partial(_remove, avatar.file_key))
    avatar.version += 1
    avatar.file_key, avatar.file_size_bytes = key, len(picture.data)
    avatar.width = avatar.height = picture.side
    avatar.is_animated, avatar.is_current = picture.moved, True
    avatar.uploaded_at = clock.now()
    session.flush()
    shown_at = {"avatar_url": address_of(viewer.id)}
    session.execute(update(User).where(User.id == viewer.id).values(**shown_at))
    return avatar


def _key_of(user_id: int) -> Select[str]:
    return select(Avatar.file_key).where(Avatar.user_id == user_id, Avatar.is_current)


def _file_of(user_id: int) -> bytes | None:
    key = session.scalar(_key_of(user_id))
    return None if key is None else storage.current().get(key)


def _remove(key: str) -> None:
    """Remove a file that nobody will ask for again: what stays behind is only space."""
    try:
        storage.current().delete(key)
    except Unavailable:
        log.warning("file_left_behind", key=key)


def _missing(user_id: int) -> NotFound:
    return NotFound(f"User {user_id} has no picture.", "AVATAR_NOT_FOUND")
