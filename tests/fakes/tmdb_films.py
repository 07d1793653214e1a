"""The films that the fake TMDB knows.

Titles, dates, lengths and ids are those of the real films; overviews, votes and popularity are
invented. The last one has been announced only: it lacks all that such entries of TMDB lack.
"""

from typing import NamedTuple

GENRES = {
    28: "Action",
    12: "Adventure",
    16: "Animation",
    35: "Comedy",
    80: "Crime",
    99: "Documentary",
    18: "Drama",
    10751: "Family",
    14: "Fantasy",
    36: "History",
    27: "Horror",
    10402: "Music",
    9648: "Mystery",
    10749: "Romance",
    878: "Science Fiction",
    10770: "TV Movie",
    53: "Thriller",
    10752: "War",
    37: "Western",
}
LANGUAGES = {
    "de": "Deutsch",
    "en": "English",
    "fr": "Français",
    "it": "Italiano",
    "ja": "日本語",
    "ko": "한국어/조선말",
    "ru": "Pусский",  # noqa: RUF001 - as TMDB writes it, with a Latin P
}
ENGLISH = {
    "de": "German",
    "en": "English",
    "fr": "French",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "ru": "Russian",
}
COUNTRIES = {"de": "DE", "en": "US", "fr": "FR", "it": "IT", "ja": "JP", "ko": "KR", "ru": "RU"}
COUNTRY_NAMES = {
    "DE": "Germany",
    "FR": "France",
    "IT": "Italy",
    "JP": "Japan",
    "KR": "South Korea",
    "RU": "Russia",
    "US": "United States of America",
}
TRANSLATIONS = {
    "de": {238: "Der Pate", 289: "Casablanca", 680: "Pulp Fiction", 8587: "Der König der Löwen"},
    "fr": {238: "Le Parrain", 105: "Retour vers le futur", 8587: "Le Roi lion"},
}
"""Titles in other languages. Nobody has translated the overviews."""


class Film(NamedTuple):
    """One film. `minutes` 0, `released` "" and `certification` "" mean that nobody knows."""

    id: int
    imdb_id: str
    title: str
    original_title: str
    language: str
    released: str
    minutes: int
    genres: tuple[int, ...]
    certification: str
    popularity: float
    vote_average: float
    vote_count: int
    overview: str


