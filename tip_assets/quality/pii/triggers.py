"""What in a call could be personal data: one scan that says which turns a detector has to look at.

A trigger finds at least every place its detector would; most turns have none and are never tokenised. The
detectors decide (detectors.py, contexts.py, dates.py, introductions.py, addresses.py, ...).
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cache

from tip_assets.quality.pii import spoken
from tip_assets.quality.pii.announcements import ANNOUNCEMENTS, Announcement
from tip_assets.quality.pii.scan import Scanner, ScanPattern, scanner_of
from tip_assets.quality.pii.states import STATE_CODES, STATE_NAMES
from tip_assets.quality.pii.street_words import STREET_SUFFIX_WORDS
from tip_assets.quality.word_lists import word_list

(
    EMAIL, URL, DOT, IP, COLONS, SSN, US_PHONE, PLUS_PHONE, LONG_DIGITS, IBAN, VIN, MEDICARE_SHAPE,
    NUMBER, CAPITALS, MONTH, NUMERIC_DATE, BIRTH, STREET, ZIP_OR_BOX, AGE, LOGIN,
    CITY_STATE, COUNTY, LIVES_IN, CITY_ASKED, LARGE_CITY,
    TITLE, INTRODUCED, I_AM, ADDRESSED, INTRODUCED_LOWER, THIS_IS_LOWER, SPELLED, ASKS_A_NAME,
    ANY_NUMBER, LETTER, CONNECTOR, MONEY,
) = range(38)  # fmt: skip
# Announcements are told by their index from here on.
FIRST_ANNOUNCEMENT = 100


def _any(words: Iterable[str]) -> str:
    return "|".join(sorted(words))


_CERTAIN_CITIES = word_list("pii", "large_cities") - word_list("pii", "ambiguous_cities")
TOP_LEVEL = "com|org|net|edu|gov|mil|info|biz|io|co|us|uk|ca|de|health|care"
_NUMBER = rf"(?:\d{{1,64}}|{_any(spoken.STARTS)})"
_LARGE = rf"(?:\d\d|{_any(spoken.LARGE_WORDS)})"
_ORDINAL = r"(?:st|nd|rd|th)?"
_MONTH = (
    "(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    "|nov(?:ember)?|dec(?:ember)?)"
)
_FILLER = r"(?:uh|um|er|and|then|dash|hyphen|so|okay|ok|like|yeah|yes|that|is|it|s|space|double|triple|treble)"
_BETWEEN = rf"[ ,'-]{{1,4}}(?:{_FILLER}[ ,'-]{{1,4}}){{0,3}}"
_CAPITAL = r"\s[A-Z]"
_NEAR_KIN = "[Hh]usband|[Ww]ife|[Ss]on|[Dd]aughter|[Mm]other|[Ff]ather|[Ss]ister|[Bb]rother"


# From 90 on, in digits or words; the same text serves the scan and the detector (ages.py).
OLD_AGE = (
    r"(?:9\d|1[0-2]\d|ninety(?:[ -](?:one|two|three|four|five|six|seven|eight|nine))?"
    r"|(?:a |one )?hundred(?: and)?(?: (?:one|two|three|four|five|six|seven|eight|nine|ten))?)"
)
AGE_SAID = (
    rf"\b{OLD_AGE}[ -]{{1,2}}(?:years?|yrs?)",
    rf"\b(?:aged?|turned|turning|turns|at the age of|age of|age is)\s{OLD_AGE}\b",
    r"\b(?:he|she|i|who|mother|father|mom|dad|husband|wife|grandmother|grandfather|patient|gran|grandma|grandpa)"
    rf"(?:'s|'m|\sis|\sam|\swas|\swill be)\s(?:now\s|almost\s|already\s|only\s)?{OLD_AGE}",
)


def patterns() -> list[ScanPattern]:
    """What the detectors need to be told of, as scan patterns."""
    return [
        ScanPattern(EMAIL, "@"),
        ScanPattern(URL, rf"://|www\.|[a-z0-9-]\.(?:{TOP_LEVEL})\b", True),
        ScanPattern(DOT, rf" dot (?:{TOP_LEVEL})\b", True),
        ScanPattern(IP, r"\d\.\d{1,3}\.\d{1,3}\.\d"),
        ScanPattern(COLONS, r"[0-9a-f]{1,4}[:-][0-9a-f]{1,4}[:-][0-9a-f]{1,4}[:-][0-9a-f]|[0-9a-f]::", True),
        ScanPattern(SSN, r"\d{3}[ -]\d{2}[ -]\d{4}"),
        ScanPattern(US_PHONE, r"[2-9]\d{2}(?:\) ?|[ .-])\d{3}[ .-]?\d{4}"),
        ScanPattern(PLUS_PHONE, r"\+\d"),
        ScanPattern(LONG_DIGITS, r"\d(?:[ -]?\d){12}"),
        ScanPattern(IBAN, r"[A-Z]{2}\d{2} ?[A-Z0-9]{4}"),
        ScanPattern(VIN, r"[A-HJ-NPR-Z0-9]{17}"),
        ScanPattern(MEDICARE_SHAPE, r"\d[A-Z][A-Z0-9]\d-?[A-Z][A-Z0-9]\d-?[A-Z]{2}\d\d", True),
        # Told once, at its end, however many digits it has.
        ScanPattern(NUMBER, r"\d{3}(?:\D|$)|\d[a-z]{1,3}\d|\d\d[ ,-]{1,3}\d", True),
        ScanPattern(NUMBER, rf"\b{_NUMBER}{_BETWEEN}{_NUMBER}{_BETWEEN}{_NUMBER}\b", True),
        ScanPattern(NUMBER, rf"\b{_NUMBER}[ ,-]{{1,3}}{_LARGE}\b|\b(?:triple|treble|quadruple) ", True),
        ScanPattern(NUMBER, rf"(?:^|[^'a-z0-9])[b-hj-z][ ,.-]{{1,3}}{_NUMBER}\b", True),
        ScanPattern(CAPITALS, r"(?:^|[^A-Za-z])[A-Z]{2,5}(?:$|[^A-Za-z])"),
        ScanPattern(MONTH, rf"\b{_MONTH}[ ,.'-]{{1,3}}(?:of |in |the )?'?{_NUMBER}{_ORDINAL}\b", True),
        ScanPattern(MONTH, rf"\b{_NUMBER}{_ORDINAL}[ ,-]{{1,3}}(?:of )?{_MONTH}\b", True),
        ScanPattern(BIRTH, r"\b(?:date of birth|birth ?da(?:te|y)|born|d\.?o\.?b)\b", True),
        ScanPattern(NUMERIC_DATE, r"\d[/.-]\d{1,2}[/.-]\d"),
        ScanPattern(
            STREET,
            rf"\b(?:{_NUMBER}{_ORDINAL})(?:[^\w,!?;:$]{{1,3}}\w{{1,30}}){{0,5}}[^\w,!?;:$]{{1,3}}"
            rf"(?:{_any(STREET_SUFFIX_WORDS)})\b",
            True,
        ),
        ScanPattern(ZIP_OR_BOX, r"p\.?\s?o\.?\s?box|[a-z],?\s{1,2}\d{5}\b", True),
        *(ScanPattern(AGE, said, True) for said in AGE_SAID),
        ScanPattern(
            LOGIN,
            r"\b(?:user ?name|user id|log ?in|screen name|logged in as|password|passphrase|security word)\b",
            True,
        ),
        ScanPattern(CITY_STATE, rf"[a-z]\.?, (?:{STATE_CODES}|{STATE_NAMES})\b"),
        ScanPattern(COUNTY, r"[a-z] (?:County|Parish|Township|Borough)\b"),
        ScanPattern(
            LIVES_IN,
            r"\b(?:live|lives|lived|living|moved|moving|relocated|born|raised|grew up|based|residing|resides?|stay"
            r"|staying)(?: (?:over|out|here|down|up|back|to|right|just))? (?:in|to|near|at|from|outside) [a-z]",
            True,
        ),
        ScanPattern(
            CITY_ASKED, r"\b(?:what|which|your) (?:city|town|county)\b[^?.!\x00]{0,60}\?|\bcity and state\b", True
        ),
        ScanPattern(LARGE_CITY, rf"\b(?:{_any(city.replace('_', ' ') for city in _CERTAIN_CITIES)})\b", True),
        ScanPattern(TITLE, rf"\b(?:Mr|Mrs|Ms|Dr|Miss|Mister|Doctor|Nurse|Prof|Professor)\.?{_CAPITAL}"),
        ScanPattern(
            INTRODUCED,
            r"\b(?:[Mm]y name is|[Mm]y name's|[Tt]he name is|[Nn]ame's|[Tt]his is|[Ss]peaking with|[Ss]poke (?:with|to)"
            r"|[Tt]alking to|[Cc]all me|[Aa]sk for|(?:[Ff]irst|[Ll]ast|[Ff]ull|[Mm]iddle|[Mm]aiden) name is"
            rf"|[Uu]nder the name|[Nn]amed|{_NEAR_KIN}),?\s(?:(?:uh|um|it's|is),?\s)?[A-Z]",
        ),
        ScanPattern(I_AM, rf"\b(?:I'm|I am|[Ii]t's){_CAPITAL}"),
        ScanPattern(
            ADDRESSED,
            r"\b(?:[Tt]hank you|[Tt]hanks|[Hh]i|[Hh]ello|[Gg]ood (?:morning|afternoon|evening)|[Oo]kay|[Ss]orry|[Bb]ye)"
            rf"(?: so much| very much| there)?,?{_CAPITAL}",
        ),
        ScanPattern(INTRODUCED_LOWER, r"\bname(?: is|'s)\s[a-z]"),
        ScanPattern(
            THIS_IS_LOWER, r"\bthis is [a-z]{2,20}(?: [a-z]{2,20})?(?:,| (?:with|from|at|calling|speaking|in)\b)"
        ),
        ScanPattern(SPELLED, r"\b[A-Za-z](?:[-.,]\s?[A-Za-z]){2}\b"),
        ScanPattern(ASKS_A_NAME, r"\bname\b[^?.!\x00]{0,80}\?", True),
        *(
            ScanPattern(FIRST_ANNOUNCEMENT + index, rf"\b(?:{announcement.words})\b", True)
            for index, announcement in enumerate(ANNOUNCEMENTS)
        ),
    ]


def fact_patterns() -> list[ScanPattern]:
    """More turns to look at where the speakers' facts are known: they may be said in small pieces."""
    return [
        # "one" is mostly no number: "that one", "one moment".
        ScanPattern(ANY_NUMBER, rf"\d(?:\D|$)|\b(?:{_any(spoken.PLAIN_NUMBERS - {'one'})})\b", True),
        ScanPattern(
            ANY_NUMBER, rf"(?:^|[\x00,.:;-] ?|\b{_NUMBER}[ ,-]{{1,3}})one\b|\bone[ ,-]{{1,3}}{_NUMBER}\b", True
        ),
        ScanPattern(LETTER, r"(?:^|[^'a-z0-9])[b-hj-z](?:$|[^a-z0-9'])|\bas in\b|\d[a-z]|[a-z]\d", True),
        ScanPattern(LETTER, rf"\b(?:{_any(spoken.LETTER_WORDS)})[ ,.-]{{1,3}}(?:{_any(spoken.LETTER_WORDS)})\b", True),
        # "a" and "I" are words, unless they are spelled: "A-I", "I for India", or all that a turn says.
        ScanPattern(LETTER, r"\b[ai][^a-z0-9]{1,3}for [a-z]", True),
        ScanPattern(LETTER, r"(?:^|[^'a-z0-9])[ai][ ,.-]{1,2}[ai](?:$|[^a-z0-9'])", True),
        ScanPattern(LETTER, r"(?:^|\x00)[ ,.-]{0,3}[ai][ ,.?!-]{0,3}(?:$|\x00)", True),
        ScanPattern(CONNECTOR, r"\b(?:dot|underscore|dash|hyphen)\b|@", True),
        # Other currencies than the dollar are no ASCII, so what the scan is given shows a question mark.
        ScanPattern(MONEY, r"[$?]\s?\d|\d\s(?:dollars|bucks|cents|percent)\b"),
    ]


