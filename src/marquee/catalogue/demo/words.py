"""The words of the synthetic catalogue: of titles, of names, and what each genre is about."""

from dataclasses import dataclass


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


NOUNS = _words("""
night day heart river city house king queen road sea fire shadow light summer winter moon star
garden door mirror stranger letter secret promise dream storm island train bridge forest mountain
river wolf raven tiger lion dog horse crow swan fox child daughter son brother sister mother father
widow bride soldier thief doctor captain pilot sailor painter dancer singer boxer gambler hunter
witness lawyer judge killer spy ghost witch dragon giant angel devil monster robot machine clock
watch key map ring crown sword knife gun bullet mask glass stone gold silver iron salt snow rain
wind dust smoke ash blood bone skin eye hand voice song dance waltz piano violin drum radio book
page story lie truth word name number code game card wheel circle line wall tower window room attic
cellar kitchen hotel station harbour market school prison church castle palace farm field valley
desert coast border frontier village street avenue corner park lake ocean wave tide current well
orchard apple orange lemon rose lily violet thorn leaf root seed harvest feast bread wine coffee tea
sugar honey milk fever wound scar cure poison memory silence echo whisper scream laughter tears
smile kiss love hate anger pride shame mercy grace glory honour fortune fate chance hour minute year
century morning evening midnight dawn dusk sunset horizon sky cloud thunder lightning planet comet
orbit signal station voyage journey passage escape return arrival departure farewell reunion wedding
funeral trial verdict crime heist robbery chase hunt siege battle war peace treaty empire kingdom
republic colony legend myth tale ballad opera circus carnival theatre cinema picture portrait
landscape sketch colour
""")
ADJECTIVES = _words("""
last first lost hidden secret silent broken golden silver red black white blue green crimson dark
bright long short old new young wild quiet strange distant endless final forgotten forbidden frozen
burning falling rising sleeping dancing running flying sinking crooked invisible perfect beautiful
ugly cruel gentle savage holy sacred wicked innocent guilty honest faithful reckless restless lonely
single double third seventh hundredth little great grand tiny giant hollow empty open closed deep
shallow high low early late sudden slow swift bitter sweet warm cold electric mechanical wooden
glass iron paper royal noble common ordinary impossible unlikely unfinished accidental borrowed
stolen northern southern eastern western midnight winter
""")
PLACES = _words("""
Lisbon Trieste Marseille Antwerp Bergen Riga Odessa Tangier Cairo Samarkand Lahore Madras Rangoon
Hanoi Macau Kyoto Osaka Busan Vladivostok Anchorage Vancouver Seattle Reno Tucson Laredo Veracruz
Havana Cartagena Lima Valparaíso Montevideo Recife Dakar Lagos Luanda Nairobi Zanzibar Beirut Aleppo
Istanbul Salonika Naples Palermo Bilbao Nantes Bruges Bremen Gdańsk Kraków Prague Vienna Graz
Ljubljana Belfast Galway Glasgow Aberdeen Cardiff Bristol Hull Brighton Tromsø Reykjavík Malmö Turku
Yorkshire Cornwall Brittany Andalusia Sicily Transylvania Bohemia Bavaria Patagonia Queensland
Tasmania Oklahoma Wyoming Louisiana Alaska Siberia Mongolia
""")
FIRST_NAMES = _words("""
Ada Adrian Agnes Alan Albert Alice Amara Amélie Ana Anders André Anita Anton Arthur Astrid Aya
Barbara Beatrice Ben Bianca Boris Bruno Camille Carl Carmen Cecil Chen Chloé Clara Claude Colin Cora
Dagmar Daniel David Delia Diego Dinah Dmitri Dora Edith Edgar Elena Elias Elsa Emil Emma Erik Esther
Eva Farid Fatima Felix Fiona Flora François Frank Freya George Gina Giulia Grace Greta Gustav Hanna
Harold Hassan Hélène Henry Hugo Ida Ines Ingrid Irene Isaac Ivan Jack Jana Javier Jean Joan Johan
José Judith Julia Kai Karen Karim Kate Kenji Klara Lars Laura Leila Leo Lena Li Lin Louis Lucia Luis
Magda Malik Marco Margot Maria Martin Mei Mikhail Mina Mira Nadia Naomi Nils Nina Noah Nora Olga
Oliver Omar Oscar Otto Pablo Paul Pedro Petra Philip Priya Rafael Rania Ravi Rita Robert Rosa Ruth
Salma Samuel Sara Selma Simon Sofia Stefan Susan Tariq Thea Theo Thomas Tomás Uma Ursula Vera Victor
Wanda Walter Wei Yara Yuki Yusuf Zoe Zora
""")

