"""Promises of the endpoints: the right servers and models, paid and scripted ones only when chosen."""

import asyncio
from typing import Any

import pytest

from tests.unit.resources.llm.helpers import DEAD_URL
from tests.unit.resources.llm.scripted_server import ScriptedServer, json_page
from tip_resources.domain.failures import BadInput
from tip_resources.llm.candidates import LocalServer, candidates
from tip_resources.llm.endpoints import NoEndpoint, resolve_endpoints
from tip_resources.llm.types import Endpoint
from tip_resources.settings.models import EndpointSettings, ModelSettings, Settings

NONE_LOCAL = (LocalServer("LM Studio", DEAD_URL),)


def models(*names: str, **fields: Any) -> Any:
    return {"data": [{"id": name, **fields} for name in names]}


def configured(*entries: EndpointSettings, **fields: Any) -> Settings:
    return Settings(models=ModelSettings(endpoints=entries, **fields))


def resolve(
    settings: Settings | None = None, *, environ: dict[str, str] | None = None, **options: Any
) -> list[Endpoint]:
    options = {"domain": "healthcare", "local_servers": NONE_LOCAL, **options}
    return asyncio.run(resolve_endpoints(settings or Settings(), environ=environ or {}, **options))


def with_server(served: Any, ask: Any) -> Any:
    """Runs `ask(server)` while a server with these models is up."""

    async def scenario() -> Any:
        async with ScriptedServer(models=served) as server:
            return await ask(server)

    return asyncio.run(scenario())


def resolve_with(served: Any, settings_for: Any = None, environ_for: Any = None, **options: Any) -> list[Endpoint]:
    async def ask(server: ScriptedServer) -> list[Endpoint]:
        return await resolve_endpoints(
            settings_for(server.url) if settings_for else Settings(),
            environ=environ_for(server.url) if environ_for else {},
            **{"domain": "healthcare", "local_servers": NONE_LOCAL, **options},
        )

    return with_server(served, ask)


def test_a_server_on_a_usual_local_port_is_found() -> None:
    async def ask(server: ScriptedServer) -> list[Endpoint]:
        local = (LocalServer("LM Studio", server.url), *NONE_LOCAL)
        return await resolve_endpoints(Settings(), domain="retail", environ={}, local_servers=local)

    (endpoint,) = with_server(models("phi-4", max_model_len=8192), ask)
    assert (endpoint.model, endpoint.tier, endpoint.scripted) == ("phi-4", "local", False)
    assert (endpoint.context_window_tokens, endpoint.concurrency, endpoint.most_at_once) == (8192, 6, None)


def test_the_environment_names_a_server_and_nothing_else_is_looked_for() -> None:
    async def ask(server: ScriptedServer) -> list[Endpoint]:
        other = LocalServer("Ollama", server.url.replace("127.0.0.1", "[::1]"))
        environ = {"TIP_LLM_URL": server.url.removesuffix("/v1"), "TIP_LLM_API_KEY": "s3cret"}
        return await resolve_endpoints(Settings(), domain="retail", environ=environ, local_servers=(other,))

    (endpoint,) = with_server(models("phi-4"), ask)
    assert endpoint.api_key is not None
    assert endpoint.api_key.get_secret_value() == "s3cret"
    assert endpoint.api_key_env == "TIP_LLM_API_KEY"


def test_the_same_server_in_settings_and_environment_is_one_endpoint() -> None:
    def settings_for(url: str) -> Settings:
        return configured(EndpointSettings(url=url.replace("127.0.0.1", "localhost"), name="mine", concurrency=9))

    (endpoint,) = resolve_with(models("phi-4"), settings_for, lambda url: {"TIP_LLM_URL": url})
    assert (endpoint.name, endpoint.most_at_once) == ("mine", 9)


def test_the_model_of_the_domain_is_used() -> None:
    def settings_for(url: str) -> Settings:
        return configured(EndpointSettings(url=url), by_domain={"healthcare": "med-7b"})

    served = models("phi-4", "med-7b")
    assert resolve_with(served, settings_for)[0].model == "med-7b"
    assert resolve_with(served, settings_for, domain="retail")[0].model == "phi-4"
    assert resolve_with(served, settings_for, model="phi-4")[0].model == "phi-4"


