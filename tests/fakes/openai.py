"""A fake of OpenAI's `/v1/embeddings` and `/v1/chat/completions`, whose answers and errors are
written as in https://platform.openai.com/docs/api-reference and its guide to errors.

How it can be broken is said in `tests/fakes/server.py` and `tests/fakes/faults.py`.
"""

import hashlib
import json
import math
import re
from collections.abc import Callable
from typing import Any

from tests.fakes.exchange import Asked, Reply
from tests.fakes.server import FakeServer

KEY = "sk-fake-1234567890"
MOST_TEXTS = 2048
TYPES = {401: "invalid_request_error", 429: "requests", 400: "invalid_request_error"}
Json = dict[str, Any]
WORDS = re.compile(r"\s*\S+")
ROLES = {"system", "developer", "user", "assistant"}
HOTTEST = 2


class FakeOpenAI(FakeServer):
    """Vectors of words: texts that share words are near each other. And a model that `says` one
    thing to everybody, word by word where it `streams`.
    """

    prefix = "/v1"

    def __init__(
        self,
        dimensions: int = 8,
        alter: Callable[[Json], object] = lambda answer: answer,
        *,
        says: str = "You love sharks. They love you.",
        streams: bool = True,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.dimensions = dimensions
        self.says, self.streams = says, streams
        self.alter = alter
        """What is done to an answer before it is sent, and to each chunk of one."""

    def answer(self, asked: Asked) -> Reply:
        """Answer as the service does."""
        answers = {"/v1/embeddings": self._embedded, "/v1/chat/completions": self._completed}
        if asked.method != "POST" or asked.path not in answers:
            return self.problem(404)
        if asked.headers.get("authorization") != f"Bearer {KEY}":
            return self.problem(401)
        return answers[asked.path](json.loads(asked.body))

    def _embedded(self, body: Json) -> Reply:
        texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
        if not texts or len(texts) > MOST_TEXTS or not all(texts):
            return self.problem(400)
        answer: Json = {
            "object": "list",
            "data": [
                {"object": "embedding", "index": index, "embedding": self.vector(text)}
                for index, text in enumerate(texts)
            ],
            "model": body["model"],
            "usage": {"prompt_tokens": len(texts), "total_tokens": len(texts)},
        }
        self.alter(answer)
        return Reply(200, answer)

    def _completed(self, body: Json) -> Reply:
        messages, most = body.get("messages") or [], body.get("max_tokens", 100_000)
        told = all(each["role"] in ROLES and isinstance(each["content"], str) for each in messages)
        if not messages or not told or not 0 <= body.get("temperature", 1) <= HOTTEST:
            return self.problem(400)
        words = WORDS.findall(self.says)
        said, reason = words[:most], "length" if len(words) > most else "stop"
        if body.get("stream") and self.streams:
            return Reply(200, self._chunks(body["model"], said, reason))
        message = {"role": "assistant", "content": "".join(said), "refusal": None}
        answer: Json = {
            "id": "chatcmpl-123",
            "object": "chat.completion",
            "created": 1_700_000_000,
            "model": body["model"],
            "choices": [
                {"index": 0, "message": message, "logprobs": None, "finish_reason": reason}
            ],
            "usage": {"prompt_tokens": 9, "completion_tokens": len(said), "total_tokens": 9},
        }
        self.alter(answer)
        return Reply(200, answer)

    def _chunks(self, model: str, said: list[str], reason: str) -> list[bytes]:
        """An answer as server-sent events: a word each, why it ends, and that it has."""
        deltas: list[tuple[Json, str | None]] = [({"role": "assistant", "content": ""}, None)]
        deltas += [({"content": word}, None) for word in said]
        chunks: list[Json] = [
            {
                "id": "chatcmpl-123",
                "object": "chat.completion.chunk",
                "created": 1_700_000_000,
                "model": model,
                "choices": [{"index": 0, "delta": delta, "finish_reason": ended}],
            }
            for delta, ended in [*deltas, ({}, reason)]
        ]
        for chunk in chunks:
            self.alter(chunk)
        events = [json.dumps(chunk) for chunk in chunks]
        return [f"data: {event}\n\n".encode() for event in [*events, "[DONE]"]]

    def vector(self, text: str) -> list[float]:
        """The sum of the directions of its words, of length 1."""
        sums = [0.0] * self.dimensions
        for word in text.lower().split():
            digest = hashlib.sha256(word.encode()).digest()
            for place in range(self.dimensions):
                sums[place] += digest[place % 32] - 127.5
        length = math.hypot(*sums) or 1.0
        return [each / length for each in sums]

    def problem(self, status: int) -> Reply:
        """An error as the service writes it."""
        kind = TYPES.get(status, "server_error")
        error = {"message": f"problem {status}", "type": kind, "param": None, "code": None}
        return Reply(status, {"error": error})