ONSETS = _words("b br c ch d dr f fl g gr h j k kl l m n p pr qu r s sh st t th tr v w z")
VOWELS = _words("a e i o u ae ai ea ee ie io oa ou")
CODAS = _words("l m n r s t x ck ld lm nd nt rd rk rn rth sk ss st th")
ENDINGS = _words("a e i o y an en er is on or us ard ell ett ine ing ar eth um")
FAMILY_ENDINGS = _words(
    "ley man sen son ton ville wick berg ski etti ova ez ard ell ett ine ing us"
)
"""Parts of the words that nobody has heard of: an onset, a vowel, a coda and an ending make one."""


@dataclass(frozen=True)
class Genre:
    """What a genre is like: how common it is, its usual minutes, and what happens in it."""

    name: str
    weight: int
    minutes: int
    people: tuple[str, ...]
    deeds: tuple[str, ...]


@dataclass(frozen=True)
class Country:
    """Where titles come from: its language, the language's code, and how common it is."""

    name: str
    language: str
    code: str
    weight: int


GENRES = (
    Genre(
        "Drama",
        34,
        108,
        ("a schoolteacher", "an ageing violinist", "a factory worker", "an estranged sister"),
        ("faces an old debt", "returns to a family farm", "hides a grave illness from a daughter"),
    ),
    Genre(
        "Comedy",
        22,
        96,
        ("a hapless waiter", "a bankrupt hotelier", "a jealous flatmate", "an overbearing aunt"),
        ("pretends to be a count", "ruins a wedding", "wins a goat in a raffle"),
    ),
    Genre(
        "Romance",
        13,
        104,
        ("a shy florist", "a travelling pianist", "a secret pen friend", "a jilted baker"),
        ("falls for a rival", "writes love letters in another name", "misses the last ferry"),
    ),
    Genre(
        "Thriller",
        12,
        107,
        ("a court stenographer", "a night nurse", "a disgraced agent", "a deaf witness"),
        ("overhears a murder plot", "is hunted across the city", "wakes up with a false passport"),
    ),
    Genre(
        "Action",
        11,
        112,
        ("a retired commando", "a getaway driver", "a bodyguard", "a rescue pilot"),
        ("storms a hijacked freighter", "outruns an army of mercenaries", "defuses a stolen bomb"),
    ),
    Genre(
        "Crime",
        10,
        109,
        ("a corrupt detective", "a safe-cracker", "a mob accountant", "a small-time forger"),
        ("plans one last robbery", "informs on the syndicate", "buries the loot in a cemetery"),
    ),
    Genre(
        "Documentary",
        9,
        84,
        ("a film student", "a marine biologist", "an archivist", "a village chorister"),
        ("follows a year of fishing", "records a dying language", "opens the archives of a trial"),
    ),
    Genre(
        "Horror",
        8,
        93,
        ("a babysitter", "a lost camper", "a young priest", "a grieving father"),
        ("awakens something in the cellar", "buys a haunted mill", "is stalked by a faceless man"),
    ),
    Genre(
        "Adventure",
        8,
        114,
        ("a cartographer", "an orphaned cabin boy", "a one-legged smuggler", "a stubborn explorer"),
        ("searches for a sunken temple", "crosses the ice on foot", "steals a map from pirates"),
    ),
    Genre(
        "Mystery",
        6,
        103,
        ("an amateur sleuth", "a village doctor", "a retired inspector", "a librarian"),
        (
            "finds a body in the reading room",
            "solves a locked-room murder",
            "traces a missing heir",
        ),
    ),
    Genre(
        "Science Fiction",
        6,
        111,
        ("an android", "a lone astronaut", "a quantum physicist", "the captain of a colony ship"),
        ("receives a signal from Saturn", "travels back eleven minutes", "clones a lost spouse"),
    ),
    Genre(
        "Family",
        5,
        92,
        ("a lonely boy", "a bold twin", "a runaway puppy", "a clumsy grandfather"),
        ("befriends a talking badger", "saves the local circus", "builds a boat from a bathtub"),
    ),
    Genre(
        "Fantasy",
        5,
        110,
        ("an apprentice witch", "an exiled prince", "a reluctant dragon", "a blind oracle"),
        ("breaks a curse of seven winters", "steals a crown of thorns", "opens a gate of glass"),
    ),
    Genre(
        "Animation",
        4,
        83,
        ("a nervous hedgehog", "a tin robot", "a paper princess", "a singing mouse"),
        ("sails to the moon", "escapes from a toy shop", "learns to fly before the winter"),
    ),
    Genre(
        "War",
        3,
        118,
        ("a field medic", "a frightened recruit", "a deserter", "a submarine captain"),
        ("holds a bridge for three days", "hides behind enemy lines", "carries a last order"),
    ),
    Genre(
        "History",
        3,
        121,
        ("a court painter", "a young empress", "a rebel monk", "a royal midwife"),
        ("survives a palace revolt", "negotiates a fragile peace", "smuggles a banned book"),
    ),
    Genre(
        "Music",
        3,
        101,
        ("a jazz trumpeter", "a punk bassist", "a forgotten soprano", "a street drummer"),
        ("records a final album", "tours in a stolen van", "sings at a rival's funeral"),
    ),
    Genre(
        "Western",
        2,
        99,
        ("a drifter", "a one-eyed sheriff", "a widow with a ranch", "a bounty hunter"),
        ("rides into a silver town", "defends a well", "faces the railway's gunmen"),
    ),
    Genre(
        "Sport",
        2,
        105,
        ("a washed-up boxer", "a village goalkeeper", "a teenage sprinter", "a blind climber"),
        ("trains for one more season", "swims the channel", "meets the champion in the final"),
    ),
)
TURNS = (
    "But an old friend knows more than he says.",
    "Nobody in town believes a word of it.",
    "Only a child has seen what really happened.",
    "Then a letter arrives from the other side of the world.",
    "It takes one night to change everything.",
    "The price turns out to be higher than agreed.",
    "Soon there is no telling hunter from hunted.",
    "What begins as a favour ends in court.",
    "A storm leaves them no way back.",
    "The neighbours start to talk.",
)
TELLINGS = (
    "In {place}, {person} {deed}. {turn}",
    "{opening} {deed}, and all because of the {adjective} {noun}. {turn}",
    "After many years in {place}, {person} {deed}. The {noun} is only the beginning.",
    "{turn} {opening} comes home to {place}, {deed} and finds the {adjective} {noun}.",
    "{opening} {deed}. Nobody in {place} has seen the like since the {noun}. {turn}",
)
"""How a story is told."""
COUNTRIES = (
    Country("United States", "English", "en", 40),
    Country("United Kingdom", "English", "en", 10),
    Country("France", "French", "fr", 9),
    Country("India", "Hindi", "hi", 8),
    Country("Japan", "Japanese", "ja", 7),
    Country("Germany", "German", "de", 5),
    Country("Italy", "Italian", "it", 5),
    Country("Spain", "Spanish", "es", 4),
    Country("South Korea", "Korean", "ko", 3),
    Country("Sweden", "Swedish", "sv", 2),
    Country("Brazil", "Portuguese", "pt", 2),
    Country("Poland", "Polish", "pl", 2),
    Country("Mexico", "Spanish", "es", 2),
    Country("Denmark", "Danish", "da", 1),
)
NETWORKS = ("Channel Nine", "Northern", "Public One", "Canal Sud", "Meridian", "Streamline", "Kite")
AGE_RATINGS = ("G", "PG", "PG-13", "R", "NR")
FORMS = (
    "The {adjective} {noun}",
    "The {noun} of {place}",
    "{adjective} {noun}",
    "{noun} and {other}",
    "{noun} in {place}",
    "A {noun} for the {other}",
    "{noun}: The {adjective} {other}",
    "{place}, {noun}",
    "The {noun}",
    "{noun}",
)
"""What titles look like."""
STATUSES = ("ended", "ended", "returning", "canceled")
STUDIOS = (
    "{noun} Pictures",
    "{noun} Films",
    "Studio {noun}",
    "{noun} Entertainment",
    "{noun} Brothers",
)
"""What studios are called."""
SHOW_TYPES = {"Documentary": "documentary", "Comedy": "talk show", "Music": "reality"}
"""Of series with these genres and no others; the rest is scripted."""
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
TRANSLATED = {
    "de": "Das Geheimnis von {noun}",
    "es": "La noche de {noun}",
    "fr": "Les ombres de {noun}",
    "it": "Il ritorno di {noun}",
    "pt-BR": "O caminho de {noun}",
}
"""What titles look like in other languages."""
QUALITIES = (
    ("4K", "Ultra HD", 24_000, "hevc", "HDR10"),
    ("1080p", "HD", 9_000, "h264", "SDR"),
    ("1080p", "HD", 6_000, "hevc", "SDR"),
    ("720p", "HD", 4_000, "h264", "SDR"),
    ("SD", "Any", 1_500, "h264", "SDR"),
)
"""Of files: the resolution, the profile, kbit/s, the video codec and the dynamic range."""
SOUNDS = (("aac", "2.0"), ("ac3", "5.1"), ("truehd", "7.1"))
