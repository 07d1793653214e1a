"""Locks that end with the processes that hold them."""

from pathlib import Path

from marquee.processes import Lock


class TestLock:
    def test_is_of_the_file_that_is_there(self, tmp_path: Path) -> None:
        """Who made it anew, after it was removed, holds it alone."""
        path = tmp_path / "lock"
        with Lock(path) as first, Lock(path) as second:
            assert first.take()
            assert not second.take()
            path.unlink()
            assert not first.held
            assert second.take()
            assert not first.take()
            second.close()
            assert first.take()
