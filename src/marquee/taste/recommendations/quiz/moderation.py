r"""What must not be asked for, and words that are meant for a language model rather than for us.

By rules alone, the same everywhere and at all times: texts are brought to one form (letters that
only look different, digits in their place, letters kept apart), then looked through for patterns in
English, Spanish, German, French and Russian. A pattern is of what somebody wants done or shown, not
of a word: titles and plots of films are full of killing, sex and drugs.
"""

# ruff: noqa: RUF001 - Cyrillic letters are what some patterns are of

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from marquee.catalogue.titles import search_title
from marquee.errors import Unprocessable

INJECTION = "prompt_injection"
MINOR = (
    r"(?:child(?:ren)?|kids?|minors?|under ?aged?|preteens?|toddlers?|lolis?|lolitas?"
    r"|(?:little|young|school) ?(?:girls?|boys?)|ninos?|ninas?|menores|kinder|minderjahrige\w*"
    r"|enfants?|mineure?s?|дети|детей|детьми|детская|несовершеннолетн\w*|малолетн\w*)"
)
EXPLICIT = (
    r"(?<!\bno )(?<!\bwithout )(?<!\bsin )(?<!\bohne )(?<!\bsans )"
    r"(?:porn\w*|nudes?|nudity|naked|sex(?:ual)? (?:scenes?|acts?|content)|having sex|hentai"
    r"|erotic\w*|desnud\w*|nackt\w*|sexszene\w*|nue?s|порн\w*|голые|голых|голая|эротик\w*)"
)
SELF = r"(?:i want to|i wanna|i m going to|i am going to|i will|i plan to|help me)"
LEARN = r"(?:how (?:to|can i|do i|would i)|teach me|instructions? (?:for|to)|recipe for)"
KILL = r"(?:kill|murder|shoot|stab|poison|rape|torture|behead|strangle|bomb|blow up|massacre)"
VICTIM = (
    r"(?:people|someone|somebody|every(?:one|body)|her\b|him\b|them\b|neighbou?rs?(?! s\b)|wife"
    r"|husband|school|my (?:boss|mother|father|parents|ex|teacher|classmates|girlfriend|boyfriend)"
    r"|a (?:person|man|woman|child|crowd)|the president)"
)
PATTERNS: Final[dict[str, str]] = {
    INJECTION: r"""
(?:ignor|disregard|forget|overrid|bypass|skip)\w* (?:\w+ ){0,4}?(?:instructions?|prompts?)
(?:ignor|disregard|forget|overrid|bypass)\w* (?:\w+ ){0,3}?(?:guidelines|directives)
(?:ignor|disregard|forget|overrid)\w* (?:all |everything |any |what )*(?:above|prior|previous\b)
(?:ignor|disregard|break|bypass)\w* (?:all )?(?:of )?your (?:\w+ )?rules
(?:system|developer|hidden|initial) (?:prompts?|messages?|instructions?)
(?:reveal|print|show|repeat|output|leak|tell) (?:me )?(?:\w+ ){0,3}?(?:prompts?|instructions)\b
you are (?:now|no longer) (?:an?|the|my|in)? ?(?:\w+ )?(?:ai|assistant|chatgpt|gpt|dan|model|bot)
you are (?:now )?(?:free|unrestricted|jailbroken|unfiltered)
(?:act|behave|respond) as (?:an? |the )?(?:ai|assistant|language model|chatgpt|dan|root|admin\w*)\b
jailbreak|do anything now|developer mode|god mode|prompt injection
your (?:new|real|actual) (?:tasks?|instructions?|role|goal) (?:is|are)\b
(?:respond|answer|reply) (?:only )?with (?:only )?(?:json|exactly|the following)
ignor\w* (?:\w+ ){0,4}?(?:instruccion|anweisung|instruction|consigne)\w*
(?:olvida|vergiss|oubliez?r?) (?:\w+ ){0,4}?(?:instruccion|anweisung|instruction|consigne)\w*
(?:mensaje|aviso|indicacion\w*) del sistema|systemnachricht|systemanweisung
(?:message|invite|consigne) systeme
(?:игнорир|забуд|проигнорир|отмен)\w* (?:\w+ ){0,4}?(?:инструкц|указани|правил|предыдущ)\w*
системн\w+ (?:промпт|сообщен|инструкц|подсказ)\w*
""",
    "sexual": r"""
(?:want|show|watch|give|find|see|need|recommend)\w* (?:\w+ ){0,4}?(?:hardcore sex|sex tapes?)
(?:want|show|watch|give|find|see|need|recommend)\w* (?:\w+ ){0,4}?(?:porn\b|porno|hentai|xxx)
looking for (?:\w+ ){0,3}?(?:porn|hentai|xxx)
\bporn(?:o|ography|os|ografie|ographie|ografia|hub)? (?:films?|movies?|videos?|pelicula\w*)
\b(?:hardcore|unsimulated) (?:sex|porn)\w*
(?:quiero|muestra\w*|ver|zeig\w*|will|veux|montre\w*|хочу|покажи) (?:\w+ ){0,3}?(?:porn|порн)\w*
""",
    "sexual_minors": r"""
%MINOR (?:\w+ )?%EXPLICIT
%EXPLICIT (?:\w+ ){0,2}?%MINOR
\bsex (?:\w+ ){0,2}?with (?:\w+ ){0,2}?%MINOR
\b(?:child porn\w*|kinderporn\w*|pedoporn\w*|csam\b|jailbait|детск\w+ порн\w*)
(?:sexy|sexual\w*|erotic\w*|horny) %MINOR
""",
    "violence": r"""
(?:%LEARN|%SELF|we should) (?:\w+ ){0,2}?%KILL (?:\w+ )?%VICTIM
%LEARN (?:\w+ ){0,3}?(?:make|build|making|building|cook) (?:\w+ ){0,3}?(?:bombs?|explosives?)
%LEARN (?:\w+ ){0,3}?(?:make|build|making|building|cook) (?:\w+ ){0,3}?(?:grenades?|meth\b)
\bsnuff (?:films?|movies?|videos?|footage)
\breal (?:gore|deaths?|murders?|killings?|executions?|torture) (?:films?|movies?|videos?|footage)
\bcomo (?:\w+ ){0,3}?(?:matar a|asesinar a|(?:fabricar|hacer) una bomba)
(?:quiero|voy a) (?:matar|asesinar) a\b
\bwie (?:\w+ ){0,4}?(?:jemand\w*|menschen|leute|mein\w*) (?:toten?\b|umbring\w*|ermord\w*)
\bwie (?:\w+ ){0,3}?bomben? (?:bau\w*|bastel\w*)
ich (?:will|werde) (?:jemand\w*|ihn|sie|mein\w* \w+|menschen) (?:toten|umbringen|ermorden)
\bcomment (?:tuer (?:quelqu|ma|mon|des)|fabriquer une bombe)|je (?:veux|vais) (?:tuer|assassiner)
(?:как|хочу|собираюсь) (?:убить|зарезать|отравить) (?:человек\w*|людей|его|ее|их|жену|мужа)
как (?:сделать|изготовить|собрать) бомбу|(?:хочу|собираюсь) взорвать
""",
    "self_harm": r"""
(?:%SELF|%LEARN|(?:best|easiest) way to) (?:\w+ )?(?:kill|hang|cut|hurt|harm) (?:my ?self|oneself)
(?:%SELF|%LEARN|(?:best|easiest) way to) (?:commit suicide|end my life|end it all\b|overdose)
(?:i want to|i wanna|(?:best|easiest) way to) die\b(?! (?:laughing|of|hard|for|another))
\b(?:kill|killing|hurting|cutting) my ?self\b
\b(?:suicide|self harm|anorexia) (?:methods?|instructions?|guides?|tutorials?)
\b(?:i want to be dead|i don t want to live|pro ana|thinspo)\b
(?:quiero|voy a|como) (?:matarme|suicidarme|morirme|quitarme la vida)|\bquiero morir\b
ich (?:will|mochte|werde) (?:mich (?:umbringen|toten)|sterben|nicht mehr leben)
je (?:veux|vais) (?:me (?:tuer|suicider)|mourir)
(?:хочу|собираюсь|как) (?:умереть|убить себя|покончить с собои|повеситься)
""",
    "hate": r"""
(?:kill|exterminate|hang|eradicate|get rid of|death to) (?:all )?(?:the )?(?:jews|muslims|blacks)
(?:kill|exterminate|hang|eradicate|get rid of|death to) (?:all )?(?:the )?(?:gays|immigrants)
(?:kill|exterminate|eradicate) all (?:the )?(?:women|whites|christians|foreigners)
\b(?:sieg heil|white power|gas the jews)\b
(?:muerte a|tod den|mort aux|смерть) (?:\w+ )?(?:judios|juden|juifs|moros|auslander\w*|евреям)
""",
}
"""By what they are flagged for; a line is one pattern, of texts as `search_title` leaves them."""
PARTS = {
    "%MINOR": MINOR,
    "%EXPLICIT": EXPLICIT,
    "%SELF": SELF,
    "%LEARN": LEARN,
    "%KILL": KILL,
    "%VICTIM": VICTIM,
}


