"""What dataset_metrics costs: CPU seconds of each part and the peak memory, for a set of any size.

The calls are those of the rehearsal server's grammar over plans of the retail domain. A set of more than 500 holds them
again and again, which changes the figures and not the work.

    python -m benchmarks.quality.set_metrics                    500 calls
    python -m benchmarks.quality.set_metrics --calls 100000     a sample is drawn
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import polars as pl
from msgspec.structs import replace

from tip_assets.generation.peak_memory import peak_memory_mb
from tip_assets.planning.domain_library import load_library
from tip_assets.planning.plan import plan_calls
from tip_assets.quality.flow.template_rate import template_rate
from tip_assets.quality.metrics.analysis import analyse
from tip_assets.quality.metrics.coverage import counted_coverage, read_coverage
from tip_assets.quality.metrics.sampling import sample_of_set
from tip_assets.quality.realism.reference import built_in_reference
from tip_resources.domain.call_plan import CallPlan
from tip_resources.domain.codec import to_builtins
from tip_resources.domain.conversation import Conversation
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.domain.persona import Persona
from tip_resources.domain.scenario import Scenario
from tip_resources.rehearsal.dialogue.plan import PlannedCall
from tip_resources.rehearsal.dialogue.writer import write_call
from tip_resources.storage.sets import write_set

WRITTEN = 500


def main() -> None:
    """Makes the set, measures it, and prints a line for each part."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--calls", type=int, default=WRITTEN, help="calls of the set (default %(default)s)")
    calls = options.parse_args().calls
    library = load_library("retail")
    plans = list(plan_calls(DatasetSpec(name="cost", count=min(calls, WRITTEN), domain="retail"), library))
    with tempfile.TemporaryDirectory() as folder:
        scenarios, personas, delivered = _stored(plans, calls, Path(folder))
        before = peak_memory_mb()
        with _timed("draw the sample"):
            sample = sample_of_set(delivered)
        with _timed("count the plan"):
            rows = counted_coverage(scenarios, personas, delivered, tuple(library.templates))
        with _timed("read plan and course in text"):
            planned = [(call, plans[(call.index or 0) % len(plans)]) for call in sample.items]
            rows += template_rate(planned).metrics()
            rows += read_coverage(planned, library.steps, sample.in_words())
        with _timed("diversity and style"):
            analyse(sample, built_in_reference(), more=rows)
    print(f"{sample.in_words()}; peak memory {peak_memory_mb():,.0f} MB, before measuring {before:,.0f} MB")


def _stored(plans: list[CallPlan], calls: int, folder: Path) -> tuple[pl.LazyFrame, pl.LazyFrame, pl.LazyFrame]:
    written = [_written(plan) for plan in plans]

    def again(index: int) -> CallPlan:
        return plans[index % len(plans)]

    return (
        write_set((replace(again(i).scenario, index=i) for i in range(calls)), Scenario, folder / "scenarios"),
        write_set(
            (replace(person, index=i) for i in range(calls) for person in (again(i).customer, again(i).agent)),
            Persona,
            folder / "personas",
        ),
        write_set((replace(written[i % len(plans)], index=i) for i in range(calls)), Conversation, folder / "calls"),
    )


def _written(plan: CallPlan) -> Conversation:
    planned = msgspec.convert({**to_builtins(plan), "call": plan.index}, PlannedCall)
    turns = write_call(planned, seed="cost")
    return msgspec.convert({"id": str(plan.index), "turns": turns, "domain": "retail"}, Conversation)


@contextmanager
def _timed(what: str) -> Iterator[None]:
    started = time.process_time()
    yield
    print(f"{what:<28}{time.process_time() - started:6.2f} CPU s", file=sys.stderr)


if __name__ == "__main__":
    main()
