"""The words of titles: what they are found by and what they are sorted by.

A query is put into the same words by the same function, so `Amelie` finds `Amélie`.
"""

import re
import unicodedata

MAX_WORDS = 500
"""Characters kept. PostgreSQL refuses index entries of over 2,704 bytes, and a title may decompose
into many times its length."""

LETTERS = {
    "æ": "ae",
    "œ": "oe",
    "ø": "o",
    "đ": "d",
    "ð": "d",
    "ħ": "h",
    "\u0131": "i",
    "ł": "l",
    "ŧ": "t",
    "þ": "th",
}
"""Letters that people without them write otherwise, but that Unicode does not decompose."""

MARKS = (
    (0x0300, 0x036F),  # of Latin, Greek and Cyrillic letters
    (0x0591, 0x05C7),  # Hebrew points
    (0x064B, 0x065F),  # Arabic vowels and hamzas
    (0x0670, 0x0670),
    (0x1AB0, 0x1AFF),
    (0x1DC0, 0x1DFF),
    (0x20D0, 0x20FF),
    (0xFE20, 0xFE2F),
)
"""Combining marks that may be left out. Those of Japanese, Thai or the scripts of India are as good
as letters: without them other words remain."""

ARTICLES = "the|an?|l[ae]|les|une?|der|die|das|eine?|el|los|las|una|un[oa]s"
OPENING = re.compile(
    rf"[\W_]*(?:(?:{ARTICLES})\s+|l['\u2019\u02bc`\u00b4]\s*)(?=[^\W_])", re.IGNORECASE
)
NO_ARTICLES = ("die hard", "die another", "la la", "los angeles", "las vegas")
"""Beginnings in which the first word only looks like an article."""


class _Folding(dict[int, str]):
    """What each character becomes in casefolded, decomposed text; filled as characters come."""

    def __missing__(self, point: int) -> str:
        character = chr(point)
        if any(first <= point <= last for first, last in MARKS):
            kept = ""
        elif unicodedata.category(character)[0] in "LMN":
            kept = LETTERS.get(character, character)
        else:
            kept = " "
        self[point] = kept
        return kept


FOLDING = _Folding()


def search_title(title: str) -> str:
    """The words of a title: no accents, no case, no punctuation, single blanks between them.

    Other scripts stay as they are. Never empty, unless the title is: one of symbols alone keeps
    them. At most `MAX_WORDS` characters.
    """
    if title.isascii():
        folded = title.lower().translate(FOLDING)
    else:
        spaced = "".join(map(_apart, title))
        decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", spaced).casefold())
        folded = unicodedata.normalize("NFC", decomposed.translate(FOLDING))
    words = " ".join(folded.split()) or " ".join(title.split())
    return words[:MAX_WORDS].rstrip()


def sort_title(title: str) -> str:
    """The words of a title without its English, French, German or Spanish article.

    It is either `search_title` or that without its first word, and never empty, unless the title
    is: `The The` and `A` stay whole.
    """
    words = search_title(title)
    opening = OPENING.match(title)
    if opening is None or words.startswith(NO_ARTICLES):
        return words
    article, _, rest = words.partition(" ")
    return words if not rest or rest == article else rest


def _apart(character: str) -> str:
    """The character, a fraction with a blank before it: 8½ is 8 1/2 and not 81/2."""
    fraction = unicodedata.decomposition(character).startswith("<fraction>")
    return f" {character}" if fraction else character
