"""The page of an account. The domains above add what they show there, so that nobody below them has
to know them.
"""

from collections.abc import Callable
from typing import Any

from marquee.db import find
from marquee.identity.users import service, statistics
from marquee.identity.users.models import User
from marquee.viewer import Viewer

Section = Callable[[Viewer], Any]
_sections: dict[str, Section] = {}


def add(name: str, section: Section) -> None:
    """Show what `section` finds of the viewer under this name."""
    _sections[name] = section


def page(viewer: Viewer) -> dict[str, Any]:
    """The account, its figures and all sections: `AccountPage` of the contract."""
    account = service.described(find(User.visible_to(viewer), viewer.id))
    sections = {name: section(viewer) for name, section in _sections.items()}
    return {"user": account, "stats": statistics.of(viewer.id), **sections}