def _compiled(lines: str) -> re.Pattern[str]:
    for name, part in PARTS.items():
        lines = lines.replace(name, part)
    return re.compile("|".join(f"(?:{each})" for each in lines.strip().splitlines()))


COMPILED = {name: _compiled(lines) for name, lines in PATTERNS.items()}
MARKERS = re.compile(
    r"<\|[^|>]{1,40}\|>|\[/?(?:inst|sys)\]|<</?sys>>|</?(?:system|assistant|instructions?|prompt)>"
    r"|(?:^|\n)\s*(?:#{2,}\s*)?(?:system|assistant|developer)\s*:|```|\{\{.{0,80}\}\}",
    re.IGNORECASE,
)
"""What models take for the end of a text, and for who is speaking."""
DIGITS = [str.maketrans("013457@$!|", f"o{one}eastasil") for one in "il"]
"""Digits and signs that stand for letters, in words that have letters too; 1 for either of two."""
WITH_DIGITS = re.compile(r"(?=[\w@$!|]*[a-z])(?=[\w@$!|]*[013457@$!|])[\w@$!|]{3,}")
APART = re.compile(r"\b(?:\w ){3,}\w\b")
LOOKALIKES = str.maketrans("аеорсухіѕјԁһ", "aeopcyxisjdh")
"""Cyrillic letters within a word of Latin ones."""
LATIN = re.compile(r"[a-z]")
WORD = re.compile(r"\w+")


