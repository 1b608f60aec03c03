"""Every setting tip has, with its default and unit. Where values come from lives in layers.py.

Numbers a user might want to change are here, with the mission's defaults. A new setting needs a
description: the configuration page and `tip config` are made from these models.
"""

import re
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from tip_resources.domain.redaction import RedactionStyle
from tip_resources.settings.fleet_models import FleetSettings, NodeProfile
from tip_resources.settings.section import Celsius, PositiveInt, PositiveSeconds, Ratio, Section
from tip_resources.settings.upkeep_models import DiskSettings, RetentionSettings


class IntRange(Section):
    """From `low` to `high`, both included."""

    low: PositiveInt
    high: PositiveInt

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.low > self.high:
            raise ValueError(f"low ({self.low}) is above high ({self.high})")
        return self


class EndpointSettings(Section):
    """One OpenAI-compatible server."""

    url: str = Field(description="Base URL, for example http://localhost:1234/v1.")
    name: str = Field(default="", description="Shown in logs and provenance; made from the URL when empty.")
    model: str | None = Field(default=None, description="Model to ask for; None takes the first one the server lists.")
    tier: Literal["local", "network", "openai"] = Field(
        default="local", description="Which tier the endpoint belongs to."
    )
    api_key_env: str = Field(default="", description="Environment variable that holds the API key; empty for none.")
    context_window_tokens: PositiveInt | None = Field(default=None, description="Context window; None asks the server.")
    concurrency: PositiveInt | None = Field(
        default=None, description="Most calls at once; None takes generation.concurrency."
    )

    @field_validator("url")
    @classmethod
    def _is_http(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("not an http:// or https:// address, such as http://localhost:1234/v1")
        if parts.username or parts.password:
            raise ValueError("no user or password in the address; name the variable with the key in api_key_env")
        return url

    @field_validator("api_key_env")
    @classmethod
    def _is_a_name(cls, name: str) -> str:
        # A key pasted here would end up in the database and in `tip config get`.
        if name and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,63}", name):
            raise ValueError("give the NAME of an environment variable that holds the key, not the key")
        return name


class LlamaServerSettings(Section):
    """One GGUF file that `tip up` serves by itself, with llama.cpp on the CPU."""

    model_path: str = Field(description="The GGUF file; not absolute means in the project folder.")
    name: str = Field(default="", description="Name of the model and the endpoint; made from the file's when empty.")
    port: Annotated[int, Field(ge=1, le=65535)] | None = Field(
        default=None, description="On this machine only; None takes 8090 for the first, 8091 for the second, ..."
    )
    threads: PositiveInt | None = Field(default=None, description="None takes one for each physical core.")
    context_window_tokens: PositiveInt | None = Field(
        default=None, description="None takes the largest useful one that fits into memory."
    )

    @field_validator("name")
    @classmethod
    def _is_a_file_name(cls, name: str) -> str:
        if name and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", name):
            raise ValueError("letters, digits, dots, dashes and underscores only, 64 at most")
        return name


class ModelSettings(Section):
    """Which endpoints and models write the calls."""

    endpoints: tuple[EndpointSettings, ...] = Field(
        default=(), description="Configured servers, besides the probed ones."
    )
    llama_servers: tuple[LlamaServerSettings, ...] = Field(
        default=(), description="GGUF files that tip serves itself; needs the extra llama."
    )
    probe_localhost: bool = Field(
        default=True, description="Look for LM Studio, Ollama, vLLM and llama-server on localhost."
    )
    by_domain: dict[str, str] = Field(default={}, description="Model to use per domain, for example healthcare: phi-4.")
    by_role: dict[Literal["write", "judge", "refine"], str] = Field(
        default={}, description="Model to use per role, for example judge: qwen2.5-14b. A domain's model goes first."
    )
    rehearsal_options: tuple[str, ...] = Field(
        default=(), description="Flags of the rehearsal server, for example --tokens-per-second 40."
    )
    api_key: SecretStr | None = Field(default=None, description="API key for TIP_LLM_URL; from the environment only.")


class GenerationSettings(Section):
    """How calls are written."""

    batch_size_simple: IntRange = Field(default=IntRange(low=15, high=30), description="Conversations per model call.")
    batch_size_complex: IntRange = Field(default=IntRange(low=5, high=10), description="Conversations per model call.")
    exchanges_simple: IntRange = Field(default=IntRange(low=20, high=40), description="Exchanges in a simple call.")
    exchanges_complex: IntRange = Field(default=IntRange(low=80, high=150), description="Exchanges in a complex call.")
    minimum_turns: PositiveInt = Field(default=8, description="A call with fewer turns is rejected as too short.")
    concurrency: IntRange = Field(
        default=IntRange(low=2, high=6),
        description="Calls in flight per endpoint to start with; more where throughput keeps rising.",
    )
    top_up_rounds: Annotated[int, Field(ge=0)] = Field(
        default=5, description="Rounds in which rejected calls are replaced."
    )
    temperature: Annotated[float, Field(ge=0, le=2)] = Field(default=0.8, description="Sampling temperature.")
    tokens_per_turn: PositiveInt = Field(default=40, description="Planning figure for output tokens of one turn.")
    shard_calls: PositiveInt = Field(default=50_000, description="A set larger than this is written in several shards.")
    recipe: str = Field(
        default="",
        description="Recipe of config/recipes/ that calls are written by, as `tip improve` makes them; empty for none.",
    )


