"""The letters that requests have asked for: written and delivered to a folder, as by the worker."""

import re
from collections.abc import Iterator
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from pathlib import Path
from typing import Any

from sqlalchemy import text

from marquee import db
from marquee.identity.mailing import TASK
from marquee.identity.mailing.tasks import send

TOKEN = re.compile(r"\?token=([\w-]+)")


class Letters:
    """The mailbox folder of `MARQUEE_DATA`, and the queue's jobs that lead there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "mailbox"
        self._done: set[int] = set()

    def deliver(self) -> list[EmailMessage]:
        """Do the jobs that were asked for since the last time; the letters that they sent."""
        before = set(self._folder.glob("*.eml"))
        for arguments in self._jobs():
            # Not rolled back: the test's own savepoint may be around what the server wrote.
            db.session.commit()
            db.session.remove()
            send(**arguments)
        parser: Any = BytesParser(policy=default)
        new = sorted(set(self._folder.glob("*.eml")) - before)
        return [parser.parsebytes(each.read_bytes()) for each in new]

    def token(self) -> str:
        """The token in the one letter that was asked for since the last time."""
        (letter,) = self.deliver()
        plain = letter.get_body(("plain",))
        assert plain is not None
        found = TOKEN.search(plain.get_content())
        assert found is not None
        return found[1]

    def _jobs(self) -> Iterator[dict[str, Any]]:
        query = text("select id, args from procrastinate_jobs where task_name = :task order by id")
        for job_id, arguments in db.session.execute(query, {"task": TASK}).all():
            if job_id not in self._done:
                self._done.add(job_id)
                yield arguments