@cache
def scanner() -> Scanner:
    """Tells of what the detectors need; compiled once per process."""
    return scanner_of(patterns())


@cache
def fact_scanner() -> Scanner:
    """Tells of what known facts need besides. One scanner of all patterns would take twice as long to compile."""
    return scanner_of(fact_patterns())


class Triggers:
    """The hits of one call, by kind and turn."""

    def __init__(self, text: bytes, turn_starts: Sequence[int], *, knows_facts: bool = False) -> None:
        """Scans a call.

        Args:
            text: Of the call, as ASCII (`as_ascii`).
            turn_starts: Where in it each turn begins.
            knows_facts: Facts of its speakers are searched for, too.
        """
        self._turns: dict[int, set[int]] = defaultdict(set)
        announced: list[tuple[int, int]] = []
        turn, begins, ends, last_kind = 0, 0, -1, -1
        hits = scanner().scan(text)
        if knows_facts:
            hits += fact_scanner().scan(text)
        for kind, end in hits:
            if kind >= FIRST_ANNOUNCEMENT:
                announced.append((end, kind - FIRST_ANNOUNCEMENT))
                continue
            # Hits come in order or nearly, many to a turn and many of one kind.
            if begins < end <= ends:
                if kind == last_kind:
                    continue
            else:
                turn = bisect_right(turn_starts, end - 1) - 1
                begins = turn_starts[turn]
                ends = turn_starts[turn + 1] if turn + 1 < len(turn_starts) else len(text)
            self._turns[kind].add(turn)
            last_kind = kind
        announced.sort()
        self._announced = announced
        self._announced_ends = [end for end, _ in announced]

    def __contains__(self, kind: int) -> bool:
        return kind in self._turns

    def turns(self, *kinds: int) -> Sequence[int]:
        """The turns with a hit of any of the kinds, in order."""
        found = [self._turns[kind] for kind in kinds if kind in self._turns]
        return sorted(set().union(*found)) if found else ()

    def announced_within(self, start: int, end: int) -> list[Announcement]:
        """What the words of a stretch of text announce, the nearest to its end first, each once."""
        first = bisect_right(self._announced_ends, start)
        last = bisect_right(self._announced_ends, end, first)
        if first == last:
            return []
        if last - first == 1:
            return [ANNOUNCEMENTS[self._announced[first][1]]]
        nearest: dict[int, int] = {}
        for ends, index in self._announced[first:last]:
            nearest[index] = -ends
        return [ANNOUNCEMENTS[index] for index in sorted(nearest, key=lambda index: (nearest[index], index))]