class EngineSettings(Section):
    """How the request engine treats endpoints."""

    connect_timeout_seconds: PositiveSeconds = Field(default=10, description="Longest silence while connecting.")
    first_token_timeout_seconds: PositiveSeconds = Field(
        default=300, description="Longest silence before the first token."
    )
    between_tokens_timeout_seconds: PositiveSeconds = Field(default=60, description="Longest silence between tokens.")
    retries: Annotated[int, Field(ge=0)] = Field(default=4, description="Attempts after the first.")
    backoff_first_seconds: PositiveSeconds = Field(
        default=1, description="First wait before an endpoint that failed is asked again; then 2, 4, 8 times that."
    )
    backoff_longest_seconds: PositiveSeconds = Field(default=8, description="Longest such wait; all are jittered.")
    breaker_failures: PositiveInt = Field(default=5, description="Failures in a row that take an endpoint out.")
    breaker_seconds: PositiveSeconds = Field(
        default=30, description="Longest pause between two trials of an endpoint that fails."
    )
    target_p95_ms: PositiveInt = Field(default=2500, description="Guardrail: p95 of time to first token.")
    target_token_ms: PositiveInt = Field(default=1000, description="Guardrail: p95 of time per output token.")
    target_error_rate: Ratio = Field(default=0.03, description="Guardrail: share of failed calls.")
    max_concurrency: PositiveInt = Field(
        default=256, description="Most calls in flight per endpoint, however much faster more would be."
    )
    hedge: bool = Field(
        default=True,
        description="At the end of a run, idle unpaid endpoints also try the calls that slow or silent ones hold.",
    )
    unavailable_limit_seconds: PositiveSeconds = Field(
        default=900, description="Longest wait while no endpoint can be used; calls are then given up with the reason."
    )
    max_answer_megabytes: PositiveInt = Field(
        default=64, description="A longer answer on the wire is cut off as endless."
    )
    probe_timeout_seconds: PositiveSeconds = Field(
        default=2, description="Longest time to ask a server what it serves."
    )


class QualitySettings(Section):
    """What a call must reach to be delivered."""

    minimum_score: Ratio = Field(default=0.85, description="Least overall grade, divided by 5.")
    near_duplicate_threshold: Ratio = Field(
        default=0.65,
        description="Share of its words, where it matches least, that makes a call a duplicate of an earlier one.",
    )
    masked_duplicate_threshold: Ratio = Field(
        default=0.88,
        description="The same with names and numbers left out: what is left is more alike in any two calls.",
    )
    semantic: Literal["auto", "off", "candidates", "everything"] = Field(
        default="auto",
        description="Whose meaning is compared. candidates: pairs of a set whose words leave it open; everything: all "
        "calls by sentence vectors (extra semantic), on a CPU some 4 calls of 3 kB a second; off: nobody's; auto: "
        "everything where the extra sees a GPU, else candidates.",
    )
    semantic_vectors: Literal["auto", "words", "sentences"] = Field(
        default="auto",
        description="By what: words cost 1 ms a pair and know no synonyms; sentences need the extra semantic; auto: "
        "sentences where it sees a GPU, else words.",
    )
    semantic_pairs: Annotated[int, Field(ge=0)] = Field(
        default=2000,
        description="Pairs of a set compared by sentence vectors on a CPU at most (0.1 s each), the most alike first; "
        "the rest by words.",
    )
    duplicate_threshold: Ratio = Field(
        default=0.95, description="How sure the comparison by meaning must be that two calls say the same."
    )
    grading_tier: Literal["local", "network", "openai"] = Field(default="local", description="Who grades.")
    judge_samples: Annotated[int, Field(ge=1, le=9)] = Field(
        default=1, description="How often a judge is asked about each call; more cost more and tell how sure it is."
    )
    presidio: bool = Field(
        default=False, description="Search with Presidio's patterns as well; slow, needs the extra presidio."
    )
    expected_pass_rate: Ratio = Field(
        default=0.95, description="Share of a set's calls that must reach minimum_score; below it the check warns."
    )
    blocked_share: Ratio = Field(default=0.05, description="Share of calls with unscrubbable facts that blocks a set.")
    reference: str = Field(
        default="",
        description="JSONL file or folder of real calls that ours are held against; empty takes config/reference/, "
        "or the built-in calls.",
    )

    @model_validator(mode="after")
    def _everything_by_sentences(self) -> Self:
        if self.semantic == "everything" and self.semantic_vectors == "words":
            raise ValueError("semantic is everything, which needs semantic_vectors sentences (or auto)")
        return self


