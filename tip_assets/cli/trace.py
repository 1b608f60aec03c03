"""`tip trace`: from a line of an exported file back to the model, prompt, seed and machine that made it."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from tip_assets.cli.console import json_option, print_json, reports_failures, say
from tip_resources.domain.failures import BadInput
from tip_resources.home import project_home

if TYPE_CHECKING:
    from tip_assets.cli.trace_runs import ExportRun
    from tip_assets.exports.exported_line import ExportedLine
    from tip_assets.exports.origin import Origin
    from tip_resources.storage.layout import Layout


@click.command("trace")
@click.argument("what", metavar="FILE|CALL_ID|DATASET")
@click.argument("line", metavar="[LINE]", type=click.IntRange(min=1), required=False)
@click.option("--prompt", "with_prompt", is_flag=True, help="Also the exact words the call was asked with.")
@json_option
@reports_failures
def trace(what: str, line: int | None, with_prompt: bool, as_json: bool) -> None:
    """Show where a call came from: run, asset versions, scenario, prompt, model, endpoint, machine, seed, checks.

    FILE is a file of an export (conversations.jsonl, turns.csv, calls.csv, spans.jsonl, a Lex file), wherever it lies
    now; LINE is counted from 1, as an editor does. A Lex file holds one call and needs no line. The id of a call
    works too, and so does the name of a data set, for all that is stored of it. Each asset is told with its data
    version, and whether what is stored still is that version: every file of it is read. Personal data is never shown;
    --prompt shows the words that all calls of the set were asked with.

    \b
    tip trace .tip/data/exports/clinic/jsonl/conversations.jsonl 17
    tip trace .tip/data/exports/clinic/csv/turns.csv 402
    tip trace 8c0e6f1c-7d0e-5b55-8a43-0f6f1f6a7f10 --json
    tip trace clinic
    """
    from tip_assets.cli.trace_text import tell
    from tip_assets.exports.exported_line import exported_line
    from tip_assets.exports.origin import origin_of
    from tip_resources.domain.codec import to_builtins
    from tip_resources.storage.layout import layout_of

    home = project_home()
    is_dataset = line is None and not Path(what).is_file() and _asked(home, what) is not None
    is_file = line is not None or Path(what).exists() or Path(what).suffix != ""
    found = exported_line(Path(what), line) if is_file and not is_dataset else None
    call = found.call if found else what
    dataset = what if is_dataset else (found.dataset if found else "") or _dataset_of(home, call)
    layout = layout_of(home)
    asked = _asked(home, dataset)
    with TemporaryDirectory() as copies:
        origin = None if is_dataset else origin_of(call, dataset, layout, Path(copies))
        run = _run(found, dataset, asked, layout, Path(copies), all_assets=is_dataset)
    facts = {
        "notes": _notes(found, origin, run),
        "line": _line_facts(found) if found else None,
        "asked": asked,
        "call": origin,
        "run": run,
    }
    prompt = _prompt(origin, layout) if with_prompt else ""
    if as_json:
        print_json(to_builtins(facts) | ({"prompt": prompt} if with_prompt else {}))
    else:
        tell(**facts)
        if prompt:
            say(f"prompt:\n{prompt}".encode("ascii", "backslashreplace").decode())


def _dataset_of(home: Path, call: str) -> str:
    """The data set that delivered the call with this id.

    Raises:
        BadInput: None did.
    """
    from tip_resources.database.connection import database
    from tip_resources.database.delivered import dataset_of_call

    dataset = dataset_of_call(database(home), call)
    if dataset is None:
        raise BadInput(
            "no data set here delivered a call with this id.",
            where=call,
            mend="Name the exported file and the line, or run this in the project folder that made it.",
        )
    return dataset


def _asked(home: Path, dataset: str) -> dict[str, Any] | None:
    """The request behind the data set; None when it was made elsewhere or deleted."""
    from tip_resources.database.connection import database
    from tip_resources.database.requests import RequestStore

    row = RequestStore(database(home)).get(dataset)
    if row is None:
        return None
    return {
        "query": row.spec.query,
        "count": row.spec.count,
        "seed": row.spec.seed,
        "requested_by": row.spec.requested_by,
        "at": row.created_at.isoformat(timespec="seconds"),
        "through": row.source,
        "state": row.state,
        "run_id": row.run_id,
    }


def _run(
    found: "ExportedLine | None",
    dataset: str,
    asked: dict[str, Any] | None,
    layout: "Layout",
    copies: Path,
    *,
    all_assets: bool,
) -> "ExportRun | None":
    """The run that made the export; without a manifest, the one that made the data set last."""
    from tip_assets.cli.instance import dagster_instance
    from tip_assets.cli.trace_runs import export_run
    from tip_assets.exports.stored_version import stored_version
    from tip_assets.versions import STORED, WAY

    manifest = found.manifest if found else None
    run_id = manifest.run_id if manifest else (asked or {}).get("run_id")
    if not run_id:
        return None
    assets = STORED if all_assets else (*WAY, *([f"{manifest.format}_export"] if manifest else []))
    with dagster_instance() as instance:
        return export_run(
            instance, run_id, dataset, assets, lambda asset: stored_version(asset, dataset, layout, copies)
        )


def _prompt(origin: "Origin | None", layout: "Layout") -> str:
    """The words that the call was asked with.

    Raises:
        BadInput: They were not kept, or the file was changed.
    """
    from tip_assets.generation.prompt_files import kept_prompt

    if origin is None:
        raise BadInput("--prompt is about a call.", mend="Name one by its id, or by a file and a line.")
    if origin.provenance is None:
        raise BadInput("nobody was asked for this call: it carries no provenance.", where=origin.call)
    words = kept_prompt(origin.provenance.prompt_hash, layout)
    if words is None:
        raise BadInput(
            "the words of this prompt were not kept.",
            where=str(layout.prompt_file(origin.provenance.prompt_hash)),
            mend="Sets written by an earlier tip have none kept; its source has the words.",
        )
    return words


def _notes(found: "ExportedLine | None", origin: "Origin | None", run: "ExportRun | None") -> list[str]:
    """What an auditor must know before believing the rest."""
    notes = [] if found is None else _notes_on_file(found, run)
    if run is not None:
        notes += [
            f"{one.asset}: what is stored is NOT what was made: its data version is another."
            for one in run.assets
            if one.stored == "CHANGED since"
        ]
    if origin is None:
        return notes
    stored = origin.provenance.request_hash if origin.provenance else ""
    if found is not None and found.request_hash and stored and stored != found.request_hash:
        notes.append("The data set was made again since: what is stored now is another answer of a model.")
    if not origin.sets:
        notes.append(f"No set of data set {origin.dataset!r} here holds this call: deleted, or made elsewhere.")
    elif origin.provenance is None:
        notes.append("The call carries no provenance: it was brought in, not written here.")
    elif origin.provenance.scripted:
        notes.append("Scripted: written by the rehearsal server, not by a language model.")
    return notes


def _notes_on_file(found: "ExportedLine", run: "ExportRun | None") -> list[str]:
    """Whether the file is what its manifest lists, and that the manifest of what Dagster recorded."""
    from tip_assets.exports.manifest import listed_version

    if found.manifest is None:
        return ["There is no manifest beside the file, so nobody can say whether it is as it was exported."]
    notes: list[str] = []
    if not found.is_as_exported():
        notes.append("The file is NOT as it was exported: its checksum differs from the manifest's.")
    made = f"{found.manifest.format}_export"
    recorded = [one for one in (run.assets if run else ()) if one.asset == made and one.is_of_content]
    if recorded and recorded[0].data_version != listed_version(found.manifest):
        notes.append(f"The manifest is NOT that of the {made} which Dagster recorded: its data version is another.")
    return notes


def _line_facts(found: "ExportedLine") -> dict[str, Any]:
    manifest = found.manifest
    return {
        "file": str(found.file),
        "line": found.line,
        "turn": found.turn,
        "is_as_exported": found.is_as_exported(),
        "format": manifest.format if manifest else None,
        "style": manifest.style if manifest else None,
        "exported_at": manifest.created_at if manifest else None,
    }
