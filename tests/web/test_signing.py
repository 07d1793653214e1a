"""marquee/signing.py."""

import base64

import pytest

from marquee import settings, signing
from marquee.settings import BadSetting

TEXTS = ["", "1", "a text, with: everything.", "千と千尋", '["favorites:2",1]']


@pytest.mark.parametrize("text", TEXTS)
def test_gives_back_what_it_signed(text: str) -> None:
    token = signing.sign("test", text)
    assert signing.unsign("test", token) == text
    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")


def test_is_good_for_one_purpose() -> None:
    assert signing.unsign("other", signing.sign("test", "1")) is None
    assert signing.key_for("a") != signing.key_for("b")


@pytest.mark.parametrize("text", TEXTS)
def test_notices_every_change(text: str) -> None:
    token = signing.sign("test", text)
    for position, character in enumerate(token):
        for other in "A_9." + character.swapcase():
            changed = token[:position] + other + token[position + 1 :]
            assert changed == token or signing.unsign("test", changed) is None, changed
    for changed in (token + "A", token + "=", token + ".", "A" + token, token[:-1], token + " "):
        assert signing.unsign("test", changed) is None, changed


@pytest.mark.parametrize("token", ["", ".", "..", "a", "é.é", "a.b", "\ud800", "x" * 10_000])
def test_takes_nothing_else(token: str) -> None:
    assert signing.unsign("test", token) is None


def test_no_text_but_its_own_has_the_signature() -> None:
    signature = signing.sign("test", "1").partition(".")[2]
    forged = base64.urlsafe_b64encode(b"2").decode().rstrip("=")
    assert signing.unsign("test", f"{forged}.{signature}") is None


def test_needs_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MARQUEE_SECRET_KEY", "too short")
    settings.current.cache_clear()
    try:
        with pytest.raises(BadSetting, match="MARQUEE_SECRET_KEY"):
            signing.key_for("a purpose that nobody has asked for")
    finally:
        monkeypatch.undo()
        settings.current.cache_clear()
