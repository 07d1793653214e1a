"""marquee/operations/system/checks.py: checks that hang."""

import threading

import pytest

from marquee.operations.system import checks


class TestChecks:
    def test_what_hangs_holds_up_neither_the_answer_nor_the_others(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(checks, "PATIENCE", 1)
        calls = {"slow": 0, "quick": 0}
        go_on = threading.Event()

        def slow() -> str:
            calls["slow"] += 1
            go_on.wait(20)
            return "ok"

        def quick() -> str:
            calls["quick"] += 1
            return "ok"

        found = checks.Checks({"slow": slow, "quick": quick})
        for _ in range(2):
            assert found.states() == {"slow": "error", "quick": "ok"}
            found._until = 0  # noqa: SLF001 - not to wait for it
        assert calls == {"slow": 1, "quick": 2}
        go_on.set()
        assert found.states() == {"slow": "ok", "quick": "ok"}

    def test_what_ends_late_is_of_then(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(checks, "PATIENCE", 0.05)
        go_on = threading.Event()
        found_of = iter(("ok", "error"))

        def slow() -> str:
            said = next(found_of)
            go_on.wait(20)
            return said

        found = checks.Checks({"slow": slow})
        assert found.states() == {"slow": "error"}
        late = found._running["slow"]  # noqa: SLF001
        go_on.set()
        assert late.result(20) == "ok"
        monkeypatch.setattr(checks, "PATIENCE", 20)
        found._until = 0  # noqa: SLF001 - not to wait for it
        assert found.states() == {"slow": "error"}
