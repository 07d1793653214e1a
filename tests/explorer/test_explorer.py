"""The explorer in a real browser: it opens styled, calls can be tried, and nothing leaves."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from marquee.web import contract
from tests.demonstration import CONSUMER_KEY, demonstration
from tools import node

DRIVE = Path(__file__).with_name("drive.mjs")
HARMLESS = {
    "script-src eval",  # a library of Scalar tries whether it may compile, and goes on without
    "style-src-attr inline",  # style attributes in markup that Scalar parses: widths of an icon
}
"""What the page's policy forbids without harm. A missing style *element* would be harm."""


@pytest.fixture(scope="module")
def seen(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a browser saw: see drive.mjs. Its pictures are in build/explorer, to look at."""
    browser = (
        os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    )
    assert browser, "There is no Chromium: install it (Debian: chromium), or name it by CHROMIUM."
    pictures = node.ROOT / "build/explorer"
    pictures.mkdir(parents=True, exist_ok=True)
    with demonstration(database_url, Path(tmp_path_factory.mktemp("server"))) as url:
        words = [DRIVE, node.install(), browser, url, CONSUMER_KEY, pictures]
        command = ["node", *map(str, words)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def calls(seen: dict[str, Any], method: str, path: str) -> list[dict[str, Any]]:
    """The calls of an operation that the browser made, in order."""
    return [each for each in seen["calls"] if (each["method"], each["path"]) == (method, path)]


def test_lists_every_tag(seen: dict[str, Any]) -> None:
    for tag in contract.load()["tags"]:
        assert f"Group - {tag['name']}" in seen["text"]


def test_nothing_goes_wrong(seen: dict[str, Any]) -> None:
    """The two refusals that the drive provokes are all that the browser complains of."""
    provoked = [each for each in seen["errors"] if each.endswith(("/favorites", "/auth/login"))]
    assert len(provoked) == 2
    assert seen["errors"] == provoked
    assert set(seen["violations"]) <= HARMLESS


def test_nothing_leaves(seen: dict[str, Any]) -> None:
    assert seen["foreign"] == []
    assert seen["storage"] == {}


def test_shows_the_answer(seen: dict[str, Any]) -> None:
    assert '"username": "casey"' in seen["bearer"]
    assert "200" in seen["bearer"]
    numbers, text = seen["columns"]
    assert text["left"] >= numbers["right"], "the answer's editor has lost its styles"


def test_bearer_then_api_key_then_session(seen: dict[str, Any]) -> None:
    bearer, key, session = calls(seen, "GET", "/api/v1/users/me")
    assert (bearer["status"], bearer["bearer"]) == (200, f"Bearer {CONSUMER_KEY}")
    assert (key["status"], key["key"]) == (200, CONSUMER_KEY)
    assert "bearer" not in key
    assert session["status"] == 200
    assert not session.keys() & {"bearer", "key"}


def test_cookie_needs_the_csrf_token(seen: dict[str, Any]) -> None:
    """A signed-in browser writes with it, not without; "Test Request" adds it by itself."""
    expected = {"login": 200, "name": "casey", "without": 403, "created": 201, "removed": 204}
    assert seen["session"] == expected
    *_, tried = calls(seen, "POST", "/api/v1/auth/login")
    assert (tried["status"], tried["csrf"]) == (401, True)
