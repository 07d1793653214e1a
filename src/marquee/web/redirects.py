"""Paths that have moved: `x-moved-from` of the contract, and `/api/…` without the version."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import quote

from marquee.web.answers import Answer
from marquee.web.request import Request
from marquee.web.routing import TEMPLATE, Routes

UNVERSIONED = re.compile(r"/api/(?!v\d+(/|$))(?P<rest>.+)")


class Redirects:
    """Answers 308, which keeps the method and the body, with the path that serves now."""

    def __init__(self) -> None:
        self.routes: Routes[str] = Routes()
        self.fixed: set[str] = set()
        """Old paths without a template: they win over a template that serves, as any path does."""
        self.templates: dict[str, str] = {}
        """The others, and where they lead."""
        self.numbered: set[str] = set()
        """Where those lead that are served too: only if all their values are numbers."""

    def add(self, base: str, path: str, moved_from: str | list[str]) -> None:
        """Send the old paths of a path item to it; both name their values alike."""
        for old in [moved_from] if isinstance(moved_from, str) else moved_from:
            self.routes.add(base + old, "ANY", base + path)
            if not TEMPLATE.search(old):
                self.fixed.add(base + old)
            else:
                self.templates[base + old] = base + path

    def find(self, request: Request) -> Answer | None:
        """The redirect of a path that has moved, if it has."""
        path = request.path
        if unversioned := UNVERSIONED.fullmatch(path):
            path = f"/api/v1/{unversioned['rest']}"
        found = self.routes.find(path)
        if found is not None:
            targets, values = found
            target = targets["ANY"]
            if target not in self.numbered or are_numbers(values):
                path = TEMPLATE.sub(lambda name: quote(values[name[1]], safe=""), target)
        if path == request.path:
            return None
        location = path + (f"?{request.query}" if request.query else "")
        return Answer(
            HTTPStatus.PERMANENT_REDIRECT, headers=[(b"location", location.encode("latin-1"))]
        )


def are_numbers(values: Mapping[str, str]) -> bool:
    """Whether all values of a path are numbers."""
    return all(each.isascii() and each.isdigit() for each in values.values())
