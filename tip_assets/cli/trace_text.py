"""What `tip trace` prints for people."""

from collections.abc import Mapping, Sequence
from typing import Any

from tip_assets.cli.console import say
from tip_assets.cli.trace_runs import ExportRun
from tip_assets.exports.origin import Origin, Speaker
from tip_assets.versions import Stored
from tip_resources.domain.grade import Grade
from tip_resources.domain.provenance import Provenance
from tip_resources.domain.scenario import Scenario
from tip_resources.storage.columns import SHOWN_DIGITS

_STORED_WORDS: Mapping[Stored | None, str] = {
    "as made": "stored as made",
    "made again since": "made again since",
    "CHANGED since": "CHANGED since it was made",
    "gone": "no longer stored",
    "unknown": "of the code only (made by an earlier tip)",
    None: "not compared with what is stored",
}


def tell(
    notes: Sequence[str],
    line: Mapping[str, Any] | None,
    asked: Mapping[str, Any] | None,
    call: Origin | None,
    run: ExportRun | None,
) -> None:
    """The way back, from the file to what was asked for; what is not known is left out."""
    for note in notes:
        say(f"note: {note}")
    _section("line", line or {})
    if call is not None:
        _tell_call(call)
    _section("asked", asked or {})
    if run is not None:
        _tell_run(run)


def _tell_call(call: Origin) -> None:
    _section("call", {"dataset": call.dataset, "id": call.call, "plan index": call.index, "turns": call.turns})
    if call.provenance:
        _section("written by", _written_by(call.provenance))
    if call.scenario:
        _section("scenario", _planned(call.scenario))
    _section("speakers", {speaker.role: _feels(speaker) for speaker in call.speakers})
    if call.grade:
        _section("grade", _graded(call.grade))
    if call.personal_data is not None:
        _section("personal data replaced", call.personal_data or {"none": "found"})


def _tell_run(run: ExportRun) -> None:
    times = f"{run.started_at} to {run.ended_at}" if run.started_at else ""
    _section("run", {"id": run.run_id, "status": run.status or "no record of it is left", "time": times, **run.tags})
    if run.assets:
        say("assets:")
    for version in run.assets:
        elsewhere = "" if version.run_id == run.run_id else f"  run {version.run_id}"
        data = f"data {version.data_version[:SHOWN_DIGITS]}, {_STORED_WORDS[version.stored]}"
        say(f"  {version.asset:<24} {version.at}  code {version.code_version}  {data}{elsewhere}")
        for name, passed in version.checks.items():
            say(f"  {'':<24} {'passed' if passed else 'FAILED'}: {name}")


def _written_by(origin: Provenance) -> dict[str, Any]:
    return {
        "model": origin.model + (" (scripted)" if origin.scripted else ""),
        "endpoint": f"{origin.endpoint} ({origin.tier})",
        "machine": origin.node,
        "prompt": f"{origin.prompt_template}, hash {origin.prompt_hash}",
        "request hash": origin.request_hash,
        "parameters": ", ".join(f"{name}={value}" for name, value in origin.parameters.items()),
        "seed": origin.seed,
        "model call": f"{origin.call_id}, place {origin.position} of its answer, attempt {origin.attempt}",
        "tokens": f"{_known(origin.tokens_in)} in, {_known(origin.tokens_out)} out",
        "took": f"{origin.duration_ms:,.0f} ms" if origin.duration_ms is not None else None,
        "started": origin.started_at,
        "tip": origin.tip_version,
    }


def _planned(scenario: Scenario) -> dict[str, Any]:
    return {
        "id": scenario.id,
        "template": f"{scenario.template} ({scenario.title})",
        "intent path": " > ".join(scenario.intent_path),
        "complications": ", ".join(scenario.complications),
        "resolution": scenario.resolution,
        "difficulty": scenario.difficulty,
    }


def _feels(speaker: Speaker) -> str:
    return f"{' > '.join(speaker.emotion_arc) or 'even'}; patience {speaker.patience:.2f}"


def _graded(grade: Grade) -> dict[str, str]:
    by = f"{grade.overall:.2f} of 5 by {grade.grader} ({grade.tier}), rubric {grade.rubric_version}"
    return {"overall": by} | {name: f"{value:.2f}" for name, value in grade.metrics.items()}


def _known(tokens: int | None) -> str:
    return "unknown" if tokens is None else str(tokens)


def _section(title: str, facts: Mapping[str, Any]) -> None:
    lines = {name: value for name, value in facts.items() if value not in (None, "")}
    if not lines:
        return
    say(f"{title}:")
    for name, value in lines.items():
        say(f"  {name:<18} {value!s}".encode("ascii", "backslashreplace").decode())
