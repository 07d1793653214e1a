"""A fake of OpenAI's `/v1/embeddings`, whose answers and errors are written as in
https://platform.openai.com/docs/api-reference/embeddings and its guide to errors.

How it can be broken is said in `tests/fakes/server.py` and `tests/fakes/faults.py`.
"""

import hashlib
import json
import math
from collections.abc import Callable
from typing import Any

from tests.fakes.exchange import Asked, Reply
from tests.fakes.server import FakeServer

KEY = "sk-fake-1234567890"
MOST_TEXTS = 2048
TYPES = {401: "invalid_request_error", 429: "requests", 400: "invalid_request_error"}
Json = dict[str, Any]


class FakeOpenAI(FakeServer):
    """Vectors of words: texts that share words are near each other."""

    prefix = "/v1"

    def __init__(
        self,
        dimensions: int = 8,
        alter: Callable[[Json], object] = lambda answer: answer,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.dimensions = dimensions
        self.alter = alter
        """What is done to an answer before it is sent."""

    def answer(self, asked: Asked) -> Reply:
        """Answer as the service does."""
        if (asked.method, asked.path) != ("POST", "/v1/embeddings"):
            return self.problem(404)
        if asked.headers.get("authorization") != f"Bearer {KEY}":
            return self.problem(401)
        body = json.loads(asked.body)
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
