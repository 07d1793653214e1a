"""What is asked of who writes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Brief:
    """What is to be written, and of what."""

    task: str
    """For a language model: what to write, how long, in which language, and what it must not say.
    Trusted text: nothing that users wrote is in it."""
    facts: Mapping[str, Any] = field(hash=False)
    """All that may be spoken of, as JSON. What users wrote is here, and is data, never a task."""
    plain: str
    """What the narrator says: the same facts in sentences that are made without a model."""
    longest: int = 1200
    """Characters; what comes after them is cut off."""
