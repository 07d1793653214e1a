"""The folder of the search index, and what follows the database there."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, text

from marquee import db
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.people.models import Credit, Person
from marquee.catalogue.search import building, folder, following, schema, words
from marquee.catalogue.search.folder import Folder
from marquee.catalogue.search.index import reader
from marquee.processes import PARENT
from tests.catalogue.indexing import index_everything, without_own

Make = Callable[..., Any]


class Index:
    """An index of what a test has made."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.path.mkdir()
        self.state = building.build(db.session.connection(), path, 0, lambda _built: None)
        self.index = folder.open_index(path)
        self.writer = self.index.writer(15 * 2**20, 1)

    def follow(self) -> int:
        """Catch up; how many documents were written."""
        connection = db.session.connection()
        now = following.present(connection)
        state = without_own(connection, self.state)
        self.state, written = following.catch_up(connection, self.writer, state, now)
        return written

    def find(self, q: str) -> list[int]:
        """The ids of films, the best first."""
        self.index.reload()
        searcher, films = self.index.searcher(), [words.only("movie")]
        found = words.search(searcher, words.words_of(q), films, limit=10, weight_by_field="weight")
        return [id_ for _, id_ in words.keys_of(searcher, found.best)]


@pytest.fixture
def index(make: Make, tmp_path: Path) -> Iterator[Index]:
    """An index of one film."""
    make(Movie, title="Jaws", popularity=5)
    made = Index(tmp_path / "1")
    yield made
    made.writer.wait_merging_threads()


