"""Telling a sentence that names a title from one that only describes.

What is written must not name what somebody has watched. A model is told so, and is not told any
title; this is for the case that it guesses one.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator

WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
POSSESSIVE = re.compile(r"['\u2019]s$")
SPLIT = re.compile(r"[.!?\u2026]+[\"'\u201d\u2019)]*\s+")
ABBREVIATION = re.compile(r"(?:\b(?:Mr|Mrs|Ms|Dr|St|vs|etc|e\.g|i\.e|Vol|No)|\b[A-Z])\.$")
"""What ends with a full stop and does not end a sentence."""
QUOTED = re.compile(
    r"[\"\u201c\u201d\u201e\u00ab\u00bb*_`](?=[^\W_])(?=[^a-z])[^\"\u201c\u201d\u201e\u00ab\u00bb*_`]{0,200}"
    r"[\"\u201c\u201d\u00ab\u00bb*_`]"
    r"|(?<!\w)['\u2018\u2039](?=[^\W_])(?=[^a-z])[^'\u2019\u203a]{0,200}['\u2019\u203a](?!\w)"
)
"""A name in quotation marks, or marked as one."""
SUBTITLE = re.compile(r"\s*(?::|\s[-\u2013\u2014])\s+")
SEQUEL = re.compile(r"\s+(?:(?:part|chapter|vol\.?|episode)\s+)?(?:[0-9]+|[ivx]+)$", re.IGNORECASE)
ARTICLES = frozenset(("the", "a", "an"))
COMMON = frozenset(
    WORD.findall("""
    a about above across after again against all also although always am among an and another
    any are as at away back be because been before behind being below beneath besides better
    between beyond big both but by can come could day days did do does down each early end
    enough even ever every everything family far few find first for free friends from game get
    girl give go good great had hand has have he heart help her here high him his home hours
    house how i if in into is it its just keep kind know last late left life light like little
    live long look lost love made make man many me men mind moment more most much must my near
    never new next night no not nothing now of off old on once one only open or other our out
    over own part past people place point real right room same see she side since small so some
    something soon still story strange such take tale tell than that the their them then there
    these they thing things this those thought three through time to today together too two
    under until up us very view war was watch way we well were what when where which while who
    whole why wide wild will with without woman women word words work world would year years yes
    yet you young your
    """)
)
"""Words that one writes without naming anything, also at the beginning of a sentence."""


def sentences(pieces: Iterable[str]) -> Iterator[str]:
    """The sentences of a text that comes in pieces, each as soon as it is whole. What the text
    breaks off with is left out.
    """
    rest = ""
    for piece in pieces:
        rest += piece
        whole, rest = _split(rest)
        yield from whole
    rest = " ".join(rest.split())
    if re.search(r"[.!?\u2026\u3002][\"'\u201d\u2019)]*$", rest):
        yield rest


def _split(text: str) -> tuple[list[str], str]:
    found, start = [], 0
    for end in SPLIT.finditer(text):
        sentence = " ".join(text[start : end.end()].split())
        if end.end() == len(text) or ABBREVIATION.search(sentence):
            continue
        found.append(sentence)
        start = end.end()
    return found, text[start:]


class Names:
    """The names of titles, to look for in sentences."""

    def __init__(self, titles: Iterable[str], allowed: Iterable[str] = ()) -> None:
        """`allowed` are words that stay such although a title is called so: genres, countries."""
        self._phrases: dict[str, set[tuple[str, ...]]] = {}
        self._uncased: set[str] = set()
        spoken = {_words(each) for each in allowed}
        for title in {form for each in titles for form in _forms(each)}:
            words = _words(title)
            if not any(letter.islower() or letter.isupper() for letter in title):
                self._uncased |= {title} if len(title) > 1 and not title.isdecimal() else set()
            elif words not in spoken:
                self._phrases.setdefault(words[0], set()).add(words)

    def are_in(self, sentence: str) -> bool:
        """Whether a sentence names one of them, or anything in quotation marks."""
        if QUOTED.search(sentence) or any(title in sentence for title in self._uncased):
            return True
        found = [match.group() for match in WORD.finditer(sentence)]
        words = tuple(_folded(word) for word in found)
        return any(
            words[at : at + len(phrase)] == phrase and _is_name(found[at : at + len(phrase)], at)
            for at, word in enumerate(words)
            for phrase in self._phrases.get(word, ())
        )


def _is_name(said: list[str], at: int) -> bool:
    """Whether words that a title consists of are meant as its name.

    One word is where it has a capital, and so are common ones where the first and the last have one
    that is not that of a sentence's beginning.
    """
    common = all(_folded(word) in COMMON for word in said)
    if len(said) > 1 and not common:
        return True
    ends = [said[0], said[-1]] if at else said[1:][-1:]
    if not common:
        ends = said
    return bool(ends) and all(not word[0].islower() for word in ends)


def _forms(title: str) -> Iterator[str]:
    """How people call a title: also without what comes after a colon, number and article."""
    for form in {title, SUBTITLE.split(title)[0]}:
        for name in {form, SEQUEL.sub("", form)}:
            words = _words(name)
            if not words:
                continue
            yield name
            rest = words[1:]
            if words[0] in ARTICLES and rest and not all(word in COMMON for word in rest):
                yield name.split(maxsplit=1)[-1]


def _words(text: str) -> tuple[str, ...]:
    return tuple(_folded(match.group()) for match in WORD.finditer(text))


def _folded(word: str) -> str:
    """A word without case, accents, apostrophes, and the `s` of what belongs to it."""
    word = POSSESSIVE.sub("", word.casefold()).replace("\u2019", "").replace("'", "")
    plain = unicodedata.normalize("NFKD", word)
    return "".join(letter for letter in plain if not unicodedata.combining(letter))
