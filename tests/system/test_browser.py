"""What a person sees: the report and the Dagster UI in a real browser."""

import re
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator

import pytest

from node_agent.identity import node_name
from tests.system.conftest import Project

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs a Chromium browser (apt-get install chromium)"),
]


def page(url: str) -> str:
    """The page's document after its scripts have run."""
    quiet = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
    with tempfile.TemporaryDirectory() as profile:
        done = subprocess.run(
            [
                *(str(CHROMIUM), "--headless", "--no-sandbox", *quiet, "--disable-component-update", "--disable-sync"),
                *(f"--user-data-dir={profile}", "--window-size=1500,2000"),  # lists hold no more than one sees
                *("--virtual-time-budget=20000", "--dump-dom", url),
            ],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    return done.stdout


@pytest.fixture(scope="module")
def web(project: Project) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = project.start("up", "--port", str(port))
    project.wait_until(lambda: "Ctrl-C stops" in (process.stdout.readline() if process.stdout else ""))
    done = project.tip("request", "5 retail calls", "--name", "shown", "--rehearsal", "--wait")
    assert done.returncode == 0, done.stdout + done.stderr
    yield f"http://127.0.0.1:{port}"
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0


def test_the_web_ui_shows_the_assets_and_their_lineage(web: str) -> None:
    catalogue = page(f"{web}/assets")
    for asset in ("dataset_specs", "raw_conversations", "scrubbed_conversations", "lex_export", "dataset_report"):
        assert asset in catalogue


def test_a_machine_has_a_page_with_its_state_and_plots(web: str) -> None:
    shown = page(f"{web}/assets/fleet/{node_name()}")
    for part in ("A machine of the fleet", "concurrency_factor", "history", "Plots"):
        assert part in shown


def test_a_partition_shows_its_metadata_and_a_scrubbed_sample(web: str) -> None:
    shown = page(f"{web}/assets/raw_conversations?view=partitions&partition=shown")
    assert "tokens_out" in shown
    assert "rehearsal" in shown


def test_a_failed_check_is_seen(web: str) -> None:
    shown = page(f"{web}/assets/lex_export?view=checks")
    assert "enough_turns_for_lex" in shown
    assert re.search(r"Failed|Warning", shown)


def test_the_report_is_one_page_that_needs_no_network(project: Project, web: str) -> None:
    report = project.folder / ".tip" / "data" / "exports" / "shown" / "report" / "report.html"
    shown = page(report.as_uri())
    assert "shown" in shown and "scripted" in shown
    assert not re.search(r"""(src|href)=["']https?://""", shown)
