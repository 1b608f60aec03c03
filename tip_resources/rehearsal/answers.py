"""What the server says: scripted calls or turns, an instance of the schema asked for, or one honest sentence."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from tip_resources.domain.failures import BadInput
from tip_resources.rehearsal.body import ChatBody
from tip_resources.rehearsal.dialogue.plan import PlannedCall, call_plans
from tip_resources.rehearsal.dialogue.turn import next_line
from tip_resources.rehearsal.dialogue.turn_plan import TurnAsked, turn_asked
from tip_resources.rehearsal.dialogue.writer import write_call
from tip_resources.rehearsal.instances import SCRIPTED_NOTE, instance_of
from tip_resources.rehearsal.wire import ApiError


def answer_to(body: ChatBody) -> AsyncIterator[str]:
    """The answer in pieces, written while it is read; the same body gives the same text.

    Raises:
        ApiError: 400 for call or turn plans that cannot be read, or a schema that cannot be met. Raised at once,
            before the first piece.
    """
    try:
        plans = call_plans(body.last_user_text)
    except BadInput as error:
        raise ApiError(400, str(error), code="call_plans_unreadable", param="messages") from error
    if plans is not None:
        return _calls(plans, body.seed)
    if (turn := _turn(body)) is not None:
        return one_piece(next_line(turn))
    match body.response_format.get("type"):
        case None | "text":
            return one_piece(SCRIPTED_NOTE)
        case "json_object":
            return one_piece(_json({"message": SCRIPTED_NOTE}))
        case "json_schema":
            return one_piece(_json(_instance(body)))
        case other:
            raise ApiError(400, f"response_format.type {other!r} is not known.", param="response_format.type")


async def one_piece(text: str) -> AsyncIterator[str]:
    """A text that is already there, as pieces."""
    yield text


async def _calls(plans: tuple[PlannedCall, ...], seed: str) -> AsyncIterator[str]:
    yield '{"calls":['
    for position, plan in enumerate(plans):
        # Other requests get their turn between two calls; writing one takes a few milliseconds.
        await asyncio.sleep(0)
        call = {"call": plan.call, "turns": write_call(plan, seed)}
        yield ("," if position else "") + _json(call)
    yield "]}"


def _turn(body: ChatBody) -> TurnAsked | None:
    try:
        return turn_asked(body.messages)
    except BadInput as error:
        raise ApiError(400, str(error), code="turn_plan_unreadable", param="messages") from error


def _instance(body: ChatBody) -> Any:
    wanted = body.response_format.get("json_schema")
    schema = wanted.get("schema") if isinstance(wanted, dict) else None
    if not isinstance(schema, dict):
        raise ApiError(400, "response_format.json_schema.schema is not an object.", param="response_format")
    try:
        return instance_of(schema, f"{body.seed}/{body.prompt}")
    except BadInput as error:
        raise ApiError(400, str(error), param="response_format.json_schema.schema") from error


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
