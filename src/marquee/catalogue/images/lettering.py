"""Type on drawn posters: a title broken into lines, as large as its place allows.

Latin, Greek and Cyrillic letters are those of Source Sans, Chinese, Japanese and Korean ones those
of Noto Sans CJK. Letters of other scripts are left out: no font for them is at hand.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import font_source_sans_pro
import noto_cjk_sans_jp_bold

from marquee.late import late

if TYPE_CHECKING:
    from PIL import ImageFont
else:
    ImageFont = late("PIL.ImageFont")

FOLDER = Path(font_source_sans_pro.__file__).parent / "files"
BLACK, SEMIBOLD = FOLDER / "SourceSansPro-Black.ttf", FOLDER / "SourceSansPro-Semibold.ttf"
CJK = Path(str(noto_cjk_sans_jp_bold.FONT_PATH))

EAST_ASIAN = "\u1100-\u11ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef"
IDEOGRAPHS = re.compile(f"[{EAST_ASIAN}\U00020000-\U0002fa1f]")
LETTERED = re.compile(
    f"[^ -~\u00a1-\u052f\u1e00-\u1fff\u2010-\u2027\u2030-\u214f{EAST_ASIAN}\U00020000-\U0002fa1f]+"
)
"""What neither font has."""
MEASURE = 100
"""The size that words are measured at, in pixels."""
MOST_LETTERS, MOST_LINES = 90, 6
LEADING = 0.98


@dataclass(frozen=True, slots=True)
class Lines:
    """A text in lines, with the size of its letters in pixels."""

    lines: tuple[str, ...]
    font: ImageFont.FreeTypeFont
    leading: float
    """From one line to the next, in pixels."""


@lru_cache(maxsize=64)
def font(path: Path, size: int) -> ImageFont.FreeTypeFont:
    """A font in a size."""
    return ImageFont.truetype(path, size)


def readable(text: str) -> str:
    """What of a text can be written, cut to a length that suits a poster."""
    words = " ".join(LETTERED.sub(" ", text).split())
    return words if len(words) <= MOST_LETTERS else words[: MOST_LETTERS - 1].rstrip() + "…"


def font_of(text: str, usual: Path) -> Path:
    """The font that has all letters of a readable text."""
    return CJK if IDEOGRAPHS.search(text) else usual


def fitted(text: str, width: float, height: float, largest: float) -> Lines:
    """A text in the lines that make it largest; of two ways that do, the one with fewer lines."""
    path = font_of(text, BLACK)
    words, blank = _words(text), font(path, MEASURE).getlength(" ")
    widths = [font(path, MEASURE).getlength(word) for word, _ in words]
    best: tuple[float, tuple[str, ...]] = (0, (text,))
    for number in range(1, min(MOST_LINES, len(words)) + 1):
        breaks = _balanced(widths, [spaced for _, spaced in words], blank, number)
        lines = tuple(_joined(words[start:end]) for start, end in pairwise(breaks))
        widest = max(font(path, MEASURE).getlength(line) for line in lines)
        size = min(largest, MEASURE * width / widest, height / (len(lines) * LEADING))
        if size > best[0] * 1.04:
            best = size, lines
    size, lines = best
    return Lines(lines, font(path, max(4, int(size))), int(size) * LEADING)


def _words(text: str) -> list[tuple[str, bool]]:
    """What may stand on a line by itself, and whether a blank comes before it."""
    found: list[tuple[str, bool]] = []
    for word in text.split():
        parts = re.findall(f"{IDEOGRAPHS.pattern}|[^{IDEOGRAPHS.pattern[1:-1]}]+", word)
        found += [(part, index == 0) for index, part in enumerate(parts)]
    return found


def _joined(words: list[tuple[str, bool]]) -> str:
    return "".join(" " * spaced + word for word, spaced in words).strip()


def _balanced(widths: list[float], spaced: list[bool], blank: float, number: int) -> list[int]:
    """Where to break so many words into `number` lines, so that the widest is as narrow as can be:
    the beginnings of all lines, and the end.
    """
    count = len(widths)
    ends = [0.0]
    for width, has_blank in zip(widths, spaced, strict=True):
        ends.append(ends[-1] + width + blank * has_blank)
    widest = [[float("inf")] * (count + 1) for _ in range(number + 1)]
    come_from = [[0] * (count + 1) for _ in range(number + 1)]
    widest[0][0] = 0
    for line in range(1, number + 1):
        for end in range(line, count + 1):
            for start in range(line - 1, end):
                width = max(widest[line - 1][start], ends[end] - ends[start])
                if width < widest[line][end]:
                    widest[line][end], come_from[line][end] = width, start
    breaks = [count]
    for line in range(number, 0, -1):
        breaks.append(come_from[line][breaks[-1]])
    return breaks[::-1]
