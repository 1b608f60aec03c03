"""What was asked for: the specification of one data set, which is one partition."""

from typing import Annotated, Literal

import msgspec

from tip_resources.domain.grade import GradingTier
from tip_resources.domain.names import validate_dataset_name
from tip_resources.domain.priority import Priority
from tip_resources.domain.provenance import Tier

Complexity = Literal["simple", "complex"]
GenerationMode = Literal["batched", "two_agent"]
SpecSource = Literal["generate", "import", "youtube"]

# One request can ask for at most this many calls; DESIGN section 12 aims at 10 million over all sets.
MAX_COUNT = 1_000_000


class Budget(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What making a data set may cost at most; None is no limit. Cost is in US dollars."""

    max_tokens: Annotated[int, msgspec.Meta(ge=1)] | None = None
    max_cost: Annotated[float, msgspec.Meta(gt=0)] | None = None
    max_minutes: Annotated[float, msgspec.Meta(gt=0)] | None = None


class DatasetSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One data set. The database row holding it is the truth of a partition.

    `scenario_templates` empty means all of the domain's; `model` and `grading` None mean the settings' choice;
    `rehearsal` asks for the scripted server and is never set by itself outside `tip demo`; `batch_api` asks
    for OpenAI's batch API (half price, answers within a day), on the `openai` tier only. `priority` says how soon
    it is made beside others, not what it is.
    """

    name: str
    count: Annotated[int, msgspec.Meta(ge=1, le=MAX_COUNT)]
    domain: str
    query: str = ""
    complexity: Complexity = "simple"
    emotional_tone: str = "neutral"
    caller_type: str = ""
    scenario_templates: tuple[str, ...] = ()
    language: str = "en"
    mode: GenerationMode = "batched"
    model: str | None = None
    tier: Tier | None = None
    grading: GradingTier | None = None
    rehearsal: bool = False
    budget: Budget = Budget()
    batch_api: bool = False
    priority: Priority = "normal"
    seed: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)] = 1
    source: SpecSource = "generate"
    source_keys: tuple[str, ...] = ()
    requested_by: str = ""
    created_at: str = ""

    def __post_init__(self) -> None:
        validate_dataset_name(self.name)
