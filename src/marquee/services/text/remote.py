"""A writer that speaks OpenAI's `/v1/chat/completions`, as OpenAI, vLLM, Ollama and others do:
https://platform.openai.com/docs/api-reference/chat.
"""

from collections.abc import Iterator
from contextlib import closing
from itertools import chain

import orjson
import structlog
from structlog.typing import FilteringBoundLogger

from marquee.services.fields import Fields, Malformed
from marquee.services.http import Timing
from marquee.services.streams import Streaming
from marquee.services.text.briefs import Brief
from marquee.services.wire import Failed

SILENCE = 20.0
"""Seconds that may pass before a text begins, and between two pieces of it."""
ATTEMPTS = 3
LARGEST = 1024 * 1024
"""Bytes of an answer: each word comes with some hundred about it."""
TEMPERATURE = 0.4
"""Low, so that a text keeps to its facts."""
SHORTEST = 64
LETTERS_PER_TOKEN = 2
"""Of the languages that take most tokens, so that no text ends early; what is too long is cut."""


class RemoteWriter:
    """One model of one service, for all threads of a process."""

    def __init__(  # noqa: PLR0913 - what there is to say of it
        self,
        base_url: str,
        model: str,
        api_key: str = "",
        *,
        timeout: float = 60.0,
        timing: Timing | None = None,
        log: FilteringBoundLogger | None = None,
    ) -> None:
        """`base_url` ends before `/chat/completions`, e.g. https://api.openai.com/v1; `timeout` is
        the longest that one text may take, in seconds.
        """
        self.name = model
        self._upstream = Streaming(
            "text",
            base_url.rstrip("/"),
            connect_timeout=min(3.0, timeout),
            read_timeout=min(SILENCE, timeout),
            total_timeout=timeout,
            max_bytes=LARGEST,
            attempts=ATTEMPTS,
            keep_bytes=0,
            headers={"Authorization": f"Bearer {api_key}"} if api_key else {},
            secrets=(api_key,),
            timing=timing or Timing(),
            log=log or structlog.get_logger(),
        )

    def write(self, brief: Brief) -> Iterator[str]:
        """The text in pieces, as the model says them. Raises Unavailable and TimedOut, also between
        them; a text that is empty is Unavailable.
        """
        body = {
            "model": self.name,
            "messages": [
                {"role": "system", "content": brief.task},
                {"role": "user", "content": orjson.dumps(brief.facts).decode()},
            ],
            "max_tokens": max(SHORTEST, brief.longest // LETTERS_PER_TOKEN),
            "temperature": TEMPERATURE,
            "stream": True,
        }
        left = brief.longest
        said = self._upstream.stream("/chat/completions", body=body, read=_said)
        with closing(said):
            for piece in said:
                yield piece[:left]
                left -= len(piece)
                if left <= 0:
                    return


def _said(pieces: Iterator[bytes]) -> Iterator[str]:
    """What an answer says, in pieces that are not empty. Raises Malformed and Failed."""
    begins = next(pieces, b"")
    pieces = chain([begins], pieces)
    # Some services do not stream, whatever they are asked.
    words = _whole(pieces) if begins.lstrip().startswith(b"{") else _streamed(pieces)
    is_silent = True
    for word in filter(None, words):
        is_silent = False
        yield word
    if is_silent:
        raise Malformed("answer says nothing")


def _streamed(pieces: Iterator[bytes]) -> Iterator[str]:
    has_begun = is_over = False
    for data in _events(pieces):
        has_begun = True
        if data == b"[DONE]":
            return
        chunk = _read(data, "chunk")
        for choice in chunk.inners("choices")[:1]:
            delta = choice.inner("delta")
            yield delta.piece("content") if delta else ""
            is_over |= bool(choice.text("finish_reason", 50))
    if has_begun and not is_over:
        raise Failed("truncated", "The text has no end", again=True)


def _whole(pieces: Iterator[bytes]) -> Iterator[str]:
    for choice in _read(b"".join(pieces), "answer").inners("choices")[:1]:
        message = choice.inner("message")
        yield message.piece("content") if message else ""


def _events(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The data of each server-sent event; these have one line each."""
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                yield line.removeprefix(b"data:").strip()


def _read(data: bytes, where: str) -> Fields:
    try:
        fields = Fields(orjson.loads(data), where)
    except orjson.JSONDecodeError as error:
        raise Malformed(f"{where} is not JSON") from error
    if (problem := fields.inner("error")) is not None:
        raise Failed("server_error", problem.text("message", 300), again=True)
    return fields
