"""What the device answers: conversations that satisfy the benchmark's schema, rendered once as bytes on the wire."""

import functools
import json
import random
import zlib
from dataclasses import dataclass

# Answers differ in length by 20 % both ways, in this many steps; which one a request gets follows from its RID.
_VARIANTS = 64
_SPREAD = 0.2
_CHARACTERS_A_TOKEN = 4  # OpenAI's rule of thumb for English
_LAST_TURN_CHARACTERS = 300  # no turn is as long, so what is left for the last one is never less than nothing
_VOCABULARY = (
    "account agent again already amount another answer appointment april balance because before bill branch "
    "business button call card change charge check clear code contract correct could credit customer date "
    "delivery detail device different double email enter error exactly first follow form friday good help hold "
    "hour invoice issue january just know last later letter line little look march maybe message minute moment "
    "monday money month morning moved name never next nothing number office open order other paid parcel password "
    "payment people phone place plan please point post price problem question quite ready really reason record "
    "reference refund right same second send service should sorry start still street summer sunday support sure "
    "system thank then thing think ticket today together tomorrow understand until update usually wait week "
    "welcome wonderful work wrong "
)
_WORDS = _VOCABULARY.split()


@dataclass(frozen=True)
class Answer:
    """One answer of `tokens` tokens. `body[: ends[i]]` is what the wire holds after chunk i; then comes `end`."""

    tokens: int
    body: bytes
    ends: tuple[int, ...]
    end: bytes
    cut_end: bytes
    whole: bytes


def answer_tokens(rid: str, mean_tokens: int) -> int:
    """How many tokens the answer to a request has."""
    step = zlib.crc32(rid.encode()) % _VARIANTS
    return round(mean_tokens * (1 - _SPREAD + 2 * _SPREAD * step / (_VARIANTS - 1)))


def answer_to(rid: str, mean_tokens: int, chunk_tokens: int) -> Answer:
    """The answer to a request; `chunk_tokens` come in one event of the stream."""
    return _rendered(answer_tokens(rid, mean_tokens), chunk_tokens)


@functools.cache
def _rendered(tokens: int, chunk_tokens: int) -> Answer:
    text = _conversation(tokens)
    size = _CHARACTERS_A_TOKEN * chunk_tokens
    events, ends, length = [], [], 0
    for start in range(0, len(text), size):
        events.append(_event({"content": text[start : start + size]}))
        length += len(events[-1])
        ends.append(length)
    usage = {"prompt_tokens": 200, "completion_tokens": tokens, "total_tokens": 200 + tokens}
    tail = _data({"id": "c", "object": "chat.completion.chunk", "created": 0, "model": "device", "choices": [],
                  "usage": usage}) + b"data: [DONE]\n\n"  # fmt: skip
    message = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    whole = {"id": "c", "object": "chat.completion", "created": 0, "model": "device", "choices": [message],
             "usage": usage}  # fmt: skip
    return Answer(
        tokens, b"".join(events), tuple(ends), _event({}, "stop") + tail, _event({}, "length") + tail, _json(whole)
    )


def _conversation(tokens: int) -> str:
    """A conversation as JSON of exactly so many characters as `tokens` tokens have."""
    rng = random.Random(tokens)
    goal = tokens * _CHARACTERS_A_TOKEN
    turns: list[dict[str, str]] = []
    while goal - len(_json({"turns": turns})) > _LAST_TURN_CHARACTERS:
        turns.append(_turn(len(turns), f"{' '.join(rng.choices(_WORDS, k=rng.randint(8, 24))).capitalize()}."))
    last = _turn(len(turns), "")
    left = goal - len(_json({"turns": [*turns, last]}))
    last["text"] = " ".join(rng.choices(_WORDS, k=left)).capitalize()[:left]
    return _json({"turns": [*turns, last]}).decode()


def _turn(number: int, text: str) -> dict[str, str]:
    return {"speaker": ("agent", "customer")[number % 2], "text": text}


def _event(delta: dict[str, str], finish_reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return _data({"id": "c", "object": "chat.completion.chunk", "created": 0, "model": "device", "choices": [choice]})


def _data(document: object) -> bytes:
    return b"data: " + _json(document) + b"\n\n"


def _json(document: object) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
