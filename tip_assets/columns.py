"""What every column of a set holds and which columns it was made from: for the asset pages of the Dagster UI.

tests/unit/assets/test_columns.py holds the names against the types that the sets are made of.
"""

from collections.abc import Iterable, Mapping

from tip_assets.exports.csv_export import CALL_COLUMNS, CALLS_FILE, TURN_COLUMNS, TURNS_FILE
from tip_resources.storage.columns import Column

_SPECS = {
    "name": Column("Name of the data set, which is its partition."),
    "count": Column("Calls asked for."),
    "domain": Column("What the calls are about: a domain of the library."),
    "query": Column("The request as somebody wrote it."),
    "complexity": Column("simple: 20 to 40 exchanges a call; complex: 80 to 150."),
    "emotional_tone": Column("How callers feel as a whole."),
    "caller_type": Column("Who calls, for example patient."),
    "scenario_templates": Column("Kinds of call; empty: all of the domain."),
    "language": Column("Language of the calls."),
    "mode": Column("batched: a model writes whole calls; two_agent: two sides speak in turn."),
    "model": Column("Model asked for; empty: the settings' choice."),
    "tier": Column("Whose models: local, network or openai; empty: the settings' choice."),
    "grading": Column("Who grades; empty: the settings' choice."),
    "rehearsal": Column("Whether the scripted server was asked for, which is no language model."),
    "budget": Column("Most tokens, US dollars and minutes it may take."),
    "batch_api": Column("Whether the paid API's batch queue was asked for."),
    "priority": Column("low, normal or high: which set is made first, and its part of shared model servers."),
    "seed": Column("What all random draws of the plan follow from."),
    "source": Column("generate, import or youtube."),
    "source_keys": Column("What is imported."),
    "requested_by": Column("Who asked."),
    "created_at": Column("When it was asked for, UTC."),
}

# What every draw of a plan follows from (plan_key of tip_assets/planning/scenario_engine.py).
_DRAWN = tuple(
    f"dataset_specs.{name}"
    for name in ("seed", "domain", "complexity", "emotional_tone", "caller_type", "language", "scenario_templates")
)

_SCENARIOS = {
    "id": Column("Identity of the scenario.", _DRAWN),
    "index": Column("Place in the plan, from 0."),
    "domain": Column("Domain of the call.", ("dataset_specs.domain",)),
    "template": Column("Kind of call.", _DRAWN),
    "title": Column("The kind of call in words.", _DRAWN),
    "intent_path": Column("Steps that must happen, in order.", _DRAWN),
    "facts": Column("Plans, products, amounts, dates of the call, as JSON.", (*_DRAWN, "dataset_specs.created_at")),
    "complications": Column("What goes wrong on the way.", _DRAWN),
    "resolution": Column("How the call ends.", _DRAWN),
    "difficulty": Column("1 (routine) to 5 (hard for the agent).", _DRAWN),
}

_PERSONAS = {
    "id": Column("Identity of the speaker.", (*_DRAWN, "scenarios.index")),
    "index": Column("Place in the plan of the call they speak in.", ("scenarios.index",)),
    "role": Column("customer or agent."),
    "name": Column("Made-up name. Personal data: never shown.", (*_DRAWN, "scenarios.index")),
    "facts": Column(
        "Made-up personal data, the truth that scrubbing is measured by. Never shown.", (*_DRAWN, "scenarios.facts")
    ),
    "emotion_arc": Column(
        "Feelings through the call, in order.",
        ("dataset_specs.emotional_tone", "scenarios.resolution", "scenarios.complications"),
    ),
    "patience": Column("0 (none) to 1.", ("dataset_specs.emotional_tone", "scenarios.index")),
    "habits": Column(
        "Hesitations, fillers, accent spellings, second language.", ("dataset_specs.language", "scenarios.index")
    ),
    "experience": Column("How used to such calls they are.", (*_DRAWN, "scenarios.index")),
}

_PLACE = ("dataset_specs.name", "dataset_specs.seed")
_RAW = {
    "id": Column("Identity of the call: `tip trace ID` tells all of it.", (*_PLACE, "scenarios.index")),
    "turns": Column(
        "What was said, by whom, in order. Raw: holds personal data.",
        (
            *("scenarios.intent_path", "scenarios.facts", "scenarios.complications", "scenarios.resolution"),
            *("personas.facts", "personas.emotion_arc", "personas.habits"),
            *("dataset_specs.emotional_tone", "dataset_specs.caller_type", "dataset_specs.language"),
        ),
    ),
    "dataset": Column("Data set the call was written for.", ("dataset_specs.name",)),
    "domain": Column("Domain of the call.", ("dataset_specs.domain",)),
    "language": Column("Language of the call.", ("dataset_specs.language",)),
    "index": Column("Place in the plan, from 0.", ("scenarios.index",)),
    "scenario_id": Column("Scenario it follows.", ("scenarios.id",)),
    "persona_ids": Column("Who speaks: customer, then agent.", ("personas.id",)),
    "provenance": Column("Model, endpoint, machine, prompt, request hash, parameters, seed, tokens, time."),
    "annotations": Column("The quick grade it had to pass to be kept."),
}


