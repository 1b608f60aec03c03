"""A labelled set of calls: templates with slots, values in written and spoken forms, and talk that only looks personal.

Every kind has templates that were at hand while the detectors were written and others, kept apart, that were not
used to change anything: figures are published for the latter.
"""

import random
import string
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from faker import Faker

from benchmarks.quality import personal_data_values as values
from benchmarks.quality.personal_data_templates import DISTRACTORS, FILLERS, TEMPLATES
from tip_resources.domain.conversation import Conversation, Speaker, Turn

Part = Literal["training", "held_out"]
Make = Callable[[random.Random, Faker], str]
_SPEAKERS: tuple[Speaker, Speaker] = ("agent", "customer")


class Label(NamedTuple):
    """One value of a call: what it is, how it was said, and where; `type` is what a span of it should be called."""

    kind: str
    form: str
    type: str
    turn: int
    start: int
    end: int


class LabelledCall(NamedTuple):
    """A call and everything personal in it."""

    call: Conversation
    labels: tuple[Label, ...]


class Kind(NamedTuple):
    """A kind of personal data: the type its spans should have, its HIPAA letter, and how its values are made."""

    type: str
    identifier: str
    forms: dict[str, Make]


def _name(locales: tuple[str, ...], form: str) -> Make:
    def make(rng: random.Random, fake: Faker) -> str:
        given, surname = values.person(rng, locales)
        return {"full": f"{given} {surname}", "given": given, "lower case": f"{given} {surname}".lower()}[form]

    return make


def _number(make: Callable[[random.Random], str]) -> dict[str, Make]:
    return {
        "written": lambda rng, fake: make(rng),
        "dictated": lambda rng, fake: values.dictated(rng, make(rng)),
    }


def _phone(rng: random.Random) -> str:
    area, last = values.digits(rng, 3, "23456789"), values.digits(rng, 4)
    return rng.choice((f"({area}) 555-{last}", f"{area}-555-{last}", f"{area}.555.{last}"))


def _ssn(rng: random.Random) -> str:
    return f"{rng.randint(101, 665)}-{rng.randint(10, 99)}-{rng.randint(1000, 9999)}"


def _email(rng: random.Random, fake: Faker) -> str:
    given, surname = values.person(rng, ("en_US",))
    host = rng.choice(("gmail", "example", "outlook", "northmail"))
    return f"{given}.{surname}{rng.choice(('', rng.randint(10, 99)))}@{host}.{rng.choice(('com', 'org'))}".lower()


def _spelled_email(rng: random.Random, fake: Faker) -> str:
    local, _, domain = _email(rng, fake).partition("@")
    said = " dot ".join(
        " ".join(values.ONES[int(char)] if char.isdigit() else char for char in part) for part in local.split(".")
    )
    return f"{said} at {domain.replace('.', ' dot ')}"


def _age(rng: random.Random, fake: Faker) -> str:
    return str(rng.randint(90, 103))


def _code(letters: int, count: int) -> Callable[[random.Random], str]:
    return lambda rng: "".join(rng.choices("BCDFGHJKLMNPQRTVWXZ", k=letters)) + values.digits(rng, count)


def _old(rng: random.Random) -> tuple[int, int, int]:
    return values.date(rng, (1935, 2006))


def _recent(rng: random.Random) -> tuple[int, int, int]:
    return values.date(rng, (2024, 2026))


