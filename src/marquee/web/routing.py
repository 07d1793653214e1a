"""Which operation serves a path: a trie, whose cost does not grow with the number of operations."""

import re
from collections.abc import Mapping
from typing import Generic, TypeVar
from urllib.parse import unquote_to_bytes

from marquee.errors import Invalid

T = TypeVar("T")
TEMPLATE = re.compile(r"\{([^}]+)\}")


class _Node(Generic[T]):
    __slots__ = ("methods", "names", "static", "template")

    def __init__(self) -> None:
        self.static: dict[str, _Node[T]] = {}
        self.template: _Node[T] | None = None
        self.methods: dict[str, T] = {}
        self.names: tuple[str, ...] = ()


class Routes(Generic[T]):
    """Paths with their methods. A static segment wins over a template at every depth."""

    def __init__(self) -> None:
        self._static: dict[str, dict[str, T]] = {}
        self._root: _Node[T] = _Node()

    def add(self, path: str, method: str, target: T) -> None:
        """Serve a path; `{name}` stands for one segment."""
        node = self._root
        names = []
        for segment in path.split("/")[1:]:
            if found := TEMPLATE.fullmatch(segment):
                names.append(found[1])
                node.template = node.template or _Node()
                node = node.template
            else:
                node = node.static.setdefault(segment, _Node())
        node.methods[method] = target
        node.names = tuple(names)
        if not names:
            self._static[path] = node.methods

    def find(self, raw_path: str) -> tuple[Mapping[str, T], dict[str, str]] | None:
        """The methods that a path has, and its values; None where no path matches.

        Takes the path as it was sent, percent-encoded, so that an encoded slash stays inside its
        segment. Raises Invalid for a segment that is not UTF-8 or has a NUL.
        """
        if (methods := self._static.get(raw_path)) is not None:
            return methods, {}
        values: list[str] = []
        node = _walk(self._root, raw_path.split("/"), 1, values)
        if node is None:
            return None
        decoded = (decode_segment(value) for value in values)
        return node.methods, dict(zip(node.names, decoded, strict=True))


def _walk(node: _Node[T], segments: list[str], at: int, values: list[str]) -> _Node[T] | None:
    for place in range(at, len(segments)):
        segment = segments[place]
        static, template = node.static.get(segment), node.template if segment else None
        if static is not None and template is not None:
            known = len(values)
            if (found := _walk(static, segments, place + 1, values)) is not None:
                return found
            del values[known:]
            static = None
        if static is not None:
            node = static
        elif template is not None:
            values.append(segment)
            node = template
        else:
            return None
    return node if node.methods else None


def decode_segment(text: str) -> str:
    """A percent-encoded piece of a URL as text. Raises Invalid for what is not clean UTF-8."""
    if "%" not in text and text.isascii():
        return text
    try:
        decoded = unquote_to_bytes(text.encode("latin-1")).decode()
    except UnicodeDecodeError as error:
        raise Invalid.value("path", "/", "is not UTF-8") from error
    if "\0" in decoded:
        raise Invalid.value("path", "/", "has a NUL character")
    return decoded