def _handed_on(source: str, **changed: Column) -> dict[str, Column]:
    """The columns of a call as they came from `source`, but for those changed."""
    return {name: Column(column.words, (f"{source}.{name}",)) for name, column in _RAW.items()} | changed


_DEDUPED = _handed_on("raw_conversations")
_GRADED = _handed_on(
    "deduped_conversations",
    annotations=Column(
        "The grade: realism, coherence, naturalness, overall (0 to 5), with the metrics behind it.",
        (
            *("deduped_conversations.annotations", "deduped_conversations.turns"),
            *("scenarios.intent_path", "scenarios.facts", "personas.emotion_arc", "personas.facts"),
        ),
    ),
)
_SCRUBBED = _handed_on(
    "graded_conversations",
    annotations=Column(
        "The grade, and where personal data stands (spans). Every export replaces them in its own style.",
        ("graded_conversations.annotations", "graded_conversations.turns", "personas.facts"),
    ),
)


def _figures(*made_from: str) -> dict[str, Column]:
    return {
        "name": Column("Name of the figure."),
        "group": Column("What it tells of."),
        "value": Column("The figure; empty where it could not be measured.", made_from),
        "reference": Column("The same figure of the reference calls."),
        "distance": Column("How far the two are apart; 0 is none."),
        "goal": Column("What would be good; empty where nothing is agreed."),
        "detail": Column("How it is measured, or why it could not be."),
    }


_ROUNDS = {
    "round": Column("Number of the round; 0 is the recipe before the first."),
    "calls": Column("Calls written to measure the recipe by."),
    "accuracy": Column("How often the discriminator is right; 0.5 is chance."),
    "accuracy_low": Column("Lower end of its 95 % interval."),
    "accuracy_high": Column("Upper end of its 95 % interval."),
    "auc": Column("Area under the discriminator's ROC curve; 0.5 is chance."),
    "style_distance": Column("How far the style is from the reference calls; 0 is none."),
    "style_distance_error": Column("Standard error of the style distance."),
    "grade": Column("Mean overall grade, 0 to 5."),
    "kept": Column("Calls kept of those written."),
    "rejected": Column("Calls that could not be kept."),
    "changes_kept": Column("Changes of the recipe that helped."),
    "changes_dropped": Column("Changes that did not."),
    "reference": Column("Reference calls it was measured against."),
    "scripted": Column("Whether the scripted server wrote the calls, which is no language model."),
    "note": Column("What else should be known."),
}

_CALLS = "scrubbed_conversations"
_SPOKEN = (f"{_CALLS}.turns", f"{_CALLS}.annotations")
# Columns of the CSV files by the column of the call that they are made from; all others are provenance.
_CSV_ORIGINS: Mapping[str, tuple[str, ...]] = {
    "conversation_id": (f"{_CALLS}.id",),
    "turn": (f"{_CALLS}.turns",),
    "speaker": (f"{_CALLS}.turns",),
    "text": _SPOKEN,
    "turns": (f"{_CALLS}.turns",),
    "words": _SPOKEN,
    "grader": (f"{_CALLS}.annotations",),
    **{f"grade_{part}": (f"{_CALLS}.annotations",) for part in ("realism", "coherence", "naturalness", "overall")},
    **{name: (f"{_CALLS}.{name}",) for name in ("dataset", "index", "domain", "scenario_id", "language")},
}


def _csv() -> Iterable[tuple[str, Column]]:
    for name in dict.fromkeys((*TURN_COLUMNS, *CALL_COLUMNS)):
        files = [file for file, held in ((TURNS_FILE, TURN_COLUMNS), (CALLS_FILE, CALL_COLUMNS)) if name in held]
        yield name, Column(f"In {' and '.join(files)}.", _CSV_ORIGINS.get(name, (f"{_CALLS}.provenance",)))


_JSONL = {
    name: Column(column.words, (f"{_CALLS}.{name}",)) for name, column in _SCRUBBED.items() if name != "turns"
} | {"turns": Column("What was said, personal data replaced.", _SPOKEN)}

_LEX = {
    "Participants": Column("Who speaks: AGENT and CUSTOMER.", (f"{_CALLS}.turns",)),
    "CustomerMetadata.ContactId": Column("The call's id.", (f"{_CALLS}.id",)),
    "LanguageCode": Column("Language with region.", (f"{_CALLS}.language",)),
    "ContentMetadata": Column("Kinds of personal data replaced.", (f"{_CALLS}.annotations",)),
    "Transcript": Column("The turns, personal data replaced.", _SPOKEN),
}

COLUMNS: Mapping[str, Mapping[str, Column]] = {
    "dataset_specs": _SPECS,
    "scenarios": _SCENARIOS,
    "personas": _PERSONAS,
    "raw_conversations": _RAW,
    "deduped_conversations": _DEDUPED,
    "graded_conversations": _GRADED,
    _CALLS: _SCRUBBED,
    "dataset_metrics": _figures(*_SPOKEN, "scenarios.template", "scenarios.resolution", "personas.emotion_arc"),
    "realism_discriminator": _figures(f"{_CALLS}.turns"),
    "feedback_rounds": _ROUNDS,
    "csv_export": dict(_csv()),
    "jsonl_export": _JSONL,
    "lex_export": _LEX,
}
