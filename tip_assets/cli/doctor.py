"""`tip doctor`: what a newcomer gets wrong, checked one by one, each with how to mend it."""

import os
import platform
import socket
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import click

from tip_assets.cli.console import EXIT_FAILED, json_option, print_json, reports_failures, say
from tip_resources.domain.failures import PermanentFailure, TransientFailure
from tip_resources.home import INSTANCE_FILE, project_home, state_folder
from tip_resources.llm.diagnosis import Finding

# A database and a dozen calls want more.
_LEAST_ROOM_BYTES = 100_000_000


@click.command("doctor")
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True, help="Port of the web UI.")
@json_option
@reports_failures
def doctor(port: int, as_json: bool) -> None:
    """Check this machine: Python, disk, port, database, settings, models, fleet. Says how to mend what is wrong."""
    findings = list(_findings(project_home(), port))
    if as_json:
        print_json([{"name": f.name, "ok": f.ok, "detail": f.detail, "mend": f.mend} for f in findings])
    else:
        for finding in findings:
            say(f"[{'ok' if finding.ok else '!!'}] {finding.name}: {finding.detail}")
            if finding.mend:
                say(f"     -> {finding.mend}")
    if not all(finding.ok for finding in findings):
        if not as_json:
            say("More on each line: docs/troubleshooting.md")
        raise SystemExit(EXIT_FAILED)


def _findings(home: Path, port: int) -> Iterator[Finding]:
    yield python_version()
    yield from packages()
    yield project_folder(home)
    yield disk(home)
    yield web_port(port, home)
    yield _guarded("settings", lambda: _settings(home))
    yield _guarded("database", lambda: _database(home))
    yield _guarded("storage", lambda: _storage(home))
    yield from _tried("production", lambda: production(home))
    yield from _models(home)
    yield from _fleet(home)


def python_version() -> Finding:
    """Whether this Python is one tip is tested on."""
    ok = (3, 11) <= sys.version_info[:2] <= (3, 13)
    return Finding("python", ok, platform.python_version(), "" if ok else "Use Python 3.11, 3.12 or 3.13.")


def packages() -> Iterator[Finding]:
    """Packages known to break tip by being there."""
    import sensors

    own = Path(__file__).resolve().parents[2] / "sensors"
    found = Path(sensors.__file__ or "").resolve().parent
    try:
        distribution("PySensors")
        yield Finding(
            "packages",
            False,
            "PySensors is installed, and it brings another package named sensors.",
            "pip uninstall PySensors",
        )
    except PackageNotFoundError:
        mend = "" if found == own else "Uninstall the other `sensors` package."
        yield Finding("packages", found == own, f"sensors comes from {found}", mend)


def project_folder(home: Path) -> Finding:
    """Whether commands run where the project is."""
    ok = (home / INSTANCE_FILE).is_file()
    return Finding("project folder", ok, str(home), "" if ok else f"Run tip in the folder that holds {INSTANCE_FILE}.")


def disk(home: Path) -> Finding:
    """Whether there is room beyond the reserve; without it nothing is begun, and writing waits."""
    from tip_resources.settings.layers import load_settings
    from tip_resources.upkeep import disk_room

    try:
        short = disk_room.shortage(home, load_settings(home, use_database=False))
    except (PermanentFailure, TransientFailure):  # told as a finding of its own
        short = None
    free = disk_room.free_bytes(home)
    if short is None and free < _LEAST_ROOM_BYTES:  # where the reserve is 0, nothing else says so
        short = f"{free / 1e6:.0f} MB free on the disk of {home}"
    mend = "Make room: `tip gc` removes what has grown old. Or set storage_url." if short else ""
    return Finding("disk", short is None, short or f"{free / 1e9:.1f} GB free", mend)


def production(home: Path) -> Iterator[Finding]:
    """What production refuses: wrong there, worth knowing elsewhere."""
    from tip_resources.settings.layers import load_settings
    from tip_resources.upkeep.production import unsafe_defaults

    settings = load_settings(home, use_database=False)
    found = unsafe_defaults(home, settings, os.environ)
    if settings.environment != "production":
        said = "; ".join(each.what for each in found)
        yield Finding("production", True, f"would refuse: {said}" if found else "nothing would be refused", "")
        return
    yield from (Finding("production", False, each.what, each.mend) for each in found)
    if not found:
        yield Finding("production", True, "no unsafe defaults", "")


def web_port(port: int, home: Path) -> Finding:
    """Whether `tip up` could open its port, or has it."""
    from tip_resources.launch.supervisor import running

    if running(home):
        return Finding("web port", True, "tip up is running", "")
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) != 0:
            return Finding("web port", True, f"{port} is free", "")
    return Finding("web port", False, f"{port} is taken by another program.", f"tip up --port {port + 1}")


def _settings(home: Path) -> str:
    from tip_resources.settings.layers import load_settings

    settings = load_settings(home, use_database=False)
    return f"environment {settings.environment}, node profile {settings.node.profile}"


def _database(home: Path) -> str:
    from sqlalchemy import text

    from tip_resources.database.connection import database
    from tip_resources.database.dagster_storage import TipStorage

    TipStorage(str(home))  # what keeps Dagster's own tables from being made or found is told here too
    with database(home).connect() as connection:
        version = connection.execute(text("show server_version")).scalar_one()
    where = (
        "at TIP_DATABASE_URL (no extension is needed)"
        if os.environ.get("TIP_DATABASE_URL")
        else f"embedded, in {state_folder(home)}"
    )
    return f"PostgreSQL {version}, {where}"


def _storage(home: Path) -> str:
    from tip_resources.storage.diagnosis import try_storage
    from tip_resources.storage.layout import layout_of

    return try_storage(layout_of(home))


def _models(home: Path) -> Iterator[Finding]:
    from tip_resources.fleet.fleet_servers import fleet_of
    from tip_resources.llama.diagnosis import diagnose_llama_servers
    from tip_resources.llm.diagnosis import diagnose_endpoints
    from tip_resources.settings.layers import load_settings

    try:
        settings = load_settings(home, use_database=False)
        yield from diagnose_llama_servers(settings, home)
        yield from diagnose_endpoints(settings, os.environ, fleet=fleet_of(home))
    except (PermanentFailure, TransientFailure) as failure:
        yield Finding("models", False, str(failure), "")


def _fleet(home: Path) -> Iterator[Finding]:
    from tip_assets.cli.nodes_doctor import fleet_findings

    yield from fleet_findings(home)


def _tried(name: str, check: Callable[[], Iterator[Finding]]) -> list[Finding]:
    try:
        return list(check())
    except (PermanentFailure, TransientFailure) as failure:
        return [Finding(name, False, str(failure), "")]


def _guarded(name: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(name, True, check(), "")
    except (PermanentFailure, TransientFailure) as failure:
        return Finding(name, False, str(failure), "")
