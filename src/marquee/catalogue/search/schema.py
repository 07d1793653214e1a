"""Documents of the search index: their fields, and the words that text is taken apart into.

Titles and names are folded here (`titles.search_title`), so that accents and case do not matter;
plots are stemmed by Tantivy. Scripts that write no blanks between words are taken apart into their
characters, on both sides alike.
"""

import re
from functools import cache, lru_cache
from itertools import pairwise
from math import log1p
from typing import Any, Final

import tantivy

from marquee.catalogue.titles import search_title

VERSION: Final = 2
"""To be raised with every change of fields or words: an index of another version is built anew."""

KINDS: Final = ("movie", "tvshow", "person", "collection")
"""In the order of their numbers in keys, which must stay."""
LONGEST_START, LONGEST_BEGINNING = 12, 16
LONGEST_WORD = 40
PLOT_WORDS = "plot_words"

UNSPACED = re.compile(
    "([\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Tibetan, Burmese, Khmer
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"  # Japanese
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])"  # Chinese characters
)
"""Characters of scripts without blanks: each is a word."""


SPELLED = re.compile(r"\b[a-z](?: [a-z]){2,}\b")
PARTS: Final = ("II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X")
PART = re.compile(rf"(?<=\s)(?:{'|'.join(PARTS)})(?=\s*(?:$|:|\s[-\u2013]\s))")
"""A part number ends a title, or what stands before a subtitle."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


STOP_WORDS: Final = _words("""
a about after all also an and are as at be because been before being but by can could did do does
for from had has have he her him his how i if in into is it its just more most no not of on once
one only or other our out over own she so some such than that the their them then there these they
this those through to too under until up very was we were what when where which while who whom
whose will with would you your
film films movie movies
al au auf aus aux avec bei ce cette con d dans das de del dem den der des du ein eine einem einen
einer eines el elle en es est et fur ihr ihre il ils im ist l la las le les los lui mit nach par
para por pour qu quand que qui se sein seine sich sie sobre son sont su sur sus um un una unas und
une unos von vom y zu zum zur
""")
"""Words that need not be found where there are others."""

SAMPLED: Final = 64
"""One document of so many is in the sample, by its key: few enough to count through at once."""
IN_SAMPLE: Final = "1"

TIE_BREAKING = 0.04
"""By how much the most popular title's score is raised: less than what sets two tiers apart."""
MOST_POPULAR = 1_000_000


@cache
def schema() -> tantivy.Schema:
    """The fields. What a field is for stands where documents are made, in `documents`."""
    fields = tantivy.SchemaBuilder()
    fields.add_unsigned_field("key", indexed=True, fast=True)
    for name in (
        *("whole", "whole_other", "begins", "begins_other", "starts"),
        *("begins_popular", "starts_popular"),
    ):
        fields.add_text_field(name, tokenizer_name="raw", index_option="basic")
    for name in ("title", "other"):
        fields.add_text_field(name, tokenizer_name="whitespace")
    for name in ("people", "keywords"):
        fields.add_text_field(name, tokenizer_name="whitespace", index_option="freq")
    fields.add_text_field("plot", tokenizer_name=PLOT_WORDS, index_option="freq")
    for name in ("kind", "language", "sample"):
        fields.add_text_field(name, tokenizer_name="raw", index_option="basic")
    for name in ("genres", "status", "age_rating", "resolution", "directors", "networks"):
        fields.add_text_field(name, tokenizer_name="raw", index_option="basic", fast=True)
    fields.add_text_field("sort_title", tokenizer_name="raw", index_option="basic", fast=True)
    for name in ("year", "released", "added"):
        fields.add_integer_field(name, indexed=True, fast=True)
    for name in ("vote_average", "popularity", "weight"):
        fields.add_float_field(name, indexed=name == "vote_average", fast=True)
    fields.add_boolean_field("has_file", indexed=True, fast=True)
    return fields.build()


