"""What model servers tell of themselves, each kind in its own pages. How a page is fetched: local_http.py.

Formats: lmstudio.ai/docs/developer/rest/list, docs.ollama.com/api, docs.vllm.ai/en/latest/usage/metrics,
github.com/ggml-org/llama.cpp tools/server/README.md. Anything of another form counts as not told.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from node_agent.collectors.endpoints_pages import Pages
from node_agent.report import ServedModel, ServerKind

# A report stays small whatever a server lists.
_MOST_MODELS = 256
_LONGEST_NAME = 200
_MOST_TOKENS = 1_000_000_000
_MOST_CALLS = 1_000_000
# Who owns the models, in the OpenAI list, where that shows the server. Ollama's owners are names of people as well.
_OWNERS: Mapping[str, ServerKind] = {
    "organization_owner": "lm_studio",
    "library": "ollama",
    "vllm": "vllm",
    "llamacpp": "llama_server",
    "me": "llama_cpp_python",
}


@dataclass(frozen=True)
class Served:
    """What a server told; see ServedEndpoint."""

    kind: ServerKind
    models: tuple[ServedModel, ...]
    slots: int | None = None
    slots_busy: int | None = None
    queue_depth: int | None = None


def read_server(pages: Pages, usual_kind: ServerKind) -> Served | None:
    """The server behind the pages; None when it serves no models.

    Args:
        pages: Its pages.
        usual_kind: Which server is usual at its port; asked for first where the list of models does not show it.
    """
    listed = _entries(pages.json_of_list("/v1/models"), "data")
    if listed is None:
        return None
    owners = {_text(entry, "owned_by") for entry in listed}
    shown: ServerKind | None = next((kind for owner, kind in _OWNERS.items() if owner in owners), None)
    plain = _models(_listed_model(entry) for entry in listed)
    if shown is not None:
        reader = _READERS.get(shown)
        return (reader(pages, listed) if reader else None) or Served(shown, plain)
    likely: tuple[ServerKind, ...] = (usual_kind, "ollama", "lm_studio")
    for kind in likely:
        reader = _READERS.get(kind)
        served = reader(pages, listed) if reader else None
        if served is not None:
            return served
    return Served("unknown", plain)


def metric(text: str | None, name: str) -> int | None:
    """The sum of all samples of that name in Prometheus text; None when there is none or one is no count."""
    if text is None:
        return None
    values: list[float] = []
    for line in text.splitlines():
        if line.startswith((f"{name}{{", f"{name} ")):
            fields = line.rpartition("}")[2].split() if "}" in line else line.split()[1:]
            values.append(_number(fields[0] if fields else ""))
    total = sum(values) if values else math.nan
    return int(total) if 0 <= total <= _MOST_CALLS else None


def _read_lm_studio(pages: Pages, listed: Sequence[Mapping[str, Any]]) -> Served | None:
    entries = _entries(pages.json("/api/v1/models"), "models")
    if entries is not None and all("key" in entry for entry in entries):
        return Served("lm_studio", _models(_lm_studio_model(entry) for entry in entries), _lm_studio_slots(entries))
    # Before LM Studio 0.4.
    entries = _entries(pages.json("/api/v0/models"), "data")
    if entries is not None and all("state" in entry for entry in entries):
        return Served("lm_studio", _models(_old_lm_studio_model(entry) for entry in entries))
    return None


def _lm_studio_model(entry: Mapping[str, Any]) -> ServedModel | None:
    instances = _entries(entry, "loaded_instances")
    if not instances:
        is_loaded = None if instances is None else False
        return _model(entry.get("key"), is_loaded, entry.get("max_context_length"))
    lengths = [_count(_within(instance, "config").get("context_length"), _MOST_TOKENS) for instance in instances]
    known = [length for length in lengths if length is not None]
    # A call may land on any of the instances, so the smallest is what can be relied on.
    return _model(entry.get("key"), True, min(known, default=None))


def _lm_studio_slots(entries: Sequence[Mapping[str, Any]]) -> int | None:
    """How many calls all loaded language models take at once; None unless each of them tells."""
    instances = [
        instance
        for entry in entries
        if entry.get("type") != "embedding"
        for instance in _entries(entry, "loaded_instances") or ()
    ]
    slots = [_count(_within(instance, "config").get("parallel"), _MOST_CALLS) for instance in instances]
    known = [count for count in slots if count is not None]
    return sum(known) if known and len(known) == len(slots) else None


def _old_lm_studio_model(entry: Mapping[str, Any]) -> ServedModel | None:
    is_loaded = entry.get("state") == "loaded"
    length = entry.get("loaded_context_length") if is_loaded else entry.get("max_context_length")
    return _model(entry.get("id"), is_loaded, length)


def _read_ollama(pages: Pages, listed: Sequence[Mapping[str, Any]]) -> Served | None:
    loaded = _entries(pages.json("/api/ps"), "models")
    if loaded is None:
        return None
    tags = _entries(pages.json("/api/tags"), "models")
    names = [_text(entry, "id") for entry in listed] if tags is None else [_text(entry, "name") for entry in tags]
    lengths = {_text(entry, "name"): entry.get("context_length") for entry in loaded}
    models = (_model(name, name in lengths, lengths.get(name)) for name in [*lengths, *names])
    return Served("ollama", _models(models))


def _read_vllm(pages: Pages, listed: Sequence[Mapping[str, Any]]) -> Served | None:
    metrics = pages.text("/metrics")
    return Served(
        "vllm",
        _models(_model(entry.get("id"), True, entry.get("max_model_len")) for entry in listed),
        slots_busy=metric(metrics, "vllm:num_requests_running"),
        queue_depth=metric(metrics, "vllm:num_requests_waiting"),
    )


def _read_llama_server(pages: Pages, listed: Sequence[Mapping[str, Any]]) -> Served | None:
    models = _models(_listed_model(entry) for entry in listed)
    properties = pages.json("/props")
    if not isinstance(properties, Mapping):
        return Served("llama_server", models)
    if properties.get("role") == "router":
        return Served("llama_server", models)
    is_asleep = properties.get("is_sleeping") is True
    length = _count(_within(properties, "default_generation_settings").get("n_ctx"), _MOST_TOKENS)
    models = tuple(
        replace(model, is_loaded=not is_asleep, context_window_tokens=length or model.context_window_tokens)
        for model in models
    )
    slots = _count(properties.get("total_slots"), _MOST_CALLS)
    # A sleeping server would load its model again to answer the other two pages.
    if is_asleep or not pages.may_keep_awake:
        return Served("llama_server", models, slots)
    metrics = pages.text("/metrics") if properties.get("endpoint_metrics") is not False else None
    busy = metric(metrics, "llamacpp:requests_processing")
    if busy is None and properties.get("endpoint_slots") is not False:
        busy = _busy_slots(pages.json("/slots"))
    return Served("llama_server", models, slots, busy, metric(metrics, "llamacpp:requests_deferred"))


def _busy_slots(page: Any) -> int | None:
    slots = [slot for slot in page if isinstance(slot, Mapping)] if isinstance(page, list) else []
    states = [state for slot in slots if isinstance(state := slot.get("is_processing"), bool)]
    return sum(states) if states and len(states) == len(slots) else None


def _listed_model(entry: Mapping[str, Any]) -> ServedModel | None:
    # The router of llama-server says of each model whether it is loaded.
    state = _within(entry, "status").get("value")
    length = entry.get("max_model_len") or entry.get("context_length") or _within(entry, "meta").get("n_ctx")
    return _model(entry.get("id"), state == "loaded" if isinstance(state, str) else None, length)


def _model(name: Any, is_loaded: bool | None, context_window_tokens: Any) -> ServedModel | None:
    if not isinstance(name, str) or not 0 < len(name) <= _LONGEST_NAME or not name.isprintable():
        return None
    return ServedModel(name, is_loaded, _count(context_window_tokens, _MOST_TOKENS))


def _models(models: Iterable[ServedModel | None]) -> tuple[ServedModel, ...]:
    named: dict[str, ServedModel] = {}
    for model in models:
        if model is not None:
            named.setdefault(model.name, model)
    return tuple(named.values())[:_MOST_MODELS]


def _entries(page: Any, field: str) -> list[Mapping[str, Any]] | None:
    """The objects of a list in the page; a server without models may write null. None when there is no such list."""
    if not isinstance(page, Mapping) or field not in page:
        return None
    entries = [] if page[field] is None else page[field]
    return [entry for entry in entries if isinstance(entry, Mapping)] if isinstance(entries, list) else None


def _text(entry: Mapping[str, Any], field: str) -> str:
    value = entry.get(field)
    return value if isinstance(value, str) else ""


def _within(entry: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    value = entry.get(field)
    return value if isinstance(value, Mapping) else {}


def _count(value: Any, most: int) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= most else None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


_Reader = Callable[[Pages, Sequence[Mapping[str, Any]]], Served | None]
_READERS: Mapping[ServerKind, _Reader] = {
    "lm_studio": _read_lm_studio,
    "ollama": _read_ollama,
    "vllm": _read_vllm,
    "llama_server": _read_llama_server,
}