class ThermalSettings(Section):
    """When a machine is too hot to work."""

    cpu_limit_celsius: Celsius = Field(default=80, description="Nothing is launched above this CPU temperature.")
    gpu_limit_celsius: Celsius = Field(default=85, description="Nothing is launched above this GPU temperature.")
    recovery_celsius: Celsius = Field(
        default=75, description="A hot machine works again below this; one with no forecast is throttled from here on."
    )
    raspberry_pi_limit_celsius: Celsius = Field(
        default=75,
        description="Nothing is launched on a Raspberry Pi above this; its firmware slows it down from 80 on.",
    )
    raspberry_pi_recovery_celsius: Celsius = Field(default=70, description="A hot Raspberry Pi works again below this.")
    throttle_factor: Ratio = Field(default=0.7, description="Share of the concurrency a throttled machine keeps.")
    forecast_seconds: Annotated[float, Field(ge=0)] = Field(
        default=120, description="Throttled when the forecast comes close to the limit within this; 0: no forecasts."
    )

    @model_validator(mode="after")
    def _recovers_below_the_limits(self) -> Self:
        limit = min(self.cpu_limit_celsius, self.gpu_limit_celsius)
        if self.recovery_celsius >= limit:
            raise ValueError(f"recovery_celsius ({self.recovery_celsius}) must be below both limits ({limit})")
        if self.raspberry_pi_recovery_celsius >= self.raspberry_pi_limit_celsius:
            raise ValueError("raspberry_pi_recovery_celsius must be below raspberry_pi_limit_celsius")
        return self


class PlacementSettings(Section):
    """Weights of the node score, and when a node has enough to do."""

    thermal: Ratio = Field(default=0.4, description="Weight of the thermal state.")
    queue: Ratio = Field(default=0.3, description="Weight of the queue depth.")
    capability: Ratio = Field(default=0.2, description="Weight of the capability match.")
    history: Ratio = Field(default=0.1, description="Weight of past performance.")
    max_queue_depth: PositiveInt = Field(
        default=100, description="A node for which this much work waits gets more only while no other can take it."
    )


class NodeSettings(Section):
    """This machine and its watch."""

    profile: NodeProfile = Field(
        default="hybrid", description="Class of machine; picks config/node_profiles/<profile>.yaml."
    )
    step_slots: PositiveInt = Field(default=2, description="Dagster steps at once on this machine.")
    health_check_seconds: PositiveSeconds = Field(default=30, description="Time between node reports.")


class ExportSettings(Section):
    """What leaves the house."""

    redaction_style: RedactionStyle = Field(
        default="type_tag",
        description="type_tag writes [NAME], pii [PII], surrogate a made-up value, hash [NAME_3F9A2C51].",
    )
    styles: dict[Literal["lex", "csv", "jsonl"], RedactionStyle] = Field(
        default={}, description="Style of one format where it is another, for example jsonl: surrogate."
    )
    lex_minimum_turns: PositiveInt = Field(default=1000, description="Lex asks for at least this many turns in all.")

    def style_of(self, export_format: Literal["lex", "csv", "jsonl"]) -> RedactionStyle:
        """The style in which a format leaves the house."""
        return self.styles.get(export_format, self.redaction_style)

    @property
    def styles_used(self) -> tuple[RedactionStyle, ...]:
        """Every style that some export of the settings uses."""
        return tuple(dict.fromkeys((self.redaction_style, *self.styles.values())))


class GateSettings(Section):
    """How many runs may go on at once, from the state of the fleet."""

    rise_after_seconds: PositiveSeconds = Field(
        default=60, description="A better state must last this long before more runs start; a worse one counts at once."
    )
    run_on: tuple[str, ...] = Field(
        default=(), description="Machines on which runs go on; none means this one. On Kubernetes: the nodes for runs."
    )


class Settings(Section):
    """All settings of one process, as they are after every layer was read."""

    environment: Literal["development", "production"] = Field(
        default="development", description="Profiles build on it."
    )
    debug: bool = Field(
        default=False, description="Say every change of an endpoint's state or limit in the run's log, with why."
    )
    storage_url: str = Field(
        default="",
        description="Where sets, parts and exports are kept: a folder or s3://BUCKET/PREFIX; empty for .tip/data.",
    )
    models: ModelSettings = ModelSettings()
    generation: GenerationSettings = GenerationSettings()
    engine: EngineSettings = EngineSettings()
    quality: QualitySettings = QualitySettings()
    thermal: ThermalSettings = ThermalSettings()
    placement: PlacementSettings = PlacementSettings()
    node: NodeSettings = NodeSettings()
    fleet: FleetSettings = FleetSettings()
    exports: ExportSettings = ExportSettings()
    gate: GateSettings = GateSettings()
    retention: RetentionSettings = RetentionSettings()
    disk: DiskSettings = DiskSettings()
