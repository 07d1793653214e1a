"""Handlers of openapi/identity/users.yaml."""

from typing import Any

from marquee.db import find
from marquee.identity.users import service
from marquee.identity.users.models import User
from marquee.viewer import Viewer


def get_current_user(user: Viewer) -> dict[str, Any]:
    return service.described(find(User.visible_to(user), user.id))
