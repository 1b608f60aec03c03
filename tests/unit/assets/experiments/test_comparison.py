"""The comparison as people and machines get it: side by side, unknown as a dash, and scripted said aloud."""

import csv
import io
import json
from pathlib import Path

from tip_assets.experiments.comparison_files import write_comparison
from tip_assets.experiments.comparison_page import comparison_page
from tip_assets.experiments.comparison_table import FIGURES, markdown_table, remarks, text_table
from tip_assets.experiments.kinds import models_experiment, trial_spec
from tip_assets.experiments.measures import Measures, Scores
from tip_assets.experiments.results import Comparison, TrialResult
from tip_assets.experiments.variants import SCRIPTED_WARNING, Variant
from tip_resources.fleet.system_facts import Gpu, SystemFacts

SYSTEM = SystemFacts(
    system="Linux 6", architecture="x86_64", processor="A | B", cores=8, memory_bytes=2**34, gpus=(Gpu(name="T4"),)
)
FIGURES_OF_A = Measures(
    asked=10, kept=9, rejected={"too_short": 2, "duplicate": 1}, failures={"timeout": 1}, rounds=2, model_calls=3,
    batch_size=5, batch_reason="simple calls", calls_per_model_call=4.0,
    first_attempt_share=0.8, duplicate_share=0.08, tokens_in_per_kept=120.5,
    tokens_out_per_kept=None, seconds=18.0, seconds_per_kept=2.0, first_token_p50_ms=12.0, first_token_p95_ms=40.0,
    latency_p50_ms=900.0, latency_p95_ms=1500.0,
    local=Scores(graded=9, realism=4.1, coherence=4.2, naturalness=4.3, overall=4.15),
)  # fmt: skip


def comparison(*, scripted: bool = False) -> Comparison:
    spec = trial_spec("bakeoff", count=10, domain="healthcare", rehearsal=scripted)
    good = TrialResult(
        variant=Variant(name="=phi-4", model="phi-4"), status="done", models=("phi-4",), scripted=scripted,
        measures=FIGURES_OF_A,
    )  # fmt: skip
    bad = TrialResult(
        variant=Variant(name="<script>alert(1)</script>"), status="failed", reason="no server has it.\nTried: | x"
    )
    return Comparison(experiment=models_experiment(spec, ["a", "b"]), system=SYSTEM, trials=(good, bad))


def test_the_terminal_table_is_ascii_and_aligned_with_a_dash_for_what_is_unknown() -> None:
    lines = text_table(comparison()).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert "".join(lines).isascii()
    assert any(line.startswith("kept at first attempt") and "80.0 %" in line for line in lines)
    assert all(line.rstrip().endswith("-") for line in lines[1:] if not line.startswith(("status", "model  ")))
    assert not any("tokens out" in line for line in lines)


def test_what_failed_and_what_was_rejected_is_said() -> None:
    said = "\n".join(remarks(comparison()))
    assert "not measured. no server has it." in said
    assert "rejected too_short 2, duplicate 1" in said and "timeout 1" in said


def test_scripted_figures_are_marked_everywhere_and_real_ones_nowhere(tmp_path: Path) -> None:
    for scripted in (True, False):
        found = comparison(scripted=scripted)
        write_comparison(found, tmp_path)
        assert (SCRIPTED_WARNING in markdown_table(found)) is scripted
        assert (SCRIPTED_WARNING in comparison_page(found)) is scripted
        document = json.loads((tmp_path / "results.json").read_text())
        assert (document["scripted"], document["warning"]) == (scripted, SCRIPTED_WARNING if scripted else None)


def test_the_csv_has_a_line_per_variant_with_unknown_empty_and_no_formula(tmp_path: Path) -> None:
    write_comparison(comparison(), tmp_path)
    good, bad = csv.DictReader(io.StringIO((tmp_path / "results.csv").read_text(encoding="utf-8")))
    assert {figure.column for figure in FIGURES} <= set(good)
    assert (good["variant"], good["tokens_in_per_kept"], good["tokens_out_per_kept"]) == ("'=phi-4", "120.5", "")
    assert (bad["status"], bad["kept"]) == ("failed", "")


def test_the_page_needs_nothing_else_and_runs_nothing() -> None:
    page = comparison_page(comparison())
    assert "<script" not in page and "http" not in page.replace('http-equiv="', "")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert page.count("<figure>") >= 4 and "<svg" in page


def test_a_cell_cannot_break_the_markdown_table() -> None:
    rows = [line for line in markdown_table(comparison()).splitlines() if line.startswith("|")]
    assert {line.replace("\\|", "").count("|") for line in rows} == {4}
