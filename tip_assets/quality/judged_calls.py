"""A stream of calls judged by a model, several at once, in their order."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import msgspec

from tip_assets.quality.judging import judge
from tip_resources.domain.conversation import Conversation
from tip_resources.llm.failures import CallFailed, CallImpossible
from tip_resources.llm.types import Endpoint
from tip_resources.settings.models import Settings

if TYPE_CHECKING:
    from tip_resources.fleet.fleet_servers import FleetServers

_logger = logging.getLogger(__name__)

JudgeTier = Literal["network", "openai"]

_LOOK_EVERY_SECONDS = 5.0

# These are about one call or one answer; every other failure would meet the next call as well.
_ABOUT_ONE_CALL = frozenset({"invalid_output", "refusal", "empty", "truncated", "repetition", "context_overflow"})


def judged_calls(
    conversations: Iterable[Conversation],
    *,
    tier: JudgeTier,
    settings: Settings,
    environ: Mapping[str, str],
    rehearsal: bool,
    on_ungraded: Callable[[str], None],
    fleet: "FleetServers | None" = None,
) -> Iterator[Conversation]:
    """Yields every call in order with the judge's grade; a call the judge could not grade comes as it was.

    Args:
        conversations: The calls; only as many as are asked at once are held.
        tier: `network` asks endpoints of this machine and the network, `openai` the paid API.
        settings: Where endpoints are looked for.
        environ: The environment, for TIP_LLM_URL and keys.
        rehearsal: Ask the scripted server, and only it.
        on_ungraded: Told about each call without a grade, and why.
        fleet: Its machines' servers judge too, but for those that take no work when it begins; None leaves them out.

    Raises:
        NoEndpoint: Nobody is there to judge.
        CallFailed: The endpoint stopped answering.
        CallImpossible: The endpoint cannot be used as it is set up.
    """
    with asyncio.Runner() as runner:
        endpoints = runner.run(_willing(tier, settings, environ, fleet, rehearsal=rehearsal))
        judges = _of_one_model(endpoints)
        width = sum(endpoint.concurrency for endpoint in judges)
        pending: deque[tuple[Conversation, asyncio.Task[Conversation | str]]] = deque()
        for number, conversation in enumerate(conversations):
            endpoint = judges[number % len(judges)]
            task = runner.get_loop().create_task(_judged(conversation, endpoint, settings, tier))
            pending.append((conversation, task))
            if len(pending) >= width:
                yield _settled(runner, *pending.popleft(), on_ungraded)
        while pending:
            yield _settled(runner, *pending.popleft(), on_ungraded)


async def _willing(
    tier: JudgeTier,
    settings: Settings,
    environ: Mapping[str, str],
    fleet: "FleetServers | None",
    *,
    rehearsal: bool,
) -> list[Endpoint]:
    """Endpoints on machines that take work now. While all are too hot or in use it waits, as the engine would."""
    from tip_resources.llm.endpoints import NoEndpoint, resolve_endpoints

    until = time.monotonic() + settings.engine.unavailable_limit_seconds
    while True:
        try:
            return await resolve_endpoints(
                settings,
                domain="",
                role="judge",
                tier="openai" if tier == "openai" else None,
                environ=environ,
                rehearsal=rehearsal,
                fleet=fleet,
                waits=False,
            )
        except NoEndpoint as nobody:
            held = [one.held for one in nobody.examined if one.held]
            if not held or time.monotonic() >= until:
                raise
            _logger.warning("Judging waits: %s", "; ".join(held))
        await asyncio.sleep(_LOOK_EVERY_SECONDS)


def _of_one_model(endpoints: Sequence[Endpoint]) -> list[Endpoint]:
    """The endpoints that serve the first one's model: grades of different judges cannot be compared."""
    return [endpoint for endpoint in endpoints if endpoint.model == endpoints[0].model]


async def _judged(
    conversation: Conversation, endpoint: Endpoint, settings: Settings, tier: JudgeTier
) -> Conversation | str:
    """The graded call, or why it has no grade."""
    try:
        grade = await judge(conversation, endpoint, settings.engine, tier=tier)
    except (CallFailed, CallImpossible) as error:
        if error.kind in _ABOUT_ONE_CALL:
            return f"call {conversation.id} has no grade: {error}"
        raise
    annotations = msgspec.structs.replace(conversation.annotations, grade=grade)
    return msgspec.structs.replace(conversation, annotations=annotations)


def _settled(
    runner: asyncio.Runner,
    conversation: Conversation,
    task: "asyncio.Task[Conversation | str]",
    on_ungraded: Callable[[str], None],
) -> Conversation:
    async def finished() -> Conversation | str:
        return await task

    result = runner.run(finished())
    if isinstance(result, str):
        on_ungraded(result)
        return conversation
    return result
