"""Handlers of forms.yaml."""

import hashlib
from typing import IO, Any

from marquee.web.multipart import Upload

Heard = dict[str, Any]
seen: list[IO[bytes]] = []
"""The files that handlers were given, in order."""


def hear_form(body: dict[str, Any]) -> Heard:
    heard: Heard = {}
    for name, value in body.items():
        heard[name] = described(value) if isinstance(value, Upload) else value
        if name == "day":
            heard[name] = [type(value).__name__, value.isoformat()]
    return heard


def break_form(body: dict[str, Any]) -> Heard:
    seen.append(body["file"].file)
    raise RuntimeError("a bug")


def hear_perhaps(body: dict[str, Any] | None = None) -> Heard:
    return {"body": None if body is None else sorted(body)}


def described(upload: Upload) -> Heard:
    """What there is to know of a file, and whether it is on disk."""
    seen.append(upload.file)
    digest = hashlib.sha256(upload.file.read()).hexdigest()
    return {
        "name": upload.name,
        "type": upload.content_type,
        "size": upload.size,
        "digest": digest,
        "on_disk": bool(upload.file._rolled),  # type: ignore[attr-defined]  # noqa: SLF001 - nothing public says it
    }
