"""Presidio's pattern recognisers beside our own, where the extra `presidio` is installed and the setting asks.

Its model-free engine finds no names and no places; what it adds is in docs/personal-data.md, with its price.
"""

import functools
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from tip_resources.domain.conversation import Conversation
from tip_resources.domain.failures import BadInput
from tip_resources.domain.redaction import PiiSpan

if TYPE_CHECKING:
    from presidio_analyzer import AnalyzerEngine  # pyright: ignore[reportMissingImports] - the extra presidio

# Presidio's names for what our tags call otherwise; other types keep Presidio's name.
_OUR_TYPES = {
    "PHONE_NUMBER": "PHONE",
    "EMAIL_ADDRESS": "EMAIL",
    "US_SSN": "SSN",
    "CREDIT_CARD": "CREDIT_DEBIT_NUMBER",
    "IBAN_CODE": "INTERNATIONAL_BANK_ACCOUNT_NUMBER",
    "US_BANK_NUMBER": "ACCOUNT_NUMBER",
    "US_DRIVER_LICENSE": "LICENSE_NUMBER",
    "US_PASSPORT": "PASSPORT_NUMBER",
    "MEDICAL_LICENSE": "LICENSE_NUMBER",
    "US_MBI": "MEDICARE_ID",
    "HEALTH_INSURANCE_MEMBER_ID": "MEMBER_ID",
}
# Any date and any time of day is no personal data.
_UNWANTED_TYPES = frozenset({"DATE_TIME"})
# Takes every American telephone number for a British health number, with full confidence.
_UNWANTED_RECOGNIZERS = ("NhsRecognizer",)
# Shipped with Presidio and not loaded by default.
_ADDED_RECOGNIZERS = ("UsMbiRecognizer", "UsNpiRecognizer", "AbaRoutingRecognizer")
# What a weak pattern reaches when one of its context words is near (0.05 + 0.35), and no weak one does without.
_LEAST_SCORE = 0.4
_LANGUAGE = "en"
_WORD = re.compile(r"[a-z]+")
_MOST_CONTEXT_WORDS = 60


class PresidioFinder:
    """Finds what Presidio's patterns know. Making one takes about a second; use it for many calls.

    Raises:
        BadInput: Presidio is not installed.
    """

    def __init__(self) -> None:
        self._engine = _engine()

    def find(self, conversation: Conversation) -> tuple[PiiSpan, ...]:
        """The places in a call, turn by turn; words of the turn and the one before are its context."""
        found: list[PiiSpan] = []
        before = ""
        for number, turn in enumerate(conversation.turns):
            found.extend(self._find_in(number, turn.text, before))
            before = turn.text
        return tuple(found)

    def _find_in(self, number: int, text: str, before: str) -> Iterator[PiiSpan]:
        if not any(char.isdigit() or char in "@." for char in text):
            return  # Every pattern that is loaded wants one of them.
        # Without a language model Presidio does not look around by itself: context words have to be handed over.
        words = list(dict.fromkeys(_WORD.findall(f"{before} {text}".lower())))[-_MOST_CONTEXT_WORDS:]
        for result in self._engine.analyze(text, _LANGUAGE, context=words, score_threshold=_LEAST_SCORE):
            if result.entity_type not in _UNWANTED_TYPES:
                kind = _OUR_TYPES.get(result.entity_type) or result.entity_type
                yield PiiSpan(turn=number, start=result.start, end=result.end, type=kind, source="presidio")


def _engine() -> "AnalyzerEngine":
    try:
        import presidio_analyzer  # pyright: ignore[reportMissingImports] - the extra presidio
        import tldextract  # pyright: ignore[reportMissingImports] - the extra presidio
        from presidio_analyzer import predefined_recognizers  # pyright: ignore[reportMissingImports] - the extra presidio
        from presidio_analyzer.nlp_engine import NlpEngineProvider  # pyright: ignore[reportMissingImports] - the extra presidio
    except ImportError as error:
        raise BadInput(
            "quality.presidio is on, but Presidio is not installed.",
            mend='Run `pip install "transcript-intelligence-platform[presidio]"`, or set quality.presidio to false.',
        ) from error
    # Its e-mail recogniser would otherwise ask the network for the list of public suffixes.
    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=())
    provider = NlpEngineProvider(
        nlp_configuration={
            "nlp_engine_name": "no_op",
            "models": [{"lang_code": _LANGUAGE, "model_name": "no_op"}],
        }
    )
    nlp_engine = provider.create_engine()
    registry = presidio_analyzer.RecognizerRegistry(supported_languages=[_LANGUAGE])
    registry.load_predefined_recognizers(languages=[_LANGUAGE], nlp_engine=nlp_engine)
    for name in _UNWANTED_RECOGNIZERS:
        registry.remove_recognizer(name)
    for name in _ADDED_RECOGNIZERS:
        registry.add_recognizer(getattr(predefined_recognizers, name)())
    return presidio_analyzer.AnalyzerEngine(registry=registry, nlp_engine=nlp_engine, supported_languages=[_LANGUAGE])


@functools.cache
def presidio_finder() -> Callable[[Conversation], tuple[PiiSpan, ...]]:
    """This process's finder, made when first asked for.

    Raises:
        BadInput: Presidio is not installed.
    """
    return PresidioFinder().find
