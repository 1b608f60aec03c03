"""Plants every fact of planned personas in many forms and counts what is still there after scrubbing.

    python -m benchmarks.quality.planted_facts --personas 40
    python -m benchmarks.quality.planted_facts --personas 40 --json planted.json

One form is planted in one short call, so every find has one cause. Three searches go over the scrubbed text:
the independent check (tip_assets/quality/leaks.py) for all facts of both speakers; the planted words themselves,
what of them is still where it was planted ("words left": stricter, for a lone "dot" counts too); and the words of
the plant, whole, in the lines of a JSONL export made of the calls that were not rejected, for every style.
"""

import argparse
import json
import random
import re
import resource
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec

from benchmarks.quality.planted_forms import forms_of_fact
from tip_assets.exports.jsonl_export import CONVERSATIONS_FILE, write_jsonl
from tip_assets.planning.domain_library import load_libraries
from tip_assets.planning.people.places import STATE_NAMES
from tip_assets.planning.persona_generator import personas_for
from tip_assets.planning.scenario_engine import scenario_at
from tip_assets.quality.leaks import leaked_facts
from tip_assets.quality.pii.styles import STYLES
from tip_assets.quality.screening import checked
from tip_assets.quality.scrubbing import redact, with_spans
from tip_resources.domain.conversation import Conversation, Turn
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.domain.persona import PersonalFact

_KEY = b"the key of a benchmark, no secret"
_CARRIERS = ("Sure, it's {}.", "{}", "Okay, uh, {}, I think.", "yeah that's {}", "Let me see... {}. Got it?")
_INTERRUPTIONS = ("mm-hmm", "Okay, go on.", "Sorry, the line broke up. Go ahead.", "uh-huh, and then?")
# Words of a plant that tell nothing of the fact: they may stay.
_TELLS_NOTHING = {
    "as", "in", "it", "ends", "the", "last", "four", "are", "uh", "and", "of", "at", "dot", "underscore", "dash", "j",
    "s", "com", "org", "net", "example", "street", "avenue", "road", "drive", "lane", "court", "boulevard", "place",
    "apt", "unit", "apartment",
} | {word.lower() for state in STATE_NAMES.items() for part in state for word in part.split()}  # fmt: skip


class Plant(msgspec.Struct, frozen=True):
    """One form of one fact in a call; `words` are what was planted."""

    fact_type: str
    form: str
    words: str
    call: Conversation
    facts: tuple[PersonalFact, ...]


def plants(personas: int, seed: int) -> Iterator[Plant]:
    """Plants of as many planned calls in each built-in domain."""
    draw = random.Random(seed)
    for domain, library in load_libraries().items():
        spec = DatasetSpec(name=f"planted-{domain}", count=personas, domain=domain, seed=seed)
        for index in range(personas):
            customer, agent = personas_for(spec, scenario_at(spec, library, index), library)
            facts = customer.facts + agent.facts
            for number, fact in enumerate(facts):
                for place, (form, texts) in enumerate(forms_of_fact(fact, draw)):
                    call_id = f"{domain}-{index}-{number}-{place}"
                    yield Plant(fact.type, form, " ".join(texts), _call(call_id, texts, form, draw), facts)


def _call(call_id: str, texts: tuple[str, ...], form: str, draw: random.Random) -> Conversation:
    """The customer says the texts, the agent cuts in between; every third time the agent reads the first back."""
    turns = [Turn(speaker="agent", text="Thanks for calling, how can I help you today?")]
    for number, text in enumerate(texts):
        if number:
            turns.append(Turn(speaker="agent", text=draw.choice(_INTERRUPTIONS)))
        # A sentence around a piece of a longer whole would be more than an interruption.
        carrier = draw.choice(_CARRIERS) if len(texts) == 1 else "{}"
        turns.append(Turn(speaker="customer", text=carrier.format(text)))
    if len(texts) == 1 and draw.random() < 1 / 3:
        turns.append(Turn(speaker="agent", text=f"So that was {texts[0]}, correct?"))
    turns.append(Turn(speaker="customer", text="Yes, and I have had this problem for a while."))
    return Conversation(id=call_id, turns=tuple(turns))


