"""Mail that is kept instead of sent: a folder with one file for each message, the newest first."""

import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import ClassVar

from marquee.services.wire import Failed

SUFFIX = ".eml"
LATEST = "last"


@dataclass(frozen=True, slots=True)
class Kept:
    """A message of the folder."""

    name: str
    message: EmailMessage

    @property
    def text(self) -> str:
        """Its part in plain text."""
        part = self.message.get_body(("plain",))
        # As a text of this machine: in the message, lines end by CR LF.
        return "\n".join(part.get_content().splitlines()) + "\n" if part else ""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A folder that only the server's own account can read: the messages hold tokens."""

    folder: Path
    name: ClassVar[str] = "mailbox"

    def deliver(self, message: EmailMessage) -> None:
        """Keep a message; nobody sees half of it. Raises Failed where the disk does not take it."""
        name = secrets.token_hex(4)
        unfinished = self.folder / f"{name}.new"
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
            with os.fdopen(os.open(unfinished, flags, 0o600), "wb") as file:
                file.write(message.as_bytes(policy=policy.SMTPUTF8))
            unfinished.replace(self.folder / f"{name}{SUFFIX}")
        except OSError as error:
            raise Failed("not_written", f"{type(error).__name__}: {error}", again=True) from error

    def messages(self) -> Sequence[Kept]:
        """All messages, the newest first. Raises OSError."""
        files = [(file.stat().st_mtime_ns, file) for file in self.folder.glob(f"*{SUFFIX}")]
        return [_read(file) for _, file in sorted(files, reverse=True)]

    def find(self, name: str) -> Kept | None:
        """The message of this name, or the newest for `last`; None if there is none."""
        found = self.messages()
        if name == LATEST:
            return found[0] if found else None
        return next((kept for kept in found if kept.name == name), None)


def _read(file: Path) -> Kept:
    return Kept(file.stem, message_from_bytes(file.read_bytes(), policy=policy.default))
