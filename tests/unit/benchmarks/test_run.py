"""The runner of the engine's benchmark: what it divides by what. Small cases, and no word about speed."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from benchmarks.engine.cases import CASES, FAULTS, Case, DeviceSpec
from benchmarks.engine.run import measure

SMALL = Case(name="small", title="small", devices=(DeviceSpec(),), requests=12, warm_up=5, to_reach="-", best_peer="-")


def test_a_warm_up_is_not_counted() -> None:
    measured = measure(replace(SMALL, is_warm=True), seed=0, time_scale=0.002)
    assert (measured.lost, measured.repeats, measured.calls_per_request) == (0, 0, 1.0)
    assert measured.told_ratio is not None and 0.9 < measured.told_ratio < measured.ratio


def test_a_killed_run_counts_the_time_of_both_processes() -> None:
    # At half speed, so that the kill does find the run at half.
    measured = measure(replace(SMALL, requests=40, is_killed=True), seed=0, time_scale=0.01)
    assert measured.lost == 0
    assert 1.0 <= measured.calls_per_request < 2.0
    assert measured.ratio > 0.9


def test_several_devices_have_no_told_client() -> None:
    two = replace(SMALL, devices=(DeviceSpec(), DeviceSpec()))
    assert measure(two, seed=0, time_scale=0.002).told_ratio is None


def test_the_rows_with_faults_have_the_shares_that_are_asked_for() -> None:
    shares = dict(zip(FAULTS[::2], map(float, FAULTS[1::2]), strict=True))
    assert shares == {"--error-share": 0.05, "--reset-share": 0.02, "--hang-share": 0.01, "--truncated-share": 0.02}
    assert [case.name for case in CASES if any(one.flags == FAULTS for one in case.devices)] == [
        "faults",
        "killed-faults",
    ]


def test_an_unknown_case_is_refused_with_the_known_ones() -> None:
    root = Path(__file__).resolve().parents[3]
    command = [sys.executable, "-m", "benchmarks.engine.run", "no-such-case"]
    ended = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert "no-such-case" in ended.stderr
