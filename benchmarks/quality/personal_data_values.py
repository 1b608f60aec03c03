"""Made-up personal data in written and spoken forms; nothing of it can belong to a real person but by chance.

Check digits are worked out here, apart from the code that is measured.
"""

import random
import string
from importlib import import_module

ONES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
TEENS = ["ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
ORDINALS = [
    *("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh"),
    *("twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth"),
    "twentieth",
]
MONTHS = [
    *("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November"),
    "December",
]
LISTED = ("en_US", "en_GB", "en_IN", "es_MX")
# Countries whose names the detector's lists do not hold.
UNLISTED = ("pl_PL", "fr_FR", "id_ID", "it_IT", "nl_NL")
STATES = (("Ohio", "OH"), ("Texas", "TX"), ("Oregon", "OR"), ("Georgia", "GA"), ("Maine", "ME"))
COUNTIES = ("Marlow", "Pinecrest", "Hatfield", "San Loreno", "Wexley", "Kern", "Multnomah", "Fulton")
SMALL_CITIES = ("Marlow", "Pinecrest", "Oakdale", "Hatfield", "Wexley", "Corvallis", "Beaufort", "Ames")
LARGE_CITIES = ("Chicago", "Philadelphia", "San Diego", "Seattle", "Tulsa", "Milwaukee", "Omaha", "Tampa")


def two_digits(number: int) -> str:
    """A number below 100 in words."""
    if number < 10:
        return ONES[number]
    if number < 20:
        return TEENS[number - 10]
    return TENS[number // 10 - 2] + (f"-{ONES[number % 10]}" if number % 10 else "")


def dictated(rng: random.Random, text: str) -> str:
    """Digits and letters as they are dictated, in groups of three or four, zero as zero or oh."""
    zero = rng.choice(("zero", "oh"))
    size = rng.choice((3, 3, 4))
    text = "".join(char for char in text if char.isalnum())
    said = [zero if char == "0" else ONES[int(char)] if char.isdigit() else char.upper() for char in text]
    return ", ".join(" ".join(said[start : start + size]) for start in range(0, len(said), size))


def digits(rng: random.Random, count: int, first: str = "123456789") -> str:
    """`count` digits."""
    return rng.choice(first) + "".join(rng.choices(string.digits, k=count - 1))


def luhn_digit(number: str) -> str:
    """The digit that makes `number` pass the Luhn check."""
    total = sum(sum(divmod(int(digit) * (2 - index % 2), 10)) for index, digit in enumerate(reversed(number)))
    return str(-total % 10)


def card(rng: random.Random) -> str:
    """A number of 16 digits that passes the Luhn check."""
    number = digits(rng, 15, "45")
    return number + luhn_digit(number)


def imei(rng: random.Random) -> str:
    """A number of 15 digits that passes the Luhn check and begins as devices do."""
    number = "35" + digits(rng, 12)
    return number + luhn_digit(number)


def npi(rng: random.Random) -> str:
    """A provider identifier of ten digits."""
    number = digits(rng, 9, "12")
    return number + luhn_digit("80840" + number)


def routing_number(rng: random.Random) -> str:
    """A bank's routing number of nine digits."""
    number = rng.choice(("02", "07", "11", "12", "26", "31")) + digits(rng, 6)
    total = sum(int(digit) * weight for digit, weight in zip(number, (3, 7, 1) * 3, strict=False))
    return number + str(-total % 10)


def iban(rng: random.Random) -> str:
    """A German bank account in groups of four."""
    account = digits(rng, 18)
    check = 98 - int(account + "131400") % 97
    code = f"DE{check:02d}{account}"
    return " ".join(code[start : start + 4] for start in range(0, len(code), 4))


def medicare_id(rng: random.Random) -> str:
    """A Medicare beneficiary identifier."""
    letters, either = "ACDEFGHJKMNPQRTUVWXY", "ACDEFGHJKMNPQRTUVWXY0123456789"
    shape = ("123456789", letters, either, "0123456789", letters, either, "0123456789", letters, letters)
    return "".join(rng.choice(choices) for choices in shape) + f"{rng.randrange(100):02d}"


def vin(rng: random.Random) -> str:
    """A vehicle identification number with its check digit."""
    letters = "ABCDEFGHJKLMNPRSTUVWXYZ"
    values = dict(zip(letters, (1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 7, 9, 2, 3, 4, 5, 6, 7, 8, 9), strict=True))
    weights = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
    code = [*rng.choices(letters + string.digits, k=11), *rng.choices(string.digits, k=6)]
    total = sum(int(values.get(char, char)) * weight for char, weight in zip(code, weights, strict=True))
    code[8] = "X" if total % 11 == 10 else str(total % 11)
    return "".join(code)


def person(rng: random.Random, locales: tuple[str, ...]) -> tuple[str, str]:
    """A given name and a surname of one of the countries, in ASCII letters."""
    while True:
        provider = import_module(f"faker.providers.person.{rng.choice(locales)}").Provider
        given = rng.choice(list(getattr(provider, "first_names", ())))
        surname = rng.choice(list(provider.last_names))
        if (given + surname).isalpha() and (given + surname).isascii():
            return given, surname


def date(rng: random.Random, years: tuple[int, int]) -> tuple[int, int, int]:
    """(year, month, day)"""
    return rng.randint(*years), rng.randint(1, 12), rng.randint(1, 28)


def written_date(rng: random.Random, when: tuple[int, int, int]) -> str:
    """A date in digits or with the month's name."""
    year, month, day = when
    return rng.choice(
        (f"{month:02d}/{day:02d}/{year}", f"{MONTHS[month - 1]} {day}, {year}", f"{year}-{month:02d}-{day:02d}")
    )


def spoken_date(rng: random.Random, when: tuple[int, int, int]) -> str:
    """A date in words."""
    year, month, day = when
    ordinal = ORDINALS[day - 1] if day <= 20 else f"twenty-{ORDINALS[day - 21]}"
    if 2000 <= year < 2010:
        said_year = "two thousand" + (f" {ONES[year % 100]}" if year % 100 else "")
    else:
        rest = two_digits(year % 100) if year % 100 > 9 else f"oh {ONES[year % 100]}"
        said_year = f"{two_digits(year // 100)} {rest}"
    month_name = MONTHS[month - 1]
    return rng.choice((f"{month_name} {ordinal}, {said_year}", f"{ordinal} of {month_name} {said_year}"))


def spoken_email(address: str) -> str:
    """An address as people say it."""
    return address.replace("@", " at ").replace(".", " dot ")


def street(rng: random.Random) -> str:
    """A house number and street."""
    name = rng.choice(("Maple", "Old Mill", "Birch", "Harbor View", "Willow Creek", "Fifth", "Cedar", "Lincoln"))
    return f"{rng.randint(11, 9899)} {name} {rng.choice(('Street', 'Avenue', 'Road', 'Lane', 'Court', 'Boulevard'))}"


def spoken_street(written: str) -> str:
    """A street line with its number in words."""
    number, _, rest = written.partition(" ")
    pairs = [number[-4:-2], number[-2:]] if len(number) > 2 else [number]
    words = [two_digits(int(pair)) if int(pair) > 9 or len(pair) == 1 else f"oh {ONES[int(pair)]}" for pair in pairs]
    return f"{' '.join(words)} {rest}"
