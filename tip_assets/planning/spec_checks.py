"""Checks a specification against the domains there are, before anything is planned or put in a queue."""

from collections.abc import Mapping

from tip_assets.planning.domain_library import unknown_domain
from tip_assets.planning.languages import check_language
from tip_assets.planning.library.types import DomainLibrary
from tip_assets.planning.people.caller import read_caller
from tip_assets.planning.scenario_engine import base_date, chosen_templates
from tip_assets.planning.tones import check_tone
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.domain.failures import BadInput


def check_spec(spec: DatasetSpec, libraries: Mapping[str, DomainLibrary]) -> DatasetSpec:
    """Returns `spec` when its calls can be planned; imported sets are not planned and only need a language.

    Raises:
        BadInput: Something in it is not known; `where` is the name of the field.
    """
    check_language(spec.language)
    check_batch_api(spec)
    base_date(spec)
    if spec.source != "generate":
        return spec
    if spec.domain not in libraries:
        failure = unknown_domain(spec.domain, libraries)
        raise BadInput(failure.what, where="domain", mend=failure.mend)
    library = libraries[spec.domain]
    chosen_templates(spec, library)
    check_tone(spec.emotional_tone)
    read_caller(spec.caller_type, library)
    return spec


def check_batch_api(spec: DatasetSpec) -> DatasetSpec:
    """Returns `spec` when what it asks of OpenAI's batch API can be had.

    Raises:
        BadInput: Another tier, a limit on minutes, or calls that are written turn by turn.
    """
    if spec.batch_api and spec.tier != "openai":
        raise BadInput(
            "the batch API is OpenAI's, and another tier would write these calls.",
            where="batch_api",
            mend="Ask for the tier openai too (--tier openai, or tier: openai).",
        )
    if spec.batch_api and spec.budget.max_minutes is not None:
        raise BadInput(
            "a limit on minutes cannot be kept with the batch API, which answers within a day.",
            where="batch_api",
            mend="Leave --max-minutes (budget: max_minutes) out, or limit tokens or cost.",
        )
    if spec.batch_api and spec.mode == "two_agent":
        raise BadInput(
            "calls of two agents cannot go through the batch API: each turn waits for the one before it.",
            where="batch_api",
            mend="Use the mode batched, or leave the batch API out.",
        )
    return spec