class TestFollowing:
    def test_writes_what_has_changed(self, make: Make, index: Index) -> None:
        film = make(Movie, title="Zazie")
        assert index.find("zazie") == []
        assert index.follow() == 2
        assert index.find("zazie") == [film.id]
        db.session.execute(delete(Movie).where(Movie.id == film.id))
        index.follow()
        assert index.find("zazie") == []

    def test_people_are_found_by_their_new_names(self, make: Make, index: Index) -> None:
        film = make(Movie, title="Duel")
        person = make(Person, name="Stephen Spielberg")
        make(Credit, person_id=person.id, movie_id=film.id, job="director")
        index.follow()
        person.name = "Steven Spielberg"
        db.session.commit()
        index.follow()
        assert index.find("steven spielberg") == [film.id]
        db.session.delete(person)
        db.session.commit()
        index.follow()
        assert index.find("steven spielberg") == []

    def test_what_follows_twice_is_there_once(self, make: Make, index: Index) -> None:
        film = make(Movie, title="Zazie")
        index.follow()
        index.follow()
        assert index.find("zazie") == [film.id]
        assert index.index.searcher().num_docs == 2

    def test_too_much_is_for_a_new_index(
        self, make: Make, index: Index, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(following, "MOST", 2)
        make(Movie, title="Zazie")
        with pytest.raises(following.TooFarBehind, match="Too much"):
            index.follow()

    @pytest.mark.parametrize(
        "change, reason",
        [
            ({"database": "another"}, "another database"),
            ({"followed_at": 0.0}, "too long"),
            ({"snapshot": "900000000:900000000:"}, "restored"),
        ],
    )
    def test_is_good_for_one_database(
        self, index: Index, change: dict[str, Any], reason: str
    ) -> None:
        connection = db.session.connection()
        now = following.present(connection)
        following.check(connection, index.state, now)
        with pytest.raises(following.TooFarBehind, match=reason):
            following.check(connection, replace(index.state, **change), now)

    def test_follows_one_timeline(self, index: Index) -> None:
        """A copy that is promoted begins another, and gives numbers of transactions again."""
        connection = db.session.connection()
        now = following.present(connection)
        before, _, timeline = now.database.rpartition("/")
        assert timeline == "00000001"
        promoted = replace(now, database=f"{before}/00000002")
        with pytest.raises(following.Unusable, match="another"):
            following.check(connection, index.state, promoted)

    def test_hears_that_a_new_one_is_asked_for(self, index: Index) -> None:
        now = following.present(db.session.connection())
        following.check_generation(index.state, now)
        with pytest.raises(following.TooFarBehind, match="asked for"):
            following.check_generation(index.state, replace(now, generation=now.generation + 1))


class TestSoundness:
    def test_of_a_good_one(self, index: Index) -> None:
        assert folder.is_sound(index.path)

    @pytest.mark.parametrize("kind", ["term", "idx", "pos", "fast", "store", "fieldnorm"])
    @pytest.mark.parametrize("harm", ["changed", "cut", "emptied", "lost"])
    def test_of_a_bad_one(self, index: Index, kind: str, harm: str) -> None:
        path = next(index.path.glob(f"*.{kind}"))
        content = bytearray(path.read_bytes())
        content[0] ^= 0xFF
        kept = {"changed": content, "cut": content[:-9], "emptied": b""}
        path.unlink()
        if harm in kept:
            path.write_bytes(kept[harm])
        assert not folder.is_sound(index.path)

    @pytest.mark.parametrize("content", ["", "{", "{}", '{"segments": [{}]}', "[]"])
    def test_of_one_without_a_list_of_files(self, index: Index, content: str) -> None:
        (index.path / "meta.json").write_text(content)
        assert not folder.is_sound(index.path)


class TestState:
    def test_is_read_as_it_was_written(self, index: Index) -> None:
        assert folder.read_state(index.path) == index.state

    @pytest.mark.parametrize("content", ["", "{", "{}", "[]", "null", '{"version": 1}'])
    def test_of_nonsense(self, index: Index, content: str) -> None:
        (index.path / "state.json").write_text(content)
        assert folder.read_state(index.path) is None

    def test_of_another_version(self, index: Index) -> None:
        path = index.path / "state.json"
        state = json.loads(path.read_text()) | {"version": schema.VERSION + 1}
        path.write_text(json.dumps(state))
        assert folder.read_state(index.path) is None


class TestFolder:
    def test_switches(self, index: Index, tmp_path: Path) -> None:
        place = Folder(tmp_path)
        assert place.current() is None
        place.switch(index.path)
        assert place.current() == index.path
        new = place.new()
        place.clear(index.path)
        assert (new.exists(), place.current()) == (False, index.path)
        assert place.new().name != new.name

    @pytest.mark.parametrize("content", ["", "..", "/etc", "7", "\xff"])
    def test_points_nowhere(self, tmp_path: Path, content: str) -> None:
        (tmp_path / "current").write_text(content, encoding="utf-8")
        assert Folder(tmp_path).current() is None

    def test_is_another_one_for_another_database(self, set_variables: Callable[..., None]) -> None:
        paths = set()
        for name in ("one", "two"):
            set_variables(DATABASE_URL=f"postgresql://user:{name}@host/{name}")
            paths.add(folder.folder().path)
        set_variables(DATABASE_URL="postgresql://user:changed@host/two")
        assert folder.folder().path in paths
        assert len(paths) == 2


def test_each_damage_is_told_of(make: Make) -> None:
    """Also the second of an index that had been read again."""
    index_everything()
    current = folder.folder().current()
    assert current is not None
    meta = current / "meta.json"
    good = meta.read_bytes()
    for _ in range(2):
        folder.folder().suspected()
        meta.write_bytes(b"{")
        reader.refresh()
        assert folder.folder().suspected()
        meta.write_bytes(good)
        reader.refresh()
        with reader.searching() as searcher:
            assert searcher.num_docs == 0


def test_who_builds_for_a_server_that_has_gone_ends(tmp_path: Path) -> None:
    words = [sys.executable, "-m", building.__name__, str(tmp_path), "0", "here"]
    orphan = {**os.environ, PARENT: str(2**22 + 1)}
    ended = subprocess.run(
        words, env=orphan, capture_output=True, text=True, check=False, timeout=60
    )
    assert (ended.returncode, ended.stderr) == (1, "The server that asked for it has gone.\n")
    assert list(tmp_path.iterdir()) == []


def test_who_may_not_look_at_much_can_still_follow(index: Index) -> None:
    """A role without any right but those on tables learns what it needs of the database."""
    db.session.execute(text("create role follower"))
    db.session.execute(text("grant select on all tables in schema public to follower"))
    db.session.execute(text("grant select on search_generation to follower"))
    db.session.execute(text("set local role follower"))
    assert following.present(db.session.connection()).database == index.state.database