def words_left(plant: Plant, redacted: Conversation) -> bool:
    """Whether any telling word of the plant is still said in the turns it was planted in."""
    said = Counter(word for turn in redacted.turns for word in _words(turn.text))
    around = Counter(word for turn in plant.call.turns for word in _words(turn.text))
    return any(said[word] >= around[word] for word in set(_words(plant.words)) - _TELLS_NOTHING)


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z]+|\d+", re.sub(r"\[[A-Z0-9_]+\]", " ", text).lower())


def measure(personas: int, seed: int, show: int) -> dict[str, object]:
    """Counts by fact type and form, and the totals of each style."""
    rows: dict[tuple[str, str], Counter[str]] = {}
    styles = {style: Counter[str]() for style in STYLES}
    kept: list[tuple[Plant, Conversation]] = []
    for plant in plants(personas, seed):
        row = rows.setdefault((plant.fact_type, plant.form), Counter())
        row["planted"] += 1
        found, leaks = checked(with_spans(plant.call, plant.facts), plant.facts, STYLES, _KEY)
        for style, leaked in leaks.items():
            styles[style]["found"] += bool(leaked)
        redacted = redact(found, "type_tag")
        row["found"] += bool(leaks["type_tag"])
        row["words left"] += (left := words_left(plant, redacted))
        if (left or any(leaks.values())) and show > 0:
            show -= 1
            said = [turn.text for turn in redacted.turns[1:-1]]
            print(plant.fact_type, plant.form, [t.text for t in plant.call.turns[1:-1]], said, leaks)
        if not any(leaks.values()):
            kept.append((plant, found))
    exported = {style: _found_in_export(kept, style) for style in STYLES}
    return {
        "planted": sum(row["planted"] for row in rows.values()),
        "rejected": sum(row["planted"] for row in rows.values()) - len(kept),
        "styles": {s: {"found before rejection": styles[s]["found"], "found exported": exported[s]} for s in STYLES},
        "rows": [{"type": t, "form": f, **{k: row[k] for k in ("planted", "found", "words left")}}
                 for (t, f), row in sorted(rows.items())],
    }  # fmt: skip


def _found_in_export(kept: list[tuple[Plant, Conversation]], style: str) -> int:
    """How many plants the lines of a JSONL export still hold, word for word or by the independent check."""
    with tempfile.TemporaryDirectory() as folder:
        write_jsonl((call for _, call in kept), Path(folder) / "out", dataset="planted", style=style, key=_KEY)  # pyright: ignore[reportArgumentType]
        lines = (Path(folder) / "out" / CONVERSATIONS_FILE).read_text(encoding="utf-8").splitlines()
    if len(lines) != len(kept):
        raise SystemExit(f"{len(kept)} calls went in and {len(lines)} came out.")
    found = 0
    for (plant, _), line in zip(kept, lines, strict=True):
        call = msgspec.json.decode(line, type=Conversation)
        text = "\n".join(turn.text for turn in call.turns)
        found += plant.words in text or bool(leaked_facts(call, plant.facts))
    return found


def main() -> None:
    """Reads the options, measures, prints tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--personas", type=int, default=10, help="planned calls per domain whose facts are planted")
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--show", type=int, default=0, help="print so many plants of which something was left")
    parser.add_argument("--json", type=Path, help="write all counts here as well")
    options = parser.parse_args()
    result = measure(options.personas, options.seed, options.show)
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    out = sys.stdout.write
    for row in result["rows"]:  # pyright: ignore[reportGeneralTypeIssues]
        out(f"{row['type']:22} {row['form']:32} {row['planted']:6} {row['found']:5} {row['words left']:5}\n")
    out(f"{result['planted']} planted, {result['rejected']} calls rejected; type, form, planted, found, words left\n")
    out(f"{json.dumps(result['styles'], indent=1)}\n")
    out(f"{resource.getrusage(resource.RUSAGE_SELF).ru_utime:.0f} s of CPU\n")


if __name__ == "__main__":
    main()
