"""The colours of drawn posters, and what is on them, by genre."""

from typing import NamedTuple

Colour = tuple[int, int, int]


class Palette(NamedTuple):
    """From the background to the letters."""

    deep: Colour
    middle: Colour
    glow: Colour
    accent: Colour
    ink: Colour


def _colours(words: str) -> Palette:
    """Five colours in hex, in the order of Palette."""
    numbers = [int(word, 16) for word in words.split()]
    return Palette(*((each >> 16, each >> 8 & 255, each & 255) for each in numbers))


PALETTES: dict[str, tuple[Palette, ...]] = {
    "action": (
        _colours("160b12 7a1f1d ff8a3c ffd166 fff4e0"),
        _colours("0e1320 214a6b ff7b39 ffc857 fdf3e3"),
    ),
    "comedy": (
        _colours("c2410c f59e0b fde68a 0f766e fffbeb"),
        _colours("0f766e 2fb5a5 fef3c7 fb7185 fffdf5"),
        _colours("7c2d5b e0607e ffd9a0 ffe45e fff7ed"),
    ),
    "crime": (
        _colours("0b0e14 27313f c9a25f e0483e f3ede0"),
        _colours("100d0c 3d2b24 d98b4a f2c14e f7efe2"),
    ),
    "documentary": (
        _colours("12211f 2f5d53 d8e2b8 f2a65a f7f5e9"),
        _colours("1b1f2a 42536b cfd8dc ffb454 f5f7f8"),
    ),
    "drama": (
        _colours("111827 3b4a6b e8a87c f6d6ad fbf5ec"),
        _colours("1c1024 5b2a56 e88873 ffd5a5 fdf2e9"),
        _colours("0d1f24 235159 e9c46a f4a261 faf3e3"),
    ),
    "family": (
        _colours("155e95 4aa8d8 fff1b8 ff8c61 fffdf3"),
        _colours("3b2e7e 8b6fd6 ffd6e0 ffe066 fffaff"),
    ),
    "fantasy": (
        _colours("0d1033 3a2b78 c9a7ff 7ee8c7 f6f0ff"),
        _colours("071d24 0f5a60 a8f0cf ffd58a f1fff8"),
    ),
    "horror": (
        _colours("050406 2a070b b3121d f04a3a f4e9e4"),
        _colours("04070a 12232b 7fa39a c7e8d2 eef5ee"),
    ),
    "music": (
        _colours("160a2c 5b1a7a ff5fa2 ffd23f fff2fb"),
        _colours("041c32 08527a 26d0ce ffe66d f0fbff"),
    ),
    "romance": (
        _colours("4a1236 b83b6b ffb199 ffe1c6 fff5ee"),
        _colours("31214f 8a4f9e ffa9c6 ffd9b3 fff3f8"),
    ),
    "science": (
        _colours("030817 0d2f5c 38bdf8 f472b6 eaf6ff"),
        _colours("0a0618 38206e 8b9cff 5ef2c2 f1efff"),
        _colours("06121a 0c4a52 5ee7df ffb86b ecfffb"),
    ),
    "western": (
        _colours("3b160c a5431f ffb35c ffe0a3 fff3df"),
        _colours("2a1a2e 8c3b4a ff9a5a ffd28a fff0e2"),
    ),
}

KINDS = {
    "action": "action", "adventure": "action", "action & adventure": "action", "war": "action",
    "war & politics": "action", "sport": "action", "animation": "family", "family": "family",
    "kids": "family", "comedy": "comedy", "crime": "crime", "mystery": "crime",
    "thriller": "crime", "film noir": "crime", "documentary": "documentary",
    "history": "documentary", "biography": "documentary", "news": "documentary", "drama": "drama",
    "soap": "drama", "fantasy": "fantasy", "sci-fi & fantasy": "science", "horror": "horror",
    "music": "music", "musical": "music", "romance": "romance", "science fiction": "science",
    "sci-fi": "science", "western": "western",
}  # fmt: skip
"""What a genre looks like."""
PLAINEST = "drama"


def kind_of(genres: list[str]) -> str:
    """What a title with these genres looks like: the first that says more than drama decides."""
    kinds = [KINDS[name] for name in map(str.lower, genres) if name in KINDS]
    return next((each for each in kinds if each != PLAINEST), PLAINEST)
