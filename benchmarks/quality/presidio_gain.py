"""What Presidio's patterns add to our own, and what they cost.

    python -m benchmarks.quality.presidio_gain --personas 10

Identifiers of planned personas and of kinds that personas do not have are said in sentences, written as they are
printed; the facts are not told to the detectors. A place counts as found when every letter and digit of it is
covered. "Wrong" counts places found in the same number of turns that hold nothing personal.
"""

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator

from tip_assets.planning.domain_library import load_libraries
from tip_assets.planning.persona_generator import personas_for
from tip_assets.planning.scenario_engine import scenario_at
from tip_assets.quality.pii.presidio import presidio_finder
from tip_assets.quality.scrubbing import FindMore, with_spans
from tip_resources.domain.conversation import Conversation, Turn
from tip_resources.domain.dataset_spec import DatasetSpec

# Kind, the agent's question, a pattern: # is a digit, @ a capital letter, x a hexadecimal digit.
_OTHERS = (
    ("US_PASSPORT", "And your passport number?", "#########"),
    ("US_DRIVER_LICENSE", "Your driver license number, please?", "@#######"),
    ("US_BANK_NUMBER", "What is your bank account number?", "############"),
    ("US_ITIN", "Your taxpayer ITIN?", "9##-7#-####"),
    ("UUID", "Which device is it?", "xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx"),
    ("MAC", "What does the router say?", "xx:xx:xx:xx:xx:xx"),
    ("MBI", "Your Medicare number?", "1@G4-@E5-@K73"),
    ("PLATE", "The license plate of the car?", "@@@ ####"),
)
# BIP 173 and the first block of Bitcoin: addresses carry a checksum, so none can be drawn.
_WALLETS = ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa")
_NOTHING = (
    "It was about 12.5 percent more than in May, so $148.20 in all.",
    "I called on 3/12 at 11:30 and waited for 45 minutes.",
    "The order had 3 lamps, 2 chairs and 1 table, model GX200.",
    "My plan is the 500 one, with 5G, since 2019.",
    "It says error 40417 on the screen, version 2.10.4.",
)


def said(personas: int, seed: int) -> Iterator[tuple[str, str, Conversation]]:
    """(kind, value, call) of everything that is planted."""
    draw = random.Random(seed)
    for domain, library in load_libraries().items():
        spec = DatasetSpec(name=f"gain-{domain}", count=personas, domain=domain, seed=seed)
        for index in range(personas):
            customer, _ = personas_for(spec, scenario_at(spec, library, index), library)
            for fact in customer.facts:
                question = f"And your {fact.type.replace('_', ' ').lower()}?"
                yield fact.type, fact.value, _call(question, f"Sure, {fact.value}.")
            for kind, question, pattern in _OTHERS:
                value = "".join(_drawn(char, draw) for char in pattern)
                yield kind, value, _call(question, f"Sure, {value}.")
            wallet = draw.choice(_WALLETS)
            yield "CRYPTO", wallet, _call("Where should it go?", f"Sure, {wallet}.")
            yield "(nothing)", "", _call("What happened?", draw.choice(_NOTHING))


def _drawn(char: str, draw: random.Random) -> str:
    alphabets = {"#": "0123456789", "@": "ABCDEFGHJKMNPQRTUVWXY", "x": "0123456789abcdef"}
    return draw.choice(alphabets[char]) if char in alphabets else char


def _call(question: str, answer: str) -> Conversation:
    turns = (Turn(speaker="agent", text=question), Turn(speaker="customer", text=answer))
    return Conversation(id="1", turns=turns)


def is_found(value: str, call: Conversation, also: FindMore | None) -> bool:
    """Whether every letter and digit of the value is covered; for a value of nothing, whether anything is."""
    spans = with_spans(call, (), also).annotations.spans or ()
    if not value:
        return bool(spans)
    place = call.turns[1].text.index(value)
    covered = {offset for span in spans if span.turn == 1 for offset in range(span.start, span.end)}
    return all(place + number in covered for number, char in enumerate(value) if char.isalnum())


def main() -> None:
    """Reads the options, measures, prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--personas", type=int, default=10, help="planned calls per domain")
    parser.add_argument("--seed", type=int, default=5)
    options = parser.parse_args()
    planted = list(said(options.personas, options.seed))
    finders: dict[str, FindMore | None] = {"own": None, "with Presidio": presidio_finder()}
    counts = {name: Counter[str]() for name in finders}
    seconds: dict[str, float] = {}
    for name, also in finders.items():
        is_found("", planted[0][2], also)  # What is read once is read before the clock starts.
        started = time.process_time()
        for kind, value, call in planted:
            counts[name][kind] += is_found(value, call, also)
        seconds[name] = time.process_time() - started
    characters = sum(len(turn.text) for _, _, call in planted for turn in call.turns)
    sys.stdout.write(f"{'kind':24}{'planted':>8}" + "".join(f"{name:>15}" for name in finders) + "\n")
    for kind, total in sorted(Counter(kind for kind, _, _ in planted).items()):
        sys.stdout.write(f"{kind:24}{total:8}" + "".join(f"{counts[name][kind]:15}" for name in finders) + "\n")
    for name, spent in seconds.items():
        sys.stdout.write(f"{name}: {characters / spent:,.0f} characters per CPU second\n")


if __name__ == "__main__":
    main()
