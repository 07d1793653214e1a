r"""The words by which people say what they are in the mood for, in English, Spanish, German, French
and Russian, and the genres that these moods want.

Words are as `search_title` leaves them: small letters without accents. They are beginnings, unless
they end in `\b`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True)
class Mood:
    """What somebody may be in the mood for: how much it wants each genre, 0 to 1, and its words."""

    genres: Mapping[str, float] = field(hash=False)
    words: re.Pattern[str]


def _mood(words: str, **genres: float) -> Mood:
    named = {name.replace("_", " "): weight for name, weight in genres.items()}
    return Mood(named, re.compile(rf"\b(?:{words})"))


MOODS: Final[dict[str, Mood]] = {
    "thrilling": _mood(
        r"thrill|suspens|tens(?:e|ion)|gripp|nail biting|edge of|exciting|intense|spann(?:end|ung)"
        r"|nervenkitzel|tenso|tension|emocionant|intriga|haletant|angoiss|напряж|триллер|захватыв",
        Thriller=1,
        Mystery=0.7,
        Crime=0.6,
        Action=0.6,
        Horror=0.5,
    ),
    "scary": _mood(
        r"scar(?:y|ed|iest)|fright|creep|horror|terror|terrif|spooky|chilling|grusel|unheimlich"
        r"|miedo|aterra|effray|epouvant|peur\b|страшн|ужас",
        Horror=1,
        Thriller=0.5,
        Mystery=0.3,
    ),
    "funny": _mood(
        r"funn|laugh|hilar|humou?r|comed|comic\b|wit(?:ty)?\b|silly|fun\b|lustig|witzig|lachen"
        r"|komod|komisch|divert|gracios|risa|reir|drole|rire\b|comique|marrant|смешн|весел|комеди"
        r"|юмор",
        Comedy=1,
    ),
    "romantic": _mood(
        r"romanti|romance|love stor|love affair|lovers\b|liebesf|liebesg|verliebt|amor\b|enamorad"
        r"|amour|романт|любов",
        Romance=1,
    ),
    "adventurous": _mood(
        r"adventur|quest\b|journey|explor|abenteuer|aventur|приключ",
        Adventure=1,
        Action=0.6,
        Fantasy=0.5,
        Western=0.4,
        Science_Fiction=0.4,
    ),
    "action": _mood(
        r"action|explosi|fight|chase|adrenalin|accion|pelea|persecu|kampf|verfolgungs|bagarre"
        r"|боевик|экшн|погон",
        Action=1,
        Adventure=0.5,
        Thriller=0.5,
        Martial_Arts=0.8,
    ),
    "thoughtful": _mood(
        r"thought|reflect|contemplat|philosoph|deep\b|intellig|profound|provok|nachdenk|tiefgrund"
        r"|anspruch|reflexi|profund|filosof|reflechi|profond|глубок|философ|задум|умн",
        Drama=0.9,
        Mystery=0.4,
        Science_Fiction=0.4,
        Biography=0.4,
    ),
    "moving": _mood(
        r"sad\b|emotion|moving|touching|cry\b|tears|tearj|melanchol|heartbreak|bittersw|traurig"
        r"|ruhrend|bewegend|emotiv|triste|llorar|conmov|emouv|touchant|pleurer|грустн|печаль"
        r"|трогат|душевн",
        Drama=1,
        Romance=0.6,
    ),
    "uplifting": _mood(
        r"uplift|inspir|feel ?good|feelgood|hope|heartwarm|cheer|joy|happy|cos?zy\b|cosy|warm\b"
        r"|wholesome|aufmunter|herzerwarm|frohlich|hoffnung|gluck|alegr|feliz|optimis|esperanza"
        r"|joyeu|reconfort|espoir|bonheur|вдохнов|радост|добр|уютн|счаст",
        Comedy=0.7,
        Family=0.8,
        Romance=0.5,
        Music=0.6,
        Musical=0.6,
        Sport=0.6,
        Animation=0.5,
    ),
    "magical": _mood(
        r"magic|dream|wonder|whimsi|fairy ?tale|enchant|fantas(?!tic)|imaginat|marchen|zauber"
        r"|traum|magi[ac]|sueno|feeri|reve(?:ur|rie|s)?\b|волшеб|сказ|мечт|фэнтези",
        Fantasy=1,
        Animation=0.7,
        Family=0.5,
        Adventure=0.4,
    ),
    "epic": _mood(
        r"epic|grand\b|sweeping|monumental|spectac|episch|epico|epica|epique|grandios|эпич"
        r"|масштаб",
        Adventure=0.8,
        History=0.9,
        War=0.8,
        Action=0.5,
        Fantasy=0.6,
        Western=0.4,
    ),
    "mysterious": _mood(
        r"myster|puzzl|detectiv|whodunit|riddle|secret|ratsel|geheimnis|krimi\b|misteri|enigm"
        r"|enquete|детектив|загад|тайн",
        Mystery=1,
        Thriller=0.7,
        Crime=0.6,
    ),
    "mind-bending": _mood(
        r"mind ?b|mind ?f|twist|cerebral|surreal|weird|strange|clever|verdreht|seltsam|bizarr"
        r"|raro\b|extran|giro|etrange|retournement|странн|запутан|необычн",
        Science_Fiction=0.8,
        Mystery=0.9,
        Thriller=0.7,
        Fantasy=0.4,
    ),
    "futuristic": _mood(
        r"sci ?fi|science fiction|outer space|in space|space (?:opera|travel|ship)|spaceship"
        r"|futur|robot|alien|weltraum|zukunft|ciencia ficcion|espacio|космос|космич|фантастик"
        r"|будущ",
        Science_Fiction=1,
    ),
    "dark": _mood(
        r"dark|gritty|bleak|sinister|disturb|noir\b|duster|finster|oscur|sombr|inquiet|мрачн"
        r"|темн",
        Crime=0.8,
        Thriller=0.9,
        Horror=0.6,
        Mystery=0.6,
        Drama=0.4,
        War=0.4,
    ),
    "nostalgic": _mood(
        r"nostalg|childhood|retro\b|old times|kindheit|infancia|enfance|ностальг|детств",
        Family=0.7,
        Comedy=0.5,
        Drama=0.5,
        Romance=0.5,
        Musical=0.5,
    ),
    "relaxing": _mood(
        r"relax|calm|chill\b|easy|light\b|lighthear|gentle|soothing|ruhig|entspann|leicht|tranquil"
        r"|relaj|liger|calme|leger|detent|спокой|расслаб|легк",
        Comedy=0.9,
        Family=0.7,
        Romance=0.6,
        Animation=0.6,
    ),
    "musical": _mood(
        r"music|songs?\b|sing(?:ing|ers?)?\b|danc(?:e|ing)|musik|tanz|cancion|baile|chanson|danse"
        r"|музык|песн|танц",
        Musical=1,
        Music=1,
    ),
    "family": _mood(
        r"^family$|family (?:film|movie|night|fun|friendly)|(?:whole|entire) family|kids|children"
        r"|^familie$|familienfilm|ganze familie|kinder|^familia(?:r|l)?$|toda la familia|ninos"
        r"|^famille$|en famille|toute la famille|enfants|семейн|детск|детьми|animat|cartoon"
        r"|zeichentrick|dibujos|мульт",
        Family=1,
        Animation=0.9,
        Adventure=0.4,
        Fantasy=0.4,
    ),
    "historical": _mood(
        r"histor|period (?:piece|drama)|costume|true stor|war\b|wars\b|krieg|guerra|guerre|belico"
        r"|истори|войн|военн",
        History=1,
        War=0.8,
        Biography=0.7,
    ),
    "criminal": _mood(
        r"crime|gangster|heist|mafia|mob\b|thieves|verbrech|gauner|crimen|atraco|mafios|braquage"
        r"|криминал|бандит|ограблен",
        Crime=1,
        Thriller=0.5,
    ),
    "western": _mood(r"western|cowboy|wild west|вестерн|ковбо", Western=1),
    "documentary": _mood(r"documenta|dokument|документ", Documentary=1),
    "violent": _mood(
        r"violen|gor(?:e|y)\b|blood|brutal|slasher|splatter|gewalt|blut|sangr|sanglant|насили"
        r"|кров|жесток",
        Horror=0.9,
        War=0.6,
        Crime=0.5,
        Action=0.5,
        Thriller=0.4,
    ),
}
"""By their names, which a language model may name too."""

TONES: Final[dict[str, Mapping[str, float]]] = {
    "light": {
        "Comedy": 1, "Family": 0.9, "Romance": 0.7, "Animation": 0.8, "Musical": 0.8, "Music": 0.7,
        "Adventure": 0.7, "Fantasy": 0.6, "Sport": 0.6,
    },
    "serious": {
        "Drama": 1, "History": 1, "Biography": 0.9, "War": 0.8, "Crime": 0.7, "Thriller": 0.7,
        "Mystery": 0.6, "Western": 0.5, "Science Fiction": 0.4,
    },
    "dark": {
        "Thriller": 1, "Crime": 0.9, "Horror": 1, "Mystery": 0.9, "War": 0.7, "Drama": 0.6,
        "Science Fiction": 0.5,
    },
}  # fmt: skip
"""How well a genre suits a tone. `balanced` wants nothing."""
AGAINST: Final[dict[str, Mapping[str, float]]] = {
    "light": {
        "Horror": 0.6, "War": 0.6, "Crime": 0.45, "Thriller": 0.45, "History": 0.2, "Western": 0.2,
        "Drama": 0.15,
    },
    "serious": {"Comedy": 0.45, "Family": 0.45, "Animation": 0.45, "Musical": 0.45},
    "dark": {"Comedy": 0.5, "Family": 0.6, "Animation": 0.45, "Musical": 0.5, "Romance": 0.3},
}  # fmt: skip
"""How much a genre speaks against a tone."""

CLAUSES = re.compile(r"[.,;:!?()\n]|\b(?i:but|however|pero|sino|aber|sondern|mais|но)\b")
NEGATION = re.compile(
    r"\b(?:no|not|non|without|avoid\w*|hates?|dislikes?|never|nothing|nor|neither|don t|doesn t"
    r"|isn t|less|sin|nada|nunca|evit\w*|odio|ohne|kein\w*|nicht|nie|hasse|vermeide\w*|sans|pas"
    r"|jamais|deteste|без|не|нет|ни|никак\w*|ненавижу)\b"
)
REACH = 3
"""So many words after a negation are what is not wanted, and what follows them by `or`."""
OR = frozenset(("or", "and", "nor", "o", "ni", "y", "oder", "und", "ou", "et", "или", "и", "ни"))

MINUTES = re.compile(
    r"(?:under|less than|at most|max\w*|up to|below|shorter than|menos de|unter|weniger als"
    r"|hochstens|moins de|менее|меньше|до) (\d{2,3}) ?(?:m|minut\w*|мин\w*)\b"
)
HOURS = re.compile(
    r"(?:under|less than|at most|max\w*|up to|below|menos de|unter|weniger als|moins de|менее"
    r"|меньше|до) (?:two|2|dos|zwei|deux|двух) (?:h|hours?|horas?|stunden|heures?|часов)\b"
)
SHORT = re.compile(
    r"\b(?:not (?:too |so |very )?long|no long|short(?:er)? (?:film|movie|one)|something short"
    r"|no (?:muy |demasiado )?larg[ao]|corta\b|nicht (?:zu )?lang|kurz|pas (?:trop )?long|courte?\b"
    r"|не (?:слишком |очень )?длинн|коротк)"
)
SHORT_MINUTES, TWO_HOURS = 125, 120
SAFE = re.compile(r"\b(?:safe (?:pick|bet|choice)|crowd ?pleas|everybody likes)")
SURPRISING = re.compile(r"\b(?:surpris|hidden gem|obscure|unknown|sorprend|uberrasch|surprenan)")
