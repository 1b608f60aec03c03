"""The environment layer: `TIP_QUALITY__MINIMUM_SCORE=0.9` sets quality.minimum_score.

The few variables that are no settings are listed here; TIP_LLM_URL and its companions add an endpoint.
"""

from collections.abc import Mapping
from urllib.parse import urlsplit

from tip_resources.domain.failures import BadInput
from tip_resources.redaction_key import KEY_VARIABLE
from tip_resources.settings.keys import Given, all_keys, flatten, is_known, nested, parse_text, unknown_key

PREFIX = "TIP_"
NODE = "TIP_NODE"
LLM_URL = "TIP_LLM_URL"
LLM_MODEL = "TIP_LLM_MODEL"
LLM_API_KEY = "TIP_LLM_API_KEY"

# Read elsewhere: home.py, database/connection.py, redaction_key.py, and below.
# TIP_NODE is the machine's name, not the group `node`.
NOT_SETTINGS = frozenset({"TIP_HOME", "TIP_DATABASE_URL", KEY_VARIABLE, NODE, LLM_URL, LLM_MODEL, LLM_API_KEY})

_ENDPOINTS = "models.endpoints"


def environment_layer(environ: Mapping[str, str]) -> dict[str, Given]:
    """The settings among the TIP_ variables. Others without `__` belong to other parts of tip and are left alone.

    Raises:
        BadInput: A name is close to a setting's but is not one, or a secret is set by the wrong name.
    """
    found: dict[str, Given] = {}
    for variable, text in environ.items():
        name = variable.removeprefix(PREFIX)
        if name == variable or variable in NOT_SETTINGS or not text:
            continue
        key = name.lower().replace("__", ".")
        where = f"environment variable {variable}"
        if not is_known(key):
            if "." in key:
                raise unknown_key(key, where)
            _refuse_single_underscores(key, where)
            continue
        found |= flatten(nested(key, parse_text(key, text)), "environment", lambda _, where=where: where)
    return found


def with_llm_endpoint(given: Mapping[str, Given], environ: Mapping[str, str]) -> dict[str, Given]:
    """Puts the endpoint of TIP_LLM_URL first among those of the other layers.

    Raises:
        BadInput: TIP_LLM_MODEL is set without TIP_LLM_URL.
    """
    merged = dict(given)
    key = environ.get(LLM_API_KEY, "")
    if key:
        merged["models.api_key"] = Given(key, "environment", f"environment variable {LLM_API_KEY}")
    url = environ.get(LLM_URL, "").strip()
    if not url:
        if environ.get(LLM_MODEL):
            raise BadInput(
                f"{LLM_MODEL} is set, {LLM_URL} is not.",
                where="environment",
                mend=f"Set {LLM_URL} too, for example http://localhost:1234/v1, or unset {LLM_MODEL}.",
            )
        return merged
    others = merged[_ENDPOINTS].value if _ENDPOINTS in merged else []
    if not isinstance(others, list):  # the models say what is wrong with it
        return merged
    host = _host(url)
    endpoint = {
        "url": url,
        "name": host,
        "model": environ.get(LLM_MODEL) or None,
        "tier": _tier(host),
        "api_key_env": LLM_API_KEY if key else "",
    }
    kept = [other for other in others if not isinstance(other, dict) or other.get("url") != url]
    merged[_ENDPOINTS] = Given([endpoint, *kept], "environment", f"environment variable {LLM_URL}")
    return merged


def _refuse_single_underscores(key: str, where: str) -> None:
    """TIP_QUALITY_MINIMUM_SCORE would be ignored without a word."""
    for name in all_keys():
        if name.replace(".", "_") == key:
            meant = PREFIX + name.replace(".", "__").upper()
            raise BadInput("it sets nothing.", where=where, mend=f"Did you mean {meant}?")


def _host(url: str) -> str:
    try:
        return urlsplit(url).netloc.rpartition("@")[2]
    except ValueError:  # the models say what is wrong with it
        return ""


def _tier(host: str) -> str:
    name = host.rsplit(":", 1)[0].strip("[]").lower()
    if name in {"localhost", "::1"} or name.startswith("127."):
        return "local"
    return "openai" if name == "api.openai.com" else "network"
