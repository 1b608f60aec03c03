"""Ways of writing and saying a personal fact, made from the fact alone and apart from any detector.

Each form is (its name, the texts of the speaker's turns); two texts mean that the other speaker cut in between.
"""

import random
import re
from collections.abc import Iterator
from datetime import datetime

from tip_resources.domain.persona import PersonalFact

Form = tuple[str, tuple[str, ...]]
_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TEENS = ("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_FIRST_ORDINALS = (
    "", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh",
    "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth",
    "twentieth",
)  # fmt: skip
_EXAMPLE_WORDS = (
    "apple", "boy", "cat", "dog", "egg", "fox", "girl", "house", "igloo", "john", "king", "lion", "moon", "night",
    "open", "peter", "quiz", "rain", "sun", "table", "under", "vase", "window", "xylophone", "yes", "zoo",
)  # fmt: skip
_EXAMPLES = {word[0]: word for word in _EXAMPLE_WORDS}


def forms_of_fact(fact: PersonalFact, draw: random.Random) -> Iterator[Form]:
    """Every form of a fact that the benchmark plants."""
    yield "written", (fact.value,)
    yield "lower case", (fact.value.lower(),)
    yield "upper case", (fact.value.upper(),)
    yield "misspelt capitals", ("".join(draw.choice((c.lower(), c.upper())) for c in fact.value),)
    for said in fact.spoken:
        yield "spoken, as planned", (said,)
    said = fact.spoken[0] if fact.spoken else fact.value
    yield "no punctuation", (re.sub(r"[^\w\s@]", " ", said).lower(),)
    yield from _by_kind(fact, draw)


def _by_kind(fact: PersonalFact, draw: random.Random) -> Iterator[Form]:
    if fact.type == "NAME":
        yield from _name(fact.value, draw)
    elif fact.type == "DATE_OF_BIRTH":
        yield from _date(fact.value, draw)
    elif fact.type == "EMAIL":
        yield from _email(fact.value, draw)
    elif fact.type == "ADDRESS":
        yield from _address(fact.value)
    else:
        yield from _code(fact.value, draw)


