"""`tip bench engine`: how fast and how carefully the request engine uses one or several model servers."""

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tip_assets.cli.console import (
    EXIT_DONE_WITH_REJECTS,
    json_option,
    print_json,
    progress_bar,
    reports_failures,
    say,
)
from tip_resources.domain.failures import BadInput, TransientFailure

if TYPE_CHECKING:
    from tip_assets.generation.engine import SharedRecords
    from tip_assets.generation.engine_bench import BenchFigures, BenchRun


@click.command()
@click.option("--endpoint", "urls", multiple=True, required=True, metavar="URL", help="Base URL; may be repeated.")
@click.option("--requests", "count", type=click.IntRange(min=1), default=200, show_default=True, help="Answers wanted.")
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Where answers are kept.",
)
@click.option("--model", metavar="NAME", help="Asked of every server.  [default: what each serves]")
@click.option(
    "--max-output-tokens", type=click.IntRange(min=1), default=1200, show_default=True, help="Longest answer."
)
@click.option("--api-key-env", metavar="VARIABLE", help="Environment variable that holds the servers' key.")
@json_option
@reports_failures
def engine(
    urls: tuple[str, ...],
    count: int,
    folder: Path,
    model: str | None,
    max_output_tokens: int,
    api_key_env: str | None,
    as_json: bool,
) -> None:
    """Send one-conversation requests through the engine that writes data sets, and measure.

    Any OpenAI-compatible servers will do. Request number 17 carries RID000017 in its prompt, so that a server can
    count what it is asked twice. Answers are kept in DIR as they come: after a kill the same command asks only for
    what is missing. An answer counts when it satisfies the schema that was sent; what it says is not judged.

    \b
    tip bench engine --endpoint http://localhost:1234/v1 --requests 200 --dir bench
    """
    api_key = os.environ.get(api_key_env, "") if api_key_env else ""
    if api_key_env and not api_key:
        raise BadInput(f"the environment variable {api_key_env} is not set.", where="--api-key-env")
    run = _measured(urls, count, folder, model, max_output_tokens, api_key, as_json=as_json)
    if as_json:
        import msgspec

        print_json(msgspec.to_builtins(run.figures))
    else:
        _show(run.figures)
    for reason, times in run.reasons:
        _tell(f"lost {times}: {reason}")
    if run.figures.lost:
        raise SystemExit(EXIT_DONE_WITH_REJECTS)


def _measured(
    urls: tuple[str, ...],
    count: int,
    folder: Path,
    model: str | None,
    max_output_tokens: int,
    api_key: str,
    *,
    as_json: bool,
) -> "BenchRun":
    from tip_assets.generation.bench_endpoints import bench_endpoints
    from tip_assets.generation.engine_bench import measure
    from tip_resources.home import project_home
    from tip_resources.llm.types import EngineNotice
    from tip_resources.settings.layers import load_settings

    settings = load_settings(project_home(), use_database=False)

    shared = _shared(project_home())

    def notice(said: EngineNotice) -> None:
        if said.kind != "retrying":
            _tell(said.reason)

    with progress_bar(count, "answers", unit="answer") as bar:

        def kept_now(kept: int) -> None:
            bar.update(kept - bar.n)

        async def run() -> "BenchRun":
            endpoints = await bench_endpoints(urls, model, settings, api_key=api_key, say=_tell)
            return await measure(
                endpoints,
                count,
                folder,
                settings=settings,
                shared=shared,
                max_output_tokens=max_output_tokens,
                on_kept=kept_now,
                on_notice=notice,
            )

        return asyncio.run(run())


def _shared(home: Path) -> "SharedRecords | None":
    """The database, as the assets use it. A benchmark of servers goes on without one, and says so."""
    from tip_assets.generation.engine import SharedRecords
    from tip_resources.database.connection import database
    from tip_resources.database.performance import new_run_id
    from tip_resources.settings.layers import node_name

    try:
        return SharedRecords(database(home), new_run_id(), node_name(os.environ))
    except (BadInput, TransientFailure) as failure:
        _tell(f"What is learned of the servers is not kept for the next run: {failure}")
        return None


def _tell(line: str) -> None:
    click.echo(line, err=True)


def _show(figures: "BenchFigures") -> None:
    say(f"kept {figures.kept} of {figures.requests}, lost {figures.lost}, {figures.asked} calls made in this run")
    say(f"makespan {figures.makespan_seconds:.1f} s, of our own CPU {figures.client_cpu_seconds:.2f} s")
    say(f"peak memory {figures.peak_rss_mb:.0f} MB")
    say()
    width = max(len("endpoint"), *(len(endpoint.url) for endpoint in figures.endpoints))
    say(f"{'endpoint':<{width}}  {'kept':>7}  {'at once':>7}  {'p95 first token':>15}")
    for one in figures.endpoints:
        first = "unknown" if one.p95_ttft_ms is None else f"{one.p95_ttft_ms:.0f} ms"
        say(f"{one.url:<{width}}  {one.kept:>7}  {one.concurrency_final:>7}  {first:>15}")