@cache
def plot_analyzer() -> tantivy.TextAnalyzer:
    """What plots are taken apart by, and queries for them."""
    steps = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
    for step in (
        tantivy.Filter.remove_long(LONGEST_WORD),
        tantivy.Filter.lowercase(),
        tantivy.Filter.ascii_fold(),
        tantivy.Filter.custom_stopword(sorted(STOP_WORDS)),
        tantivy.Filter.stemmer("english"),
    ):
        steps = steps.filter(step)
    return steps.build()


def opened(index: tantivy.Index) -> tantivy.Index:
    """The same index, knowing our words. Each object must be told anew."""
    index.register_tokenizer(PLOT_WORDS, plot_analyzer())
    return index


def key_of(kind: str, number: int) -> int:
    """The key of a document: unique over all kinds."""
    return number * len(KINDS) + KINDS.index(kind)


def of_key(key: int) -> tuple[str, int]:
    """Kind and id that a key stands for."""
    number, kind = divmod(key, len(KINDS))
    return KINDS[kind], number


def in_sample(key: int) -> bool:
    """Whether the document of a key is in the sample (multiplicative hashing; Knuth, TAOCP 6.4)."""
    return (key * 2_654_435_761 & 0xFFFF_FFFF) * SAMPLED >> 32 == 0


def apart(text: str) -> str:
    """The text with blanks around each character of a script that writes none."""
    return text if text.isascii() else UNSPACED.sub(r" \1 ", text)


@lru_cache(maxsize=20_000)
def folded(text: str) -> str:
    """The words of a name with single blanks between them; names come often."""
    return " ".join(apart(search_title(text)).split())


def joined(title: str) -> list[str]:
    """What two words that follow each other are when written as one, as `spiderman` is, and letters
    by themselves, as `mash` is.
    """
    if not title.isascii():
        return []
    pairs = [f"{one}{other}" for one, other in pairwise(title.split())]
    return pairs + [unspelled(run) for run in SPELLED.findall(title)]


def unspelled(words: str) -> str:
    """The words with single letters, three or more in a row, written as one: `m a s h` is mash."""
    return SPELLED.sub(lambda found: found[0].replace(" ", ""), words)


def numbered(title: str) -> str:
    """The title with its part numbers in digits: `Rocky IV` is `Rocky 4`."""
    return PART.sub(lambda found: str(PARTS.index(found[0]) + 2), title)


@lru_cache(maxsize=20_000)
def stems(word: str) -> tuple[str, ...]:
    """What a word is in plots; none for a stop word."""
    return tuple(plot_analyzer().analyze(apart(word)))


@lru_cache(maxsize=20_000)
def starts(word: str) -> tuple[str, ...]:
    """All beginnings of a word."""
    return tuple(word[:size] for size in range(1, min(len(word), LONGEST_START) + 1))


def beginnings(whole: str) -> list[str]:
    """The beginnings of a whole title."""
    return [whole[:size] for size in range(1, min(len(whole), LONGEST_BEGINNING) + 1)]


def document(fields: dict[str, Any], *, popular: bool) -> tantivy.Document:
    """A document of the fields of `documents`; `popular` titles are completed first."""
    words = {*fields["title"].split(), *fields["other"].split()}
    prefixes = sorted({start for word in words for start in starts(word)})
    begun, begun_other = (
        {start for whole in fields[name] for start in beginnings(whole)}
        for name in ("whole", "whole_other")
    )
    fields["starts"], fields["begins"] = prefixes, sorted(begun)
    fields["begins_other"] = sorted(begun_other - begun)
    if popular:
        fields["starts_popular"], fields["begins_popular"] = prefixes, sorted(begun)
    fields["sample"] = IN_SAMPLE if in_sample(fields["key"]) else None
    raised = TIE_BREAKING * log1p(min(fields["popularity"], MOST_POPULAR)) / log1p(MOST_POPULAR)
    # Tantivy multiplies scores by log2(2 + weight).
    fields["weight"] = 2 ** (1 + raised) - 2
    present = {name: value for name, value in fields.items() if value is not None}
    return tantivy.Document.from_dict(present, schema())
