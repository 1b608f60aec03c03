"""Options of `tip request` and `tip generate` that say what a set may cost and how it is written."""

from collections.abc import Callable
from typing import Any

import click
from msgspec.structs import replace

from tip_resources.domain.dataset_spec import Budget, DatasetSpec

_OPTIONS = (
    click.option(
        "--max-tokens",
        type=click.IntRange(min=1),
        metavar="N",
        help="Stop before more than N tokens are used, in and out together. What is finished is kept.",
    ),
    click.option(
        "--max-cost",
        type=click.FloatRange(min=0, min_open=True),
        metavar="USD",
        help="Stop before it costs more than USD dollars (config/prices.yaml). Own machines cost nothing.",
    ),
    click.option(
        "--max-minutes",
        type=click.FloatRange(min=0, min_open=True),
        metavar="N",
        help="Stop N minutes after the writing began; a run that goes on counts anew.",
    ),
    click.option(
        "--mode",
        type=click.Choice(["batched", "two_agent"]),
        help="Several calls per model call, or two models that talk to each other. Batched by default.",
    ),
    click.option(
        "--batch-api",
        is_flag=True,
        help="Use OpenAI's batch API: half price, answers within a day. Needs the tier openai.",
    ),
)


def budget_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Decorates a command with --max-tokens, --max-cost, --max-minutes, --mode and --batch-api."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def with_options(spec: DatasetSpec, given: dict[str, Any]) -> DatasetSpec:
    """`spec` with what the options of `budget_options` say; what was not given stays as the spec has it.

    Raises:
        BadInput: The batch API cannot be had for it.
    """
    from tip_assets.planning.spec_checks import check_batch_api

    limits = {name: given[name] for name in Budget.__struct_fields__ if given.get(name) is not None}
    fields = {name: given[name] for name in ("mode", "batch_api") if given.get(name)}
    return check_batch_api(replace(spec, budget=replace(spec.budget, **limits), **fields))