def test_the_model_of_the_role_is_used_where_no_narrower_wish_is() -> None:
    def settings_for(url: str) -> Settings:
        roles = {"write": "writer", "judge": "judge-14b"}
        entry = EndpointSettings(url=url, model="phi-4")
        return configured(entry, by_domain={"healthcare": "med-7b"}, by_role=roles)

    served = models("phi-4", "med-7b", "judge-14b", "writer")
    assert resolve_with(served, settings_for, domain="", role="judge")[0].model == "judge-14b"
    assert resolve_with(served, settings_for, domain="retail")[0].model == "writer"
    # The domain is the narrower wish; a role without a model takes the endpoint's own.
    assert resolve_with(served, settings_for, domain="healthcare")[0].model == "med-7b"
    assert resolve_with(served, settings_for, domain="", role="refine")[0].model == "phi-4"
    assert resolve_with(served, settings_for, domain="", role="judge", model="phi-4")[0].model == "phi-4"


def test_the_model_named_in_the_environment_outranks_that_of_the_role() -> None:
    def settings_for(url: str) -> Settings:
        return configured(EndpointSettings(url=url, api_key_env=""), by_role={"judge": "judge-14b"})

    def environ_for(url: str) -> dict[str, str]:
        return {"TIP_LLM_URL": url, "TIP_LLM_MODEL": "phi-4"}

    served = models("phi-4", "judge-14b")
    assert resolve_with(served, settings_for, environ_for, domain="", role="judge")[0].model == "phi-4"


def test_a_role_whose_model_nobody_serves_says_so() -> None:
    def settings_for(url: str) -> Settings:
        return configured(EndpointSettings(url=url), by_role={"judge": "judge-14b"})

    with pytest.raises(NoEndpoint, match=r"judging calls.*(?s:.*)does not serve judge-14b; it serves phi-4"):
        resolve_with(models("phi-4"), settings_for, domain="", role="judge")


def test_the_model_named_in_the_environment_outranks_that_of_the_domain() -> None:
    def settings_for(url: str) -> Settings:
        return configured(EndpointSettings(url=url, model="phi-4", api_key_env=""), by_domain={"healthcare": "med-7b"})

    def environ_for(url: str) -> dict[str, str]:
        return {"TIP_LLM_URL": url, "TIP_LLM_MODEL": "phi-4"}

    assert resolve_with(models("phi-4", "med-7b"), settings_for, environ_for)[0].model == "phi-4"


def test_a_loaded_model_is_preferred_to_the_first_listed() -> None:
    served = {"data": [{"id": "nomic-embed"}, {"id": "cold"}, {"id": "warm", "state": "loaded"}]}
    assert resolve_with(served, environ_for=lambda url: {"TIP_LLM_URL": url})[0].model == "warm"


def test_a_model_that_is_not_served_is_said_with_those_that_are() -> None:
    with pytest.raises(NoEndpoint, match="does not serve gpt-9; it serves phi-4, qwen"):
        resolve_with(models("phi-4", "qwen"), environ_for=lambda url: {"TIP_LLM_URL": url, "TIP_LLM_MODEL": "gpt-9"})


def test_without_any_server_the_message_lists_what_was_tried_and_how_to_mend_it() -> None:
    with pytest.raises(NoEndpoint) as error:
        resolve()
    text = str(error.value)
    assert f"{DEAD_URL} (LM Studio): nobody answers" in text
    assert "TIP_LLM_URL" in text
    assert "--rehearsal" in text


def test_a_production_request_never_uses_the_rehearsal_server() -> None:
    with pytest.raises(NoEndpoint, match="only with --rehearsal"):
        resolve_with(models("rehearsal"), environ_for=lambda url: {"TIP_LLM_URL": url})
    with pytest.raises(NoEndpoint):
        resolve_with(models("rehearsal"), environ_for=lambda url: {"TIP_LLM_URL": url}, model="rehearsal")