def check(people: Iterable[Mapping[str, Any]]) -> None:
    """Refuse answers of a quiz that are unsafe. Raises Unprocessable (UNSAFE_PROMPT), with each
    text at fault and what it is flagged for.
    """
    flagged: list[dict[str, object]] = [
        {"path": path, "categories": categories}
        for path, text in _texts(people)
        if (categories := flags(text))
    ]
    if flagged:
        raise Unprocessable(
            "What you wrote cannot be used to recommend films.",
            "UNSAFE_PROMPT",
            details={"flagged": flagged},
        )


def flags(text: str) -> list[str]:
    """What a text is flagged for, in the order of `PATTERNS`."""
    written = unicodedata.normalize("NFKC", text)
    forms = _forms(written)
    found = [
        name for name, pattern in COMPILED.items() if any(pattern.search(form) for form in forms)
    ]
    if INJECTION not in found and MARKERS.search(written):
        found.insert(0, INJECTION)
    return found


def _forms(written: str) -> set[str]:
    """A text in the form of the patterns; also with digits as letters, and what stands apart put
    together.
    """
    visible = "".join(each for each in written if unicodedata.category(each) != "Cf")
    lowered = visible.lower()
    forms = {_folded(visible)}
    if WITH_DIGITS.search(lowered):
        forms |= {_folded(_spelled(lowered, letters)) for letters in DIGITS}
    return forms | {APART.sub(lambda run: run[0].replace(" ", ""), each) for each in forms}


def _spelled(lowered: str, letters: Mapping[int, int]) -> str:
    return WITH_DIGITS.sub(lambda word: word[0].translate(letters), lowered)


def _folded(text: str) -> str:
    words = search_title(text)
    return WORD.sub(
        lambda word: word[0].translate(LOOKALIKES) if LATIN.search(word[0]) else word[0], words
    )


def _texts(people: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """All that people wrote themselves, and where it stands in the body."""
    for number, each in enumerate(people):
        for name in ("name", "favorite_movie", "favorite_movie_why", "favorite_actor"):
            if text := each.get(name):
                yield f"/people/{number}/{name}", text
        for place, mood in enumerate(each["mood_preference"]):
            yield f"/people/{number}/mood_preference/{place}", mood
