"""Whatever JSON a server sends for whichever page, reading it gives a server or none, never an error."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from node_agent.collectors.endpoints_pages import Pages
from node_agent.collectors.endpoints_servers import read_server
from node_agent.collectors.local_http import Answer
from node_agent.report import ServedEndpoint, ServerKind

KINDS: list[ServerKind] = ["lm_studio", "ollama", "vllm", "llama_server", "llama_cpp_python", "unknown"]
OWNERS = ["organization_owner", "library", "vllm", "llamacpp", "me", "somebody"]
FIELDS = [
    "config",
    "context_length",
    "default_generation_settings",
    "id",
    "is_processing",
    "is_sleeping",
    "key",
    "loaded_instances",
    "max_context_length",
    "max_model_len",
    "meta",
    "n_ctx",
    "name",
    "parallel",
    "role",
    "state",
    "status",
    "total_slots",
    "type",
    "value",
]
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["loaded", "router"])
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner), max_leaves=8
)
ENTRIES = st.dictionaries(st.sampled_from(FIELDS), VALUES)
LISTED = st.builds(
    lambda owner, entries: {"data": [{**entry, "owned_by": owner} for entry in entries]},
    st.sampled_from(OWNERS) | VALUES,
    st.lists(ENTRIES, min_size=1, max_size=3),
)
PAGES = (
    VALUES
    | ENTRIES
    | st.lists(ENTRIES, max_size=3)
    | st.fixed_dictionaries({"models": st.lists(ENTRIES, max_size=3) | VALUES})
    | st.fixed_dictionaries({"data": st.lists(ENTRIES, max_size=3) | VALUES})
)
PATHS = ["/api/v1/models", "/api/v0/models", "/api/ps", "/api/tags", "/props", "/slots", "/metrics"]


@settings(deadline=None)
@given(LISTED, st.fixed_dictionaries({path: PAGES for path in PATHS}), st.sampled_from(KINDS))
def test_any_json_is_read_as_a_server_that_tells_what_makes_sense(
    listed: Any, others: dict[str, Any], kind: ServerKind
) -> None:
    pages = Pages(
        lambda path: Answer(200, "application/json", json.dumps({"/v1/models": listed, **others}[path]).encode())
    )
    served = read_server(pages, kind)
    assert served is not None
    counts = (served.slots, served.slots_busy, served.queue_depth, *(m.context_window_tokens for m in served.models))
    assert all(count is None or (type(count) is int and count >= 0) for count in counts)
    assert all(model.is_loaded in (None, True, False) and model.name for model in served.models)
    assert ServedEndpoint("http://127.0.0.1:1/v1", served.kind, served.models).kind in KINDS


@settings(deadline=None)
@given(VALUES | ENTRIES)
def test_what_is_no_list_of_models_is_no_server(page: Any) -> None:
    pages = Pages(lambda path: Answer(200, "application/json", json.dumps(page).encode()))
    assert read_server(pages, "unknown") is None