def test_a_rehearsal_uses_only_the_rehearsal_server() -> None:
    (endpoint,) = resolve_with(models("rehearsal"), environ_for=lambda url: {"TIP_LLM_URL": url}, rehearsal=True)
    assert (endpoint.scripted, endpoint.model) == (True, "rehearsal")
    with pytest.raises(NoEndpoint, match="not the rehearsal server"):
        resolve_with(models("phi-4"), environ_for=lambda url: {"TIP_LLM_URL": url}, rehearsal=True)


PAID = EndpointSettings(url="https://api.openai.com/v1", tier="openai", model="gpt-x")


def test_the_paid_api_is_used_only_when_chosen() -> None:
    keyed = {"OPENAI_API_KEY": "sk-1"}
    (not_chosen,) = candidates(configured(PAID), None, keyed, ())
    assert "only when the tier openai is chosen" in not_chosen.obstacle
    (chosen,) = candidates(configured(PAID), "openai", keyed, ())
    assert chosen.obstacle == ""
    assert chosen.api_key_env == "OPENAI_API_KEY"
    (named,) = candidates(Settings(), None, {"TIP_LLM_URL": PAID.url, "TIP_LLM_API_KEY": "sk-1"}, ())
    assert (named.obstacle, named.tier) == ("", "openai")


def test_a_missing_key_names_its_variable_and_nobody_is_asked() -> None:
    entry = EndpointSettings(url=DEAD_URL, api_key_env="BOX_KEY")
    with pytest.raises(NoEndpoint, match="set the environment variable BOX_KEY"):
        resolve(configured(entry, probe_localhost=False))


def test_the_key_of_the_settings_serves_the_named_server_only() -> None:
    settings = configured(EndpointSettings(url="http://other:1/v1", name="other"), api_key="s3cret")
    mine, other = candidates(settings, None, {"TIP_LLM_URL": "http://box:1/v1"}, ())
    assert mine.api_key is not None
    assert other.api_key is None


def test_another_tier_than_the_asked_one_is_passed_over() -> None:
    lan = EndpointSettings(url="http://192.168.1.7:1234/v1")
    (found,) = candidates(configured(lan), "local", {}, ())
    assert "belongs to the tier network" in found.obstacle


def test_local_ports_are_not_probed_when_the_settings_say_so_or_the_tier_does() -> None:
    assert candidates(configured(probe_localhost=False), None, {}, NONE_LOCAL) == []
    assert candidates(Settings(), "network", {}, NONE_LOCAL) == []
    assert len(candidates(Settings(), "local", {}, NONE_LOCAL)) == 1


def test_endpoints_with_the_same_name_are_told_apart() -> None:
    one, two = EndpointSettings(url="http://a:1/v1", name="gpu"), EndpointSettings(url="http://b:1/v1", name="gpu")
    assert [found.name for found in candidates(configured(one, two), None, {}, ())] == ["gpu", "gpu#2"]


def test_an_address_that_is_none_is_said_and_does_not_stop_the_others() -> None:
    bad, good = EndpointSettings(url="http://box:99999/v1"), EndpointSettings(url="http://box:1234/v1")
    found = candidates(configured(bad, good), None, {}, ())
    assert "Port out of range" in found[0].obstacle
    assert found[1].obstacle == ""


def test_a_bad_address_in_the_environment_is_refused_by_its_name() -> None:
    with pytest.raises(BadInput, match="TIP_LLM_URL"):
        resolve(environ={"TIP_LLM_URL": "ftp://x"})


def test_no_more_calls_at_once_than_a_server_has_slots() -> None:
    async def scenario() -> list[Endpoint]:
        page = json_page({"total_slots": 2, "default_generation_settings": {"n_ctx": 4096}})
        async with ScriptedServer(models=models("tiny", owned_by="llamacpp"), pages={"/props": page}) as server:
            return await resolve_endpoints(Settings(), domain="retail", environ={"TIP_LLM_URL": server.url})

    assert asyncio.run(scenario())[0].concurrency == 2
