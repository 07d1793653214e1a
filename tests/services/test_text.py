"""src/marquee/services/text against a fake of OpenAI's, and by the narrator that is there."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest
from prometheus_client import REGISTRY

from marquee import settings
from marquee.errors import TimedOut, Unavailable
from marquee.services import text
from marquee.services.circuit import FAILURES
from marquee.services.text import Brief
from marquee.services.text.local import Narrator
from marquee.services.text.remote import RemoteWriter
from tests.fakes.openai import KEY, FakeOpenAI
from tests.services.conftest import Clock, Lines, exchanges, outcomes, wait_until

Of = Callable[..., RemoteWriter]
BRIEF = Brief("Say what is loved.", {"genres": ["Horror"]}, "You love horror.")
SAID = "You love sharks. They love you."


@pytest.fixture
def fake() -> Iterator[FakeOpenAI]:
    with FakeOpenAI(says=SAID) as fake:
        yield fake


@pytest.fixture
def of(clock: Clock, lines: Lines) -> Of:
    """The adapter of a fake."""

    def of(fake: FakeOpenAI, key: str = KEY, **options: Any) -> RemoteWriter:
        timed = {"timing": clock.timing, "log": lines.log, **options}
        return RemoteWriter(fake.url, "a-model", key, **timed)

    return of


def read(writer: RemoteWriter, brief: Brief = BRIEF) -> list[str]:
    return list(writer.write(brief))


class TestRemote:
    def test_gives_the_words_as_they_come(self, of: Of, fake: FakeOpenAI) -> None:
        assert read(of(fake)) == ["You", " love", " sharks.", " They", " love", " you."]

    def test_asks_as_the_service_says(self, of: Of, fake: FakeOpenAI) -> None:
        read(of(fake))
        asked = fake.seen[0]
        assert (asked.method, asked.path) == ("POST", "/v1/chat/completions")
        assert asked.headers["authorization"] == f"Bearer {KEY}"
        assert asked.headers["accept"] == "text/event-stream"
        assert json.loads(asked.body) == {
            "model": "a-model",
            "messages": [
                {"role": "system", "content": BRIEF.task},
                {"role": "user", "content": '{"genres":["Horror"]}'},
            ],
            "max_tokens": 600,
            "temperature": 0.4,
            "stream": True,
        }

    def test_takes_a_service_that_does_not_stream(self, of: Of) -> None:
        with FakeOpenAI(says=SAID, streams=False) as fake:
            assert read(of(fake)) == [SAID]

    def test_cuts_what_is_too_long(self, of: Of, fake: FakeOpenAI) -> None:
        brief = Brief(BRIEF.task, BRIEF.facts, BRIEF.plain, longest=11)
        assert "".join(read(of(fake), brief)) == SAID[:11]
        wait_until(lambda: exchanges() == 0)

    def test_takes_any_letters(self, of: Of) -> None:
        with FakeOpenAI(says="Ça va ? 鮫が好き。 🦈 \n\nA\0B") as fake:
            assert "".join(read(of(fake))) == "Ça va ? 鮫が好き。 🦈 \n\nAB"

    def test_takes_chunks_without_choices(self, of: Of) -> None:
        with FakeOpenAI(alter=lambda chunk: chunk.update(usage=None), says=SAID) as fake:
            assert "".join(read(of(fake))) == SAID

    @pytest.mark.parametrize(
        "alter",
        [
            lambda chunk: chunk.update(choices=[]),
            lambda chunk: chunk.update(choices=None),
            lambda chunk: chunk.update(choices={"0": 1}),
            lambda chunk: chunk["choices"][0].update(delta={}),
            lambda chunk: chunk["choices"][0].update(delta={"content": 5}),
            lambda chunk: chunk["choices"][0].update(delta="word"),
            lambda chunk: chunk["choices"].insert(0, None),
        ],
    )
    def test_refuses_what_is_no_text(
        self, of: Of, lines: Lines, alter: Callable[[Any], object]
    ) -> None:
        with FakeOpenAI(alter=alter) as fake, pytest.raises(Unavailable):
            read(of(fake))
        assert outcomes(lines) == ["malformed"]

    def test_an_error_among_the_words(self, of: Of, lines: Lines) -> None:
        def alter(chunk: Any) -> None:
            if chunk["choices"][0]["delta"].get("content") == " sharks.":
                chunk["error"] = {"message": "out of memory"}

        with FakeOpenAI(alter=alter) as fake:
            assert broken(of(fake)) == ["You", " love"]
        assert outcomes(lines) == ["server_error"]
        assert "out of memory" in lines.text

    @pytest.mark.parametrize(
        "status,outcome,attempts",
        [
            (401, "key_refused", 1),
            (400, "rejected", 1),
            (404, "rejected", 1),
            (429, "rate_limited", 3),
            (500, "server_error", 3),
        ],
    )
    def test_an_error_before_the_first_word(
        self, of: Of, fake: FakeOpenAI, lines: Lines, status: int, outcome: str, attempts: int
    ) -> None:
        fake.breaks("status", status=status)
        with pytest.raises(Unavailable):
            read(of(fake))
        assert (outcomes(lines), len(fake.seen)) == ([outcome] * attempts, attempts)

    def test_is_asked_again_when_it_is_asked_to_wait(
        self, of: Of, fake: FakeOpenAI, clock: Clock
    ) -> None:
        fake.breaks("status", status=429, retry_after="3", times=1)
        assert "".join(read(of(fake))) == SAID
        assert clock.waits == [3]
        fake.breaks("status", status=429, retry_after="20")
        with pytest.raises(Unavailable) as refused:
            read(of(fake))
        assert refused.value.headers["Retry-After"] == "20"

    @pytest.mark.parametrize("kind", ["html", "empty", "broken_json", "redirect", "encoding"])
    def test_other_faults(self, of: Of, fake: FakeOpenAI, kind: str) -> None:
        fake.breaks(kind)
        with pytest.raises(Unavailable):
            read(of(fake))
        assert len(fake.seen) == 1

    def test_a_text_that_breaks_off_is_not_begun_again(
        self, of: Of, fake: FakeOpenAI, lines: Lines
    ) -> None:
        fake.breaks("halfway", seconds=0)
        assert broken(of(fake)) == ["You", " love"]
        assert (outcomes(lines), len(fake.seen)) == (["connection_error"], 1)

    def test_a_service_that_falls_silent(self, of: Of, fake: FakeOpenAI, lines: Lines) -> None:
        fake.breaks("halfway", seconds=5)
        said: list[str] = []
        with pytest.raises(TimedOut):
            said.extend(of(fake, timeout=0.3).write(BRIEF))
        assert said == ["You", " love"]
        assert outcomes(lines) == ["timeout"]
        wait_until(lambda: exchanges() == 0)

    @pytest.mark.parametrize("kind", ["slow", "drip", "drip_headers"])
    def test_a_slow_service(self, of: Of, fake: FakeOpenAI, kind: str) -> None:
        fake.breaks(kind, seconds=2 if kind == "slow" else 0.02)
        with pytest.raises(TimedOut):
            read(of(fake, timeout=0.2))
        wait_until(lambda: exchanges() == 0)

    def test_an_answer_without_end(self, of: Of, fake: FakeOpenAI, lines: Lines) -> None:
        fake.breaks("endless")
        with pytest.raises(Unavailable):
            read(of(fake))
        assert outcomes(lines) == ["too_large"]
        wait_until(lambda: exchanges() == 0)

    def test_what_keeps_failing_in_the_middle_is_left_alone(
        self, of: Of, fake: FakeOpenAI, lines: Lines
    ) -> None:
        writer = of(fake)
        fake.breaks("halfway", seconds=0)
        for _ in range(FAILURES):
            broken(writer)
        with pytest.raises(Unavailable):
            read(writer)
        assert (outcomes(lines)[-1], len(fake.seen)) == ("circuit_open", FAILURES)

    def test_whoever_has_enough_may_leave(self, of: Of, fake: FakeOpenAI) -> None:
        labels = {"upstream": "text", "outcome": "left"}
        before = REGISTRY.get_sample_value("upstream_requests_total", labels) or 0
        with closing(of(fake).write(BRIEF)) as words:  # type: ignore[type-var]
            assert next(words) == "You"
        wait_until(lambda: exchanges() == 0)
        assert REGISTRY.get_sample_value("upstream_requests_total", labels) == before + 1

    def test_the_key_is_in_no_log(self, of: Of, fake: FakeOpenAI, lines: Lines) -> None:
        with pytest.raises(Unavailable):
            read(of(fake, key="sk-another-key"))
        assert lines.text
        assert "sk-another-key" not in lines.text


def broken(writer: RemoteWriter) -> list[str]:
    """What is said before it breaks off."""
    said: list[str] = []
    with pytest.raises(Unavailable):
        said.extend(writer.write(BRIEF))
    return said


class TestNarrator:
    def test_says_it_plainly(self) -> None:
        writer = text.of(settings.Settings())
        assert writer is text.of(settings.Settings())
        assert isinstance(writer, Narrator)
        assert list(writer.write(BRIEF)) == ["You ", "love ", "horror."]


class TestCurrent:
    def test_is_the_service_that_the_settings_name(
        self, set_variables: Callable[..., None], fake: FakeOpenAI
    ) -> None:
        set_variables(TEXT_URL=f"{fake.url}/", TEXT_MODEL="other", TEXT_API_KEY=KEY)
        assert text.current().name == "other"
        assert text.complete(BRIEF) == SAID


def test_the_fake_answers_in_one_piece_too(fake: FakeOpenAI) -> None:
    body = {"model": "a", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 2}
    headers = {"Authorization": f"Bearer {KEY}"}
    answer = httpx.post(f"{fake.url}/chat/completions", json=body, headers=headers).json()
    assert answer["choices"][0]["message"]["content"] == "You love"
    assert answer["choices"][0]["finish_reason"] == "length"
