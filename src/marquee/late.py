"""Modules that are loaded when something of them is first asked for.

For libraries of megabytes that an idle server has no use for. Type checkers read the import:

    if TYPE_CHECKING:
        from PIL import Image
    else:
        Image = late("PIL.Image")

Annotations in such a file must not be evaluated (`from __future__ import annotations`). Before
Python 3.12, its own `importlib.util.LazyLoader` shows half a module to a second thread.
"""

from importlib import import_module
from typing import Any


class late:  # noqa: N801 - it is used as a function, and stands for a module
    """A module by its full name. Raises ImportError when it is first used, if there is none."""

    def __init__(self, name: str) -> None:
        self._late_name = name

    def __getattr__(self, attribute: str) -> Any:  # noqa: ANN401 - whatever a module has
        """What the module has by this name; kept, so that it is asked once."""
        found = getattr(import_module(self._late_name), attribute)
        setattr(self, attribute, found)
        return found
