"""How varied are rehearsal calls before anything is thrown away? `python -m benchmarks.scale.rehearsal_variety`.

Plans data sets of all three domains, asks for their calls with the real prompts, and has the dialogue grammar write
them without HTTP and without the check that refuses a duplicate while a set is written. Then all calls together are
compared as `deduped_conversations` compares them by words, and every call that repeats an earlier one is counted: in
all, by method, and by pairs of templates. Also counts the ways through a call: distinct intent paths, and distinct
choices of template, complications and resolution.

The exit code is 1 when there are 1 % near-duplicates or more, or fewer than 40 intent paths. About 2 minutes of CPU
for 10,000 calls.
"""

import argparse
import resource
import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import chain, islice

import msgspec

from tip_assets.generation.glossary import prompt_for
from tip_assets.generation.prompts import CallPrompt, PlannedAttempt
from tip_assets.planning.domain_library import DomainLibrary, load_library
from tip_assets.planning.persona_generator import personas_for
from tip_assets.planning.scenario_engine import plan_scenarios
from tip_assets.quality.duplicates.comparison import Comparison
from tip_assets.quality.duplicates.whole_set import first_survive
from tip_resources.domain.call_plan import CallPlan
from tip_resources.domain.conversation import Conversation, Turn
from tip_resources.domain.dataset_spec import Complexity, DatasetSpec
from tip_resources.domain.scenario import Scenario
from tip_resources.rehearsal.dialogue.plan import call_plans
from tip_resources.rehearsal.dialogue.writer import write_call
from tip_resources.settings.models import Settings

DOMAINS = ("healthcare", "retail", "telecommunications")
TARGET_SHARE = 0.01
TARGET_PATHS = 40
_CALLS_A_REQUEST = 30
_MOST_SHOWN = 15


class Paths:
    """The different ways through a call that were planned."""

    def __init__(self) -> None:
        self.intents: set[tuple[str, ...]] = set()
        self.choices: set[tuple[object, ...]] = set()
        self.templates: set[tuple[str, str]] = set()

    def add(self, scenario: Scenario) -> None:
        """One more call."""
        self.intents.add(scenario.intent_path)
        self.templates.add((scenario.domain, scenario.template))
        self.choices.add((scenario.domain, scenario.template, scenario.complications, scenario.resolution))


def written_calls(
    spec: DatasetSpec, library: DomainLibrary, prompt: CallPrompt, paths: Paths
) -> Iterator[Conversation]:
    """The calls of one data set, first attempts only; an id tells domain, template and place."""
    settings = Settings().generation
    exchanges = settings.exchanges_simple if spec.complexity == "simple" else settings.exchanges_complex
    scenarios = plan_scenarios(spec, library)
    while batch := list(islice(scenarios, _CALLS_A_REQUEST)):
        attempts: list[PlannedAttempt] = []
        for scenario in batch:
            paths.add(scenario)
            customer, agent = personas_for(spec, scenario, library)
            plan = CallPlan(index=scenario.index, scenario=scenario, customer=customer, agent=agent)
            attempts.append(PlannedAttempt(plan, attempt=1))
        request = prompt.request(
            attempts, spec, request_id="-", exchanges=exchanges, max_output_tokens=1, temperature=1.0
        )
        plans = call_plans(request.messages[-1].content)
        assert plans is not None and len(plans) == len(batch)
        for scenario, planned in zip(batch, plans, strict=True):
            turns = msgspec.convert(write_call(planned, str(request.seed)), tuple[Turn, ...])
            name = f"{spec.domain}/{scenario.template}/{scenario.index}"
            yield Conversation(id=name, dataset=spec.name, domain=spec.domain, turns=turns)


def _template_of(identifier: str) -> str:
    return identifier.rpartition("/")[0]


def main() -> None:
    """Writes, compares, prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=10_000, help="Over all three domains, a third each.")
    parser.add_argument("--complexity", choices=("simple", "complex"), default="simple")
    parser.add_argument("--tone", default="frustrated", help="Emotional tone of all callers; `mixed` varies it.")
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    paths, complexity = Paths(), options.complexity
    streams = [
        _calls_of(domain, options.calls * (place + 1) // 3 - options.calls * place // 3, options, complexity, paths)
        for place, domain in enumerate(DOMAINS)
    ]
    methods, pairs, total = Counter[str](), Counter[tuple[str, str]](), Counter[str]()
    for call, removed in first_survive(chain(*streams), Comparison(keep="first")):
        total[_template_of(call.id)] += 1
        if removed is not None:
            methods[removed.method] += 1
            pairs[_template_of(removed.id), _template_of(removed.duplicate_of)] += 1
    repeated, calls = methods.total(), total.total()
    print(f"{calls:,} calls, {len(paths.templates)} templates, {len(paths.intents):,} different intent paths,", end=" ")
    print(f"{len(paths.choices):,} choices of template, complications and resolution")
    print(f"near-duplicates of an earlier call: {repeated:,} ({repeated / calls:.2%}), by method {dict(methods)}")
    for (later, earlier), count in pairs.most_common(_MOST_SHOWN):
        print(f"  {count:5} of {total[later]:,} {later} repeat {earlier}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(f"{time.process_time():.1f} s of CPU, {peak:.0f} MB at most")
    sys.exit(repeated >= TARGET_SHARE * calls or len(paths.intents) < TARGET_PATHS)


def _calls_of(
    domain: str, count: int, options: argparse.Namespace, complexity: Complexity, paths: Paths
) -> Iterator[Conversation]:
    spec = DatasetSpec(
        name=domain, count=count, domain=domain, complexity=complexity, emotional_tone=options.tone, seed=options.seed
    )
    library = load_library(domain)
    return written_calls(spec, library, prompt_for(library), paths)


if __name__ == "__main__":
    main()
