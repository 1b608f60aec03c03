"""From one answer of a batch to the events the engine would have given: items, and the end of the request. Pure."""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tip_assets.generation.batch_requests import batch_body
from tip_resources.llm.dialect import Dialect
from tip_resources.llm.failures import http_failure, printable
from tip_resources.llm.hashing import request_hash
from tip_resources.llm.openai_batch import BatchAnswer, BatchState
from tip_resources.llm.salvage import Salvage
from tip_resources.llm.types import ChatRequest, Endpoint, EngineEvent, Failure, Item, RequestDone
from tip_resources.llm.verdict import Ending, failure_of

_OK = 200


def refusal_of(answer: BatchAnswer, endpoint: Endpoint) -> Failure | None:
    """Why a request was not answered at all; None when it was."""
    if answer.status == _OK and isinstance(answer.body, Mapping):
        return None
    if answer.status is None:
        said = answer.error or "no reason given"
        kind = "timeout" if "expired" in said else "server_error"
        return Failure(kind=kind, detail=f"{endpoint.name} did not answer a request of the batch: {said}")
    error = answer.body.get("error", answer.body) if isinstance(answer.body, Mapping) else answer.error
    return http_failure(endpoint, answer.status, error, {}, datetime.now(UTC))


def events_of(
    answer: BatchAnswer, request: ChatRequest, endpoint: Endpoint, batch: BatchState, dialect: Dialect, attempts: int
) -> list[EngineEvent]:
    """The items of a whole answer, and the end of its request."""
    body = answer.body
    choice = _first(body.get("choices"))
    message = choice.get("message")
    message = message if isinstance(message, Mapping) else {}
    usage = body.get("usage")
    usage = usage if isinstance(usage, Mapping) else {}
    salvage = Salvage(request.items_key, finds_items=request.json_schema is not None)
    found = salvage.feed(_text(message, "content"))
    found = [*found, *salvage.finish()][: request.expected_items]
    tokens_out = _count(usage, "completion_tokens")
    finish_reason = choice.get("finish_reason")
    failure = failure_of(
        Ending(
            endpoint_name=endpoint.name,
            expected_items=None if request.json_schema is None else request.expected_items,
            max_output_tokens=request.max_output_tokens,
            items=len(found),
            text=salvage.text,
            refusal=_text(message, "refusal"),
            is_open=salvage.is_open,
            is_endless=False,
            finish_reason=finish_reason if isinstance(finish_reason, str) else None,
            tokens_out=tokens_out,
            broken=None,
        )
    )
    common: dict[str, Any] = {
        "request_id": request.request_id,
        "endpoint": endpoint,
        # The same answer has the same name in every run, so that its cost is on record once.
        "call_id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{batch.id}/{answer.custom_id}")),
        "request_hash": request_hash(batch_body(dialect, endpoint.model, request)),
        "started_at": datetime.fromtimestamp(batch.created_at, UTC).isoformat(timespec="milliseconds"),
        "time_to_first_token_ms": None,
    }
    took_ms = 1000 * max(0.0, (batch.ended_at or batch.created_at) - batch.created_at)
    items: list[EngineEvent] = [
        Item(
            position=element.position,
            value=element.value,
            raw_text=element.raw_text,
            attempt=attempts,
            elapsed_ms=took_ms,
            **common,
        )
        for element in found
    ]
    done = RequestDone(
        items=len(items),
        attempts=attempts,
        failure=None if failure is None else failure.kind,
        detail="" if failure is None else failure.detail,
        raw_text=salvage.text if request.json_schema is None else salvage.raw_text,
        tokens_in=_count(usage, "prompt_tokens"),
        tokens_out=tokens_out,
        duration_ms=took_ms,
        failures_by_kind={} if failure is None else {failure.kind: 1},
        finish_reason=finish_reason if isinstance(finish_reason, str) else None,
        skipped=salvage.skipped,
        **common,
    )
    return [*items, done]


def unanswered(request: ChatRequest, endpoint: Endpoint, failure: Failure, attempts: int) -> RequestDone:
    """The end of a request that brought nothing."""
    return RequestDone(
        request_id=request.request_id,
        endpoint=endpoint,
        items=0,
        attempts=attempts,
        failure=failure.kind,
        detail=failure.detail,
        # What was not answered is not charged.
        tokens_in=0,
        tokens_out=0,
        failures_by_kind={failure.kind: 1},
    )


def why_unanswered(state: BatchState, endpoint: Endpoint) -> Failure:
    """Why a batch that has ended says nothing about a request."""
    if state.status == "failed":
        said = "; ".join(state.errors) or "no reason given"
        kind = http_failure(endpoint, 400, said, {}, datetime.now(UTC)).kind
        return Failure(kind=kind, detail=f"{endpoint.name} refused the batch {state.id}: {printable(said, endpoint)}")
    if state.status == "expired":
        detail = f"the batch {state.id} expired after 24 hours with {state.completed} of {state.total} answered."
        return Failure(kind="timeout", detail=f"{detail} Nothing is charged for the rest.")
    return Failure(kind="server_error", detail=f"the batch {state.id} ended {state.status} without this answer.")


def _first(choices: Any) -> Mapping[str, Any]:
    return choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], Mapping) else {}


def _text(message: Mapping[str, Any], field: str) -> str:
    value = message.get(field)
    return value if isinstance(value, str) else ""


def _count(usage: Mapping[str, Any], field: str) -> int | None:
    value = usage.get(field)
    return value if isinstance(value, int) and value >= 0 else None