_US = ("en_US",)
KINDS: dict[str, Kind] = {
    "name introduced": Kind("NAME", "A", {form: _name(values.LISTED, form) for form in ("full", "lower case")}),
    "name in free text, listed": Kind("NAME", "A", {form: _name(values.LISTED, form) for form in ("full", "given")}),
    "name in free text, not listed": Kind("NAME", "A", {"full": _name(values.UNLISTED, "full"),
                                                        "given": _name(values.UNLISTED, "given")}),
    "name spelled": Kind("NAME", "A", {"letters": lambda rng, fake: "-".join(values.person(rng, _US)[1].upper())}),
    "street address": Kind("ADDRESS", "B", {
        "written": lambda rng, fake: values.street(rng),
        "spoken": lambda rng, fake: values.spoken_street(values.street(rng))}),
    "city": Kind("ADDRESS", "B", {"large": lambda rng, fake: rng.choice(values.LARGE_CITIES),
                                  "small": lambda rng, fake: rng.choice(values.SMALL_CITIES)}),
    "county": Kind("ADDRESS", "B", {"written": lambda rng, fake: f"{rng.choice(values.COUNTIES)} County"}),
    "ZIP code": Kind("ADDRESS", "B", _number(lambda rng: values.digits(rng, 5))),
    "full date": Kind("DATE", "C", {"written": lambda rng, fake: values.written_date(rng, _recent(rng)),
                                    "spoken": lambda rng, fake: values.spoken_date(rng, _recent(rng))}),
    "date of birth": Kind("DATE_OF_BIRTH", "C", {
        "written": lambda rng, fake: values.written_date(rng, _old(rng)),
        "spoken": lambda rng, fake: values.spoken_date(rng, _old(rng)),
        "without year": lambda rng, fake: f"{rng.choice(values.MONTHS)} {rng.randint(1, 28)}"}),
    "age over 89": Kind("AGE", "C", {"written": _age,
                                     "spoken": lambda rng, fake: values.two_digits(rng.randint(90, 99))}),
    "telephone": Kind("PHONE", "D", _number(_phone)),
    "fax": Kind("PHONE", "E", _number(_phone)),
    "e-mail": Kind("EMAIL", "F", {"written": _email, "spelled": _spelled_email,
                                  "spoken": lambda rng, fake: values.spoken_email(_email(rng, fake))}),
    "social security number": Kind("SSN", "G", _number(_ssn)),
    "medical record number": Kind("MEDICAL_RECORD_NUMBER", "H", _number(_code(0, 8))),
    "member ID": Kind("MEMBER_ID", "I", _number(_code(3, 8))),
    "Medicare ID": Kind("MEDICARE_ID", "I", _number(values.medicare_id)),
    "account number": Kind("ACCOUNT_NUMBER", "J", _number(_code(0, 10))),
    "card number": Kind("CREDIT_DEBIT_NUMBER", "J", _number(values.card)),
    "bank routing": Kind("BANK_ROUTING", "J", _number(values.routing_number)),
    "IBAN": Kind("INTERNATIONAL_BANK_ACCOUNT_NUMBER", "J", {"written": lambda rng, fake: values.iban(rng)}),
    "driver's licence": Kind("DRIVER_ID", "K", _number(_code(1, 8))),
    "licence of a profession": Kind("LICENSE_NUMBER", "K", _number(_code(2, 6))),
    "provider number (NPI)": Kind("NPI", "K", _number(values.npi)),
    "passport": Kind("PASSPORT_NUMBER", "K", _number(_code(1, 8))),
    "vehicle (VIN)": Kind("VEHICLE_IDENTIFICATION_NUMBER", "L", _number(values.vin)),
    "licence plate": Kind("LICENSE_PLATE", "L", _number(_code(3, 4))),
    "device serial": Kind("DEVICE_ID", "M", _number(_code(2, 9))),
    "IMEI": Kind("DEVICE_ID", "M", _number(values.imei)),
    "MAC address": Kind("MAC_ADDRESS", "M", {"written": lambda rng, fake: fake.mac_address()}),
    "web address": Kind("URL", "N", {"written": lambda rng, fake: f"www.{fake.domain_name()}/{fake.slug()}"}),
    "IP address": Kind("IP_ADDRESS", "O", {"v4": lambda rng, fake: fake.ipv4(), "v6": lambda rng, fake: fake.ipv6()}),
    "user name": Kind("USERNAME", "R", {
        "written": lambda rng, fake: f"{values.person(rng, _US)[0].lower()}_{rng.randint(10, 999)}"}),
    "password": Kind("PASSWORD", "R", {
        "written": lambda rng, fake: "".join(rng.choices(string.ascii_letters, k=7)) + f"{rng.randint(10, 99)}!"}),
    "order or case number": Kind("REFERENCE_NUMBER", "R", _number(_code(0, 9))),
    "claim number": Kind("CLAIM_NUMBER", "R", _number(_code(2, 8))),
}  # fmt: skip


def labelled_calls(part: Part, per_template: int, seed: int) -> list[LabelledCall]:
    """Calls of about 40 turns, each with the values of three templates between fillers and distractors."""
    rng = random.Random(f"{seed}-{part}")
    fake = Faker("en_US")
    fake.seed_instance(seed)
    jobs = [
        (kind, form, template)
        for kind in KINDS
        for form in KINDS[kind].forms
        for template in TEMPLATES[kind][part]
        for _ in range(per_template)
    ]
    rng.shuffle(jobs)
    return [_call(jobs[first : first + 3], rng, fake, f"{part}-{first}") for first in range(0, len(jobs), 3)]


def _call(jobs: Sequence[tuple[str, str, str]], rng: random.Random, fake: Faker, name: str) -> LabelledCall:
    lines: list[str] = []
    labels: list[Label] = []
    in_lower_case = any(form == "lower case" for _, form, _ in jobs)
    for kind, form, template in jobs:
        lines += rng.sample(FILLERS, 6) + rng.sample(DISTRACTORS, 4)
        # The agent speaks the even turns and asks; a template begins with the agent's line.
        lines += rng.sample(FILLERS, 1) if len(lines) % 2 else []
        for line in template.split("\n"):
            before, slot, after = line.partition("{}")
            value = KINDS[kind].forms[form](rng, fake) if slot else ""
            if slot:
                start = len(before)
                labels.append(Label(kind, form, KINDS[kind].type, len(lines), start, start + len(value)))
            lines.append(before + value + after)
    turns = tuple(
        Turn(speaker=_SPEAKERS[number % 2], text=line.lower() if in_lower_case else line)
        for number, line in enumerate(lines)
    )
    return LabelledCall(Conversation(id=name, turns=turns), tuple(labels))