def _name(value: str, draw: random.Random) -> Iterator[Form]:
    words = value.split()
    word = draw.choice(words)
    letters = [letter for letter in word if letter.isalpha()]
    yield "possessive", (f"{word}'s",)
    yield "spelled with hyphens", ("-".join(letters).upper(),)
    yield "spelled with spaces, lower case", (" ".join(letters).lower(),)
    yield "spelled with commas", (", ".join(letters).upper(),)
    yield "spelled as in", (", ".join(f"{letter.upper()} as in {_EXAMPLES[letter.lower()]}" for letter in letters),)
    yield "spelled, some as in", (", ".join(_some_as_in(letters, draw)),)
    if len(words) > 1:
        yield "last name first", (f"{words[-1]}, {words[0]}",)
        yield "with an initial", (f"{words[0]} J. {words[-1]}",)
        yield "split over turns", (words[0], words[-1])
        number = draw.randint(1, 99)
        yield "as a user name", (f"{words[0]}{words[-1]}{number}",)
        yield "as a user name, with an initial", (f"{words[0][0]}_{words[-1]}{number}".lower(),)
    yield "spelled a letter a turn", tuple(letters)
    cut = max(1, len(letters) // 2)
    yield "spelling split over turns", ("-".join(letters[:cut]).upper(), "-".join(letters[cut:]).upper())


def _some_as_in(letters: list[str], draw: random.Random) -> Iterator[str]:
    for letter in letters:
        yield f"{letter.upper()} as in {_EXAMPLES[letter.lower()]}" if draw.random() < 0.4 else letter.upper()


def _date(value: str, draw: random.Random) -> Iterator[Form]:
    day = datetime.strptime(value, "%m/%d/%Y").date()
    month, ordinal = f"{day:%B}", _ordinal(day.day)
    yield "date in words", (f"{month} {ordinal} {_year(day.year)}",)
    yield "date in words", (f"the {ordinal} of {month.lower()}, {_year(day.year)}",)
    yield "date written long", (f"{month} {day.day}, {day.year}",)
    yield "date written long", (f"{day.day} {month} {day.year}",)
    yield "date written short", (f"{month[:3]} {day.day} {day.year}",)
    yield "date, ISO", (day.isoformat(),)
    yield "date, digits only", (f"{day:%m%d%Y}",)
    yield "day and month", (f"{month} {ordinal}",)
    yield "dictated date", (f"{_two(day.month)} {_two(day.day)} {_two(day.year % 100)}",)
    yield "split over turns", (month, ordinal)


def _email(value: str, draw: random.Random) -> Iterator[Form]:
    local, host = value.split("@")
    said_host = host.replace(".", " dot ")
    said = " ".join(_local_words(local))
    yield "spoken e-mail", (f"{said} at {said_host}",)
    yield "spelled e-mail", (f"{' '.join(_local_letters(local))} at {said_host}",)
    yield "spelled e-mail", (f"{'-'.join(_local_letters(local))} at {said_host}",)
    yield "e-mail, local part alone", (said,)
    yield "split over turns", (said, f"at {said_host}")


def _local_words(local: str) -> Iterator[str]:
    for part in re.findall(r"[a-z]+|\d+|[._]", local.lower()):
        yield {".": "dot", "_": "underscore"}.get(part) or (_pairs(part) if part.isdigit() else part)


def _local_letters(local: str) -> Iterator[str]:
    for char in local.lower():
        yield {".": "dot", "_": "underscore"}.get(char) or (_DIGITS[int(char)] if char.isdigit() else char)


def _address(value: str) -> Iterator[Form]:
    street = value.split(",", maxsplit=1)[0]
    number, rest = street.split(" ", 1)
    zip_code = value[-5:]
    yield "street line", (street,)
    yield "house number in words", (f"{_one_by_one(number)} {rest}",)
    yield "house number in words", (f"{_pairs(number)} {rest}",)
    yield "ZIP", (zip_code,)
    yield "ZIP in words", (_one_by_one(zip_code, "oh"),)
    yield "split over turns", (street, value.split(",", 1)[1].strip())


def _code(value: str, draw: random.Random) -> Iterator[Form]:
    letters, digits = "".join(filter(str.isalpha, value)), "".join(filter(str.isdigit, value))
    head = f"{' '.join(letters)} " if letters else ""
    spelled = "".join(f"{c} as in {_EXAMPLES[c.lower()]}, " for c in letters)
    groups = [digits[place : place + 3] for place in range(0, len(digits), 3)]
    yield "digits run together", (letters + digits,)
    yield "groups with dashes", ((head + "-".join(groups)).strip(),)
    yield "digit by digit", (head + _one_by_one(digits),)
    yield "digit by digit with oh", (head + _one_by_one(digits, "oh"),)
    yield "with commas", (head + ", ".join(_one_by_one(group) for group in groups),)
    yield "in pairs", (head + _pairs(digits),)
    yield "with doubles", (head + _doubles(digits),)
    yield "letters as in", (spelled + _one_by_one(digits),)
    yield "words and figures mixed", (head + " ".join(g if n % 2 else _one_by_one(g) for n, g in enumerate(groups)),)
    yield "hesitating", (head + ", uh, ".join(_one_by_one(group) for group in groups),)
    yield "last four", (f"it ends in {digits[-4:]}",)
    yield "last four in words", (f"the last four are {_one_by_one(digits[-4:])}",)
    cut = draw.randrange(3, len(digits) - 2)
    yield "split over turns", (head + _one_by_one(digits[:cut]), _one_by_one(digits[cut:]))
    yield "split over turns, figures", (head + digits[:cut], digits[cut:])
    third = len(digits) // 3
    pieces = (digits[:third], digits[third : 2 * third], digits[2 * third :])
    yield "split in three", (head + _one_by_one(pieces[0]), _one_by_one(pieces[1]), _one_by_one(pieces[2]))
    yield "one digit a turn", tuple(_DIGITS[int(digit)] for digit in digits)


def _one_by_one(digits: str, zero: str = "zero") -> str:
    return " ".join(zero if digit == "0" else _DIGITS[int(digit)] for digit in digits)


def _pairs(digits: str) -> str:
    said = [_DIGITS[int(digits[0])]] if len(digits) % 2 else []
    return " ".join(
        [*said, *(_two(int(digits[place : place + 2])) for place in range(len(digits) % 2, len(digits), 2))]
    )


def _two(number: int) -> str:
    if number < 10:
        return f"oh {_DIGITS[number]}"
    if number < 20:
        return _TEENS[number - 10]
    return _TENS[number // 10] + (f"-{_DIGITS[number % 10]}" if number % 10 else "")


def _doubles(digits: str) -> str:
    return re.sub(
        r"(\d)\1|\d", lambda m: ("double " if len(m.group()) > 1 else "") + _DIGITS[int(m.group()[0])] + " ", digits
    ).strip()


def _ordinal(day: int) -> str:
    if day <= 20:
        return _FIRST_ORDINALS[day]
    return "thirtieth" if day == 30 else f"{_TENS[day // 10]}-{_FIRST_ORDINALS[day % 10]}"


def _year(year: int) -> str:
    if 2000 <= year < 2010:
        return f"two thousand {_DIGITS[year % 10]}" if year % 10 else "two thousand"
    return f"{_two(year // 100)} {_two(year % 100)}" if year % 100 else f"{_two(year // 100)} hundred"
