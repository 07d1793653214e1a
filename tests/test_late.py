"""marquee/late.py."""

import json
import subprocess
import sys

import pytest

from marquee.late import late

HEAVY = {"PIL", "numpy", "obstore", "procrastinate", "psycopg", "redis", "webauthn"}
LOADED = (
    "import json, sys, marquee.web.app as app; app.create_app(); print(json.dumps([*sys.modules]))"
)


def test_it_is_the_module() -> None:
    module = late("json")
    assert module.dumps is json.dumps
    assert module.dumps is json.dumps


def test_what_is_not_there_is_told_when_it_is_used() -> None:
    module = late("no_such_module_at_all")
    with pytest.raises(ImportError):
        module.anything  # noqa: B018
    with pytest.raises(AttributeError):
        late("json").no_such_name  # noqa: B018


def test_an_idle_server_is_spared_what_it_has_no_use_for() -> None:
    printed = subprocess.run(
        [sys.executable, "-c", LOADED], check=True, capture_output=True, timeout=60
    ).stdout
    assert "flask" in json.loads(printed)
    assert HEAVY.isdisjoint(json.loads(printed))
