"""marquee/services/mailbox.py, and `marquee mail`, which shows it."""

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from marquee.errors import Unavailable
from marquee.services import mail
from marquee.services.mail import Message
from marquee.services.mailbox import Mailbox

Set = Callable[..., None]


@pytest.fixture
def data(tmp_path: Path, set_variables: Set) -> Path:
    """The data folder of a server without SMTP."""
    set_variables(MARQUEE_DATA=str(tmp_path / "data"), SMTP_HOST=None, MAIL_FROM=None)
    return tmp_path / "data"


def show(data: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "marquee", "mail", *words],
        env={**os.environ, "MARQUEE_DATA": str(data)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_keeps_messages_for_their_owner_alone(data: Path) -> None:
    mail.send(Message("ann@example.org", "First", "Grüße 🎬\n" + "x" * 200, "<p>Grüße</p>"))
    (file,) = (data / "mailbox").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    (kept,) = Mailbox(data / "mailbox").messages()
    assert kept.text == "Grüße 🎬\n" + "x" * 200 + "\n"
    assert kept.message["From"] == "Marquee <marquee@localhost>"
    assert kept.message["To"] == "ann@example.org"


def test_a_message_half_written_is_not_seen(data: Path) -> None:
    mail.send(Message("ann@example.org", "First", "text", "html"))
    (data / "mailbox" / "00000000.new").write_text("To: half")
    assert len(Mailbox(data / "mailbox").messages()) == 1


def test_a_folder_that_cannot_be_used(data: Path) -> None:
    data.write_text("a file")
    with pytest.raises(Unavailable):
        mail.send(Message("ann@example.org", "First", "text", "html"))


def test_the_command_lists_and_shows(data: Path) -> None:
    assert (show(data).returncode, show(data).stdout) == (0, "")
    for number in ("First", "Second"):
        mail.send(Message("ann@example.org", number, f"The text of {number}.", "<p>html</p>"))
    listed = show(data).stdout.splitlines()
    assert [line.rpartition("  ")[2] for line in listed] == ["Second", "First"]
    assert show(data, "last").stdout == "The text of Second.\n"
    assert show(data, listed[1].split()[0]).stdout == "The text of First.\n"
    refused = show(data, "nothing")
    assert (refused.returncode, len(refused.stderr.splitlines())) == (1, 1)
