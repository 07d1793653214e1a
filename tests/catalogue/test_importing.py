"""Tests of importing.py: files, transactions, memory. See test_title_lines and test_title_merge."""

import gzip
import os
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine

from marquee.catalogue.importing import Report, import_titles, read_lines
from marquee.catalogue.title_lines import MAX_LINE
from tests.catalogue.lines import FILM, line, load, rows

STATM = Path("/proc/self/statm")


class TestImportTitles:
    def test_failing_source_leaves_nothing(self, scratch: Engine) -> None:
        def broken() -> Iterator[bytes]:
            yield line(FILM)
            raise EOFError

        with pytest.raises(EOFError), scratch.begin() as connection:
            import_titles(broken(), connection)
        with scratch.connect() as connection:
            assert rows(connection, "SELECT FROM movies") == []

    def test_can_be_called_twice_in_a_transaction(self, scratch: Engine) -> None:
        with scratch.begin() as connection:
            assert load(connection, line(FILM)).inserted == 1
            assert load(connection, line(FILM), line(title="Other")).inserted == 1
        with scratch.connect() as connection:
            assert len(rows(connection, "SELECT FROM movies")) == 2

    def test_begins_the_transaction_that_the_caller_commits(self, scratch: Engine) -> None:
        with scratch.connect() as connection:
            load(connection, line(FILM))
            connection.commit()
        with scratch.connect() as connection:
            assert len(rows(connection, "SELECT FROM movies")) == 1

    @pytest.mark.skipif(not STATM.exists(), reason="only Linux tells a process's memory so")
    def test_memory_does_not_grow_with_the_file(self, connection: Connection) -> None:
        size, memory = 0, []

        def many() -> Iterator[bytes]:
            nonlocal size
            for number in range(30_000):
                content = line(FILM, imdb_id=f"tt{number:07}", tmdb_id=None, overview="word " * 300)
                size += len(content)
                if number % 500 == 0:
                    memory.append(int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE"))
                yield content

        report = import_titles(many(), connection)
        assert report == Report(read=30_000, inserted=30_000)
        assert size > 60_000_000
        assert max(memory) - memory[0] < 30_000_000


class TestReadLines:
    @pytest.mark.parametrize("pack", [bytes, gzip.compress])
    def test_plain_or_gzipped(self, tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
        file = tmp_path / "titles.jsonl"
        file.write_bytes(pack(b"one\ntwo"))
        assert list(read_lines(file)) == [b"one\n", b"two"]

    def test_of_an_endless_line_only_the_beginning(self, tmp_path: Path) -> None:
        file = tmp_path / "titles.jsonl.gz"
        file.write_bytes(gzip.compress(b"x" * 50 * MAX_LINE + b"\nnext\n" + b"y" * 3 * MAX_LINE))
        tracemalloc.start()
        first, second, third = read_lines(file)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert second == b"next\n"
        assert MAX_LINE < len(first) == len(third) < MAX_LINE + 10
        assert peak < 10 * MAX_LINE

    def test_lines_of_the_greatest_length(self, tmp_path: Path) -> None:
        file = tmp_path / "titles.jsonl"
        content = [
            b"x" * MAX_LINE + b"\r\n",
            b"y" * MAX_LINE + b"\n",
            b"z" * (MAX_LINE + 1) + b"\n",
        ]
        file.write_bytes(b"".join([*content, b"end"]))
        assert list(read_lines(file)) == [*content, b"end"]

    def test_of_a_damaged_file(self, tmp_path: Path) -> None:
        whole = gzip.compress(b"one\n" * 10_000)
        for name, content in (("cut", whole[:-20]), ("bent", whole[:12] + b"?" * 20 + whole[32:])):
            file = tmp_path / name
            file.write_bytes(content)
            with pytest.raises(OSError, match=r"(damaged|not a gzipped)"):
                list(read_lines(file))
