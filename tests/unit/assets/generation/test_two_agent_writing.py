"""Two-agent sets end to end: real planning, real HTTP, the rehearsal server playing each side on its own."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from upath import UPath

from tip_assets.generation.glossary import prompt_for
from tip_assets.generation.spending import Spending
from tip_assets.generation.write_calls import WritingProgress
from tip_assets.generation.writing import Written, write_plans
from tip_assets.planning.domain_library import load_library
from tip_assets.planning.plan import call_plan_at, plan_calls
from tip_resources.domain.dataset_spec import Budget, DatasetSpec
from tip_resources.llm.prices import PriceList
from tip_resources.settings.models import EngineSettings, GenerationSettings, ModelSettings, Settings
from tip_resources.storage.checkpoint import Checkpoint

LIBRARY = load_library("retail")


def spec(count: int = 10) -> DatasetSpec:
    return DatasetSpec(name="two", count=count, domain="retail", mode="two_agent", rehearsal=True)


def write(
    folder: Path, count: int = 10, rehearsal: tuple[str, ...] = (), **options: Any
) -> tuple[Written, list[WritingProgress]]:
    seen: list[WritingProgress] = []
    settings = Settings(
        models=ModelSettings(rehearsal_options=rehearsal),
        engine=EngineSettings(retries=0),
        generation=GenerationSettings(top_up_rounds=2),
    )
    given: dict[str, Any] = {"on_progress": seen.append, **options}
    written = write_plans(
        spec(count),
        lambda: plan_calls(spec(count), LIBRARY),
        prompt=prompt_for(LIBRARY),
        settings=lambda: settings,
        patience_seconds=0.0,
        checkpoint=Checkpoint(UPath(folder)),
        delivered=None,
        on_endpoints=lambda _found: None,
        on_notice=lambda _reason: None,
        **given,
    )
    return written, seen


@pytest.fixture(scope="module")
def ten(tmp_path_factory: pytest.TempPathFactory) -> Written:
    return write(tmp_path_factory.mktemp("ten"))[0]


def test_what_is_wanted_of_a_call_may_change_while_the_set_is_written(tmp_path: Path) -> None:
    stricter = Settings(generation=GenerationSettings(minimum_turns=500))
    moments: list[WritingProgress] = []

    def live() -> Settings:
        return stricter if any(moment.kept for moment in moments) else Settings()

    written, _ = write(tmp_path, count=3, on_progress=moments.append, live=live)
    assert written.summary.kept < 3
    assert written.summary.kept >= 1
    assert written.summary.rejected["too_short"] >= 3 - written.summary.kept


def test_ten_calls_asked_ten_delivered_and_the_speakers_take_turns(ten: Written) -> None:
    calls = list(ten.conversations())
    assert [call.index for call in calls] == list(range(10))
    for call in calls:
        assert [turn.speaker for turn in call.turns] == ["agent", "customer"] * (len(call.turns) // 2)
        assert 40 <= len(call.turns) <= 80
    assert len({call.turns[0].text + call.turns[1].text for call in calls}) == 10


def test_facts_are_said_and_the_callers_own_only_after_the_agent_asked(ten: Written) -> None:
    said_names = 0
    for call in ten.conversations():
        plan = call_plan_at(spec(), LIBRARY, call.index or 0)
        text = " ".join(turn.text for turn in call.turns)
        known = [value for value in plan.scenario.facts.values() if value in text]
        assert len(known) >= 3
        name = plan.customer.name
        first = next((number for number, turn in enumerate(call.turns) if name in turn.text), None)
        if first is not None:
            said_names += 1
            assert call.turns[first].speaker == "customer"
    assert said_names >= 5


def test_moves_are_in_the_text(ten: Written) -> None:
    words = {
        "hold": ("hold", "holding", "waiting", "hanging on"),
        "transfer": ("specialist team",),
        "change_of_mind": ("changed my mind", "rather", "mornings", "in the morning", "the long version"),
        "interruption": (" --",),
        "clarification": ("more", "again", "mean for me", "last part"),
    }
    seen: set[str] = set()
    for call in ten.conversations():
        assert call.provenance is not None
        moves = str(call.provenance.parameters["moves"]).split(", ")
        text = " ".join(turn.text for turn in call.turns)
        for move in moves:
            assert any(word in text for word in words[move]), move
        seen.update(moves)
    assert len(seen) >= 4


def test_provenance_names_every_turns_model_call_and_the_tokens_add_up(ten: Written) -> None:
    calls = list(ten.conversations())
    for call in calls:
        where = call.provenance
        assert where is not None
        assert (where.prompt_template, where.scripted, where.model) == ("two_agent/1", True, "rehearsal")
        assert len(set(str(where.parameters["call_ids"]).split())) == len(call.turns)
        assert where.tokens_out is not None
        assert where.tokens_out > len(call.turns)
    summary = ten.summary
    assert sum(call.provenance.tokens_out or 0 for call in calls if call.provenance) <= summary.tokens_out
    assert summary.model_calls >= sum(len(call.turns) for call in calls)


def test_a_turn_that_comes_back_empty_is_asked_for_again_and_costs_no_call(tmp_path: Path) -> None:
    faults = ("--fault", "empty=0.02")
    written, _ = write(tmp_path, 3, rehearsal=faults)
    assert written.summary.kept == 3
    assert written.summary.failures["empty"] > 0


def test_a_silence_that_stays_is_put_aside_with_its_reason(tmp_path: Path) -> None:
    written, _ = write(tmp_path, 1, rehearsal=("--fault", "empty=1.0"))
    assert written.summary.kept == 0
    assert set(written.summary.rejected) == {"empty"}
    rejects = list(Checkpoint(UPath(tmp_path)).rejects())
    assert len(rejects) == written.summary.rounds
    assert "turn 0, the agent's" in rejects[0].detail


def test_what_an_earlier_run_kept_is_not_asked_for_again_unless_a_fresh_sample_is_wanted(tmp_path: Path) -> None:
    first, _ = write(tmp_path, 3)
    again, _ = write(tmp_path, 4)
    assert (again.summary.reused, again.summary.kept) == (3, 4)
    fresh, _ = write(tmp_path, 4, fresh=True)
    assert (fresh.summary.reused, fresh.summary.kept) == (0, 4)
    assert first.summary.model_calls > 0


def test_a_budget_is_used_and_kept_and_calls_under_way_are_played_to_their_end(tmp_path: Path) -> None:
    one, _ = write(tmp_path / "one", 1)
    most = 12 * (one.summary.tokens_in + one.summary.tokens_out)
    spending = Spending(Budget(max_tokens=most), PriceList())
    written, seen = write(tmp_path / "many", 40, spending=spending)
    assert written.summary.stopped.startswith("stopped at the budget")
    assert 0.75 * most < spending.report().tokens <= most
    assert set(written.summary.rejected) <= {"low_grade"}
    assert [status.name for status in seen[-1].endpoints] == ["rehearsal"]
    assert len(list(written.conversations())) == written.summary.kept >= 8


# Writes a set until it is killed, and says so after every kept call.
WRITES_UNTIL_KILLED = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
import test_two_agent_writing as tests
tests.write(Path(sys.argv[1]), 40, on_progress=lambda progress: print(progress.kept, flush=True))
"""


@pytest.mark.slow
def test_after_a_kill_no_finished_call_is_asked_for_again(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITES_UNTIL_KILLED, str(tmp_path), str(Path(__file__).parent)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if int(line) >= 5:
                break
        process.kill()
    finished = set(Checkpoint(UPath(tmp_path)).finished())
    assert len(finished) >= 5
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("calls/*/*.json")}
    written, _ = write(tmp_path, 40)
    assert written.summary.reused == len(finished) < 40
    assert written.summary.kept == 40
    after = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("calls/*/*.json")}
    assert {name: after[name] for name in before} == before