TABLE = """
550|tt0137523|Fight Club||en|1999-10-15|139|18|R|91.5|8.44|29410|A man who cannot sleep meets a seller of soap, and they start a club that nobody may mention.
603|tt0133093|The Matrix||en|1999-03-31|136|28,878|R|98.2|8.22|25990|A programmer learns that the world he lives in is a program too.
604|tt0234215|The Matrix Reloaded||en|2003-05-15|138|12,28,53,878|R|55.1|7.07|10630|The last city prepares for a siege while its hero looks for the door that ends the war.
238|tt0068646|The Godfather||en|1972-03-14|175|18,80|R|152.7|8.69|20610|The youngest son of a family of gangsters wanted no part in its business, and inherits it.
240|tt0071562|The Godfather Part II||en|1974-12-20|202|18,80|R|88.4|8.57|12440|A father's rise and his son's fall, told side by side.
278|tt0111161|The Shawshank Redemption||en|1994-09-23|142|18,80|R|160.3|8.71|27120|A banker is locked up for life and does not give up hope, nor his small hammer.
680|tt0110912|Pulp Fiction||en|1994-09-10|154|53,80|R|84.9|8.49|27800|Two hired killers, a boxer, a gangster's wife and a pair of robbers cross each other's days.
13|tt0109830|Forrest Gump||en|1994-06-23|142|35,18,10749|PG-13|79.3|8.48|27330|A man of few words runs through thirty years of his country's history.
155|tt0468569|The Dark Knight||en|2008-07-16|152|18,28,80,53|PG-13|131.6|8.52|32960|A city's masked guardian meets a clown who wants nothing but to see it burn.
27205|tt1375666|Inception||en|2010-07-15|148|28,878,12|PG-13|118.8|8.37|36710|A thief of dreams is asked to leave something there instead.
157336|tt0816692|Interstellar||en|2014-11-05|169|12,18,878|PG-13|189.4|8.45|36030|A pilot leaves his children to look for another home for all people, and time is not on his side.
11|tt0076759|Star Wars||en|1977-05-25|121|12,28,878|PG|97.7|8.20|20540|A farm boy, a smuggler and a princess take on an empire and its largest weapon.
1891|tt0080684|The Empire Strikes Back||en|1980-05-20|124|12,28,878|PG|48.0|8.40|17020|The rebels scatter in the snow, and the hero learns who his father is.
1892|tt0086190|Return of the Jedi||en|1983-05-25|132|12,28,878|PG|46.2|7.90|15600|A second great weapon, a forest full of small allies, and a last duel in the family.
120|tt0120737|The Lord of the Rings: The Fellowship of the Ring||en|2001-12-18|179|12,14,28|PG-13|122.2|8.41|25100|Nine set out to throw a ring into the fire that it came from.
121|tt0167261|The Lord of the Rings: The Two Towers||en|2002-12-18|179|12,14,28|PG-13|101.0|8.40|21730|The company is broken, and each part of it finds its own war.
122|tt0167260|The Lord of the Rings: The Return of the King||en|2003-12-17|201|12,14,28|PG-13|109.9|8.48|24110|A king comes home, and two small travellers reach the mountain.
129|tt0245429|Spirited Away|千と千尋の神隠し|ja|2001-07-20|125|16,10751,14|PG|92.6|8.53|16480|A girl must work in a bath house for spirits until she finds her name again.
8392|tt0096283|My Neighbor Totoro|となりのトトロ|ja|1988-04-16|86|14,16,10751|G|57.5|8.07|8130|Two sisters move to the country and find that the forest has a keeper.
128|tt0119698|Princess Mononoke|もののけ姫|ja|1997-07-12|134|12,14,16|PG-13|61.9|8.33|8160|A cursed prince stands between a town of iron and the gods of the wood.
496243|tt6751668|Parasite|기생충|ko|2019-05-30|133|35,53,18|R|74.4|8.50|18340|A poor family finds work in a rich one's house, one after the other, and something in its cellar.
424|tt0108052|Schindler's List||en|1993-12-15|195|18,36,10752|R|66.6|8.57|15800|A manufacturer who came to profit from a war spends all he has on saving his workers.
389|tt0050083|12 Angry Men||en|1957-04-10|97|18|NR|48.8|8.55|8700|Eleven jurors are sure, and one asks them to talk it over.
497|tt0120689|The Green Mile||en|1999-12-10|189|14,18,80|R|76.5|8.50|17300|Guards of a death row meet a prisoner who can heal.
429|tt0060196|The Good, the Bad and the Ugly|Il buono, il brutto, il cattivo|it|1966-12-22|161|37|R|59.9|8.46|8550|Three men look for buried gold in the middle of somebody else's war.
769|tt0099685|GoodFellas||en|1990-09-12|145|18,80|R|60.1|8.46|12800|Thirty years of a gangster's life, from the first errand to the last phone call.
539|tt0054215|Psycho||en|1960-06-22|109|27,53,9648|R|52.3|8.42|10020|A woman with stolen money stops at a motel whose owner loves his mother too well.
62|tt0062622|2001: A Space Odyssey||en|1968-04-02|149|878,9648,12|G|49.7|8.07|11700|A black stone, a bone, a ship and the machine that steers it.
348|tt0078748|Alien||en|1979-05-25|117|27,878|R|83.0|8.16|14600|Seven sleepers are woken by a call from a planet where nobody should be.
679|tt0090605|Aliens||en|1986-07-18|137|28,53,878|R|64.0|7.95|9640|The only survivor goes back, with soldiers, to find that they are too few.
78|tt0083658|Blade Runner||en|1982-06-25|118|878,18,53|R|58.9|7.94|13800|A tired policeman hunts artificial people who want to live a little longer.
335984|tt1856101|Blade Runner 2049||en|2017-10-04|164|878,18|R|81.1|7.57|13700|Thirty years later another hunter finds bones that should not exist.
329|tt0107290|Jurassic Park||en|1993-06-11|127|12,878|PG-13|45.5|7.95|16400|A park of living dinosaurs is shown to its first guests, and its fences fail.
105|tt0088763|Back to the Future||en|1985-07-03|116|12,35,878|PG|78.2|8.31|19900|A boy is sent thirty years back by a car and must see to it that his parents meet.
862|tt0114709|Toy Story||en|1995-10-30|81|16,12,10751,35|G|107.0|7.97|18300|A cowboy doll is the favourite until a space ranger comes out of a box.
8587|tt0110357|The Lion King||en|1994-06-24|89|16,18,10751|G|94.1|8.26|18500|A cub runs away from what he thinks he has done, and must come back to be king.
597|tt0120338|Titanic||en|1997-11-18|194|18,10749|PG-13|128.0|7.91|25300|A painter without money and a girl without freedom meet on a ship that will not arrive.
19995|tt0499549|Avatar||en|2009-12-15|162|28,12,14,878|PG-13|99.6|7.58|31500|A soldier in a borrowed body has to choose between two peoples.
24428|tt0848228|The Avengers||en|2012-04-25|143|878,28,12|PG-13|92.9|7.72|31000|Six heroes who cannot stand each other have one city to save.
299536|tt4154756|Avengers: Infinity War||en|2018-04-25|149|12,28,878|PG-13|137.3|8.24|30200|A giant looks for six stones to do away with half of all life.
299534|tt4154796|Avengers: Endgame||en|2019-04-24|181|12,878,28|PG-13|126.4|8.25|26000|Those who are left try to undo it.
1398|tt0079944|Stalker|Сталкер|ru|1979-05-25|162|878,18|NR|28.8|8.12|2260|A guide leads a writer and a professor to a room where wishes come true.
593|tt0069293|Solaris|Солярис|ru|1972-03-20|167|18,878,9648|PG|25.3|7.70|1690|On a station above a thinking sea a scientist is visited by his dead wife.
194|tt0211915|Amélie|Le Fabuleux Destin d'Amélie Poulain|fr|2001-04-25|122|35,10749|R|47.2|7.91|11600|A waitress decides to mend other people's lives, and forgets her own.
346|tt0047478|Seven Samurai|七人の侍|ja|1954-04-26|207|28,18|NR|41.4|8.46|3700|Farmers hire seven swordsmen for the price of rice.
807|tt0114369|Se7en||en|1995-09-22|127|80,9648,53|R|86.7|8.38|21300|Two detectives follow a murderer who works through a list of sins.
274|tt0102926|The Silence of the Lambs||en|1991-02-14|119|80,18,53|R|69.5|8.35|16700|A trainee asks one murderer to help her find another.
101|tt0110413|Léon: The Professional|Léon|fr|1994-09-14|111|80,18,28|R|71.8|8.30|14800|A killer who keeps only a plant takes in the girl from next door.
289|tt0034583|Casablanca||en|1943-01-15|102|18,10749|PG|33.6|8.16|5300|The owner of a bar holds two letters that would let two people go, one of whom he loves.
15|tt0033467|Citizen Kane||en|1941-04-17|119|9648,18|PG|30.9|8.00|5400|A reporter asks everyone who knew a rich man what his last word meant.
438631|tt1160419|Dune||en|2021-09-15|155|878,12|PG-13|143.9|7.79|12700|The heir of a great house comes to a desert that everybody wants.
872585|tt15398776|Oppenheimer||en|2023-07-19|181|18,36|R|147.1|8.07|9500|A physicist builds a weapon, and is asked what he thinks of it.
346698|tt1517268|Barbie||en|2023-07-19|114|35,12|PG-13|112.5|7.00|9800|A doll leaves her perfect town to find out why she thinks of death.
1999999||The Untitled Sequel||en||0|||0.6|0.0|0|
"""  # noqa: E501 - a line is a film


def _film(line: str) -> Film:
    (film, imdb, title, original, language, day, minutes, genres, rating, *numbers, overview) = (
        line.split("|")
    )
    popularity, average, votes = numbers
    return Film(
        int(film),
        imdb,
        title,
        original or title,
        language,
        day,
        int(minutes),
        tuple(int(genre) for genre in genres.split(",") if genre),
        rating,
        float(popularity),
        float(average),
        int(votes),
        overview,
    )


FILMS = {film.id: film for film in map(_film, TABLE.strip().splitlines())}
