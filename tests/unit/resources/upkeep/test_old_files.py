"""Old files go, and nothing that a person or a run still needs."""

import json
import os
import time
from pathlib import Path

from sqlalchemy import Engine, text

from tip_resources.database.requests import RequestStore
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.settings.models import Settings
from tip_resources.settings.upkeep_models import RetentionSettings
from tip_resources.storage.layout import Layout
from tip_resources.upkeep.chores import Amount
from tip_resources.upkeep.clean_up import chores, clean_up, the_only_one

DAY = 86_400


def aged(path: Path, days: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * 100)
    for each in (path, path.parent):
        os.utime(each, (time.time(), time.time() - days * DAY))
    return path


def a_set(engine: Engine, home: Path, name: str, *, state: str = "done", days: int = 60, exported: int = 3) -> Path:
    """A data set of three calls, last touched so long ago; its folder of parts."""
    store = RequestStore(engine)
    store.add(DatasetSpec(name=name, count=3, domain="healthcare", query="q", seed=1), source="cli")
    store.set_state(name, state)  # type: ignore[arg-type]
    with engine.begin() as connection:
        change = "UPDATE tip.dataset_requests SET updated_at = now() - make_interval(days => :days) WHERE dataset = :d"
        connection.execute(text(change), {"days": days, "d": name})
    layout = Layout(home=home)
    report = layout.exports(name, "report") / "summary.json"
    report.parent.mkdir(parents=True)
    report.write_text(json.dumps({"requested": 3, "exported": exported}))
    parts = Path(layout.parts(name).path)
    aged(parts / "calls" / "00000" / "00000000-abc.json", days)
    return parts


def test_parts_go_only_of_sets_that_were_exported_complete_long_ago(tmp_path: Path, fresh_database: Engine) -> None:
    finished = a_set(fresh_database, tmp_path, "finished")
    kept = [
        a_set(fresh_database, tmp_path, "recent", days=2),
        a_set(fresh_database, tmp_path, "short", exported=2),
        a_set(fresh_database, tmp_path, "running", state="running"),
        a_set(fresh_database, tmp_path, "failed", state="failed"),
    ]
    killed = aged(finished.parent / ".gone-earlier" / "half.json", 1).parent
    found = {chore.name: chore.found() for chore in chores(fresh_database, tmp_path, Settings())}
    assert found["parts of exported data sets"] == Amount(1, 100)
    removed = clean_up(chores(fresh_database, tmp_path, Settings())).removed
    assert removed["parts of exported data sets"].count == 2, "and what a killed clean-up had left"
    assert not finished.exists() and not killed.exists()
    assert all(folder.exists() for folder in kept)
    assert (Layout(home=tmp_path).exports("finished", "report") / "summary.json").exists()
    assert clean_up(chores(fresh_database, tmp_path, Settings())).total == Amount()


def test_old_logs_and_working_files_go_and_new_ones_stay(tmp_path: Path, fresh_database: Engine) -> None:
    state = tmp_path / ".tip"
    old = [
        aged(state / "logs" / "runs" / "one.log", 31),
        aged(state / "logs" / "daemon.old.log", 31),
        aged(state / "scratch" / "run-1" / "part.parquet", 8),
        aged(state / "compute_logs" / "run-1" / "step.out", 31),
        aged(state / "data" / "sets" / "raw_conversations" / ".calls.parquet.1a2b3c4d.tmp", 8),
    ]
    new = [
        aged(state / "logs" / "daemon.log", 400),
        aged(state / "logs" / "runs" / "two.log", 29),
        aged(state / "scratch" / "run-2" / "part.parquet", 6),
        aged(state / "compute_logs" / "run-2" / "step.out", 29),
        aged(state / "data" / "sets" / "raw_conversations" / "calls.parquet", 400),
    ]
    clean_up(chores(fresh_database, tmp_path, Settings()))
    assert [path for path in old if path.exists()] == []
    assert [path for path in new if not path.exists()] == []


def test_what_is_kept_for_ever_is_no_chore(tmp_path: Path, fresh_database: Engine) -> None:
    for_ever = Settings(retention=RetentionSettings(parts_days=0, performance_days=0))
    assert {"parts_days", "performance_days"}.isdisjoint(
        chore.setting for chore in chores(fresh_database, tmp_path, for_ever)
    )


def test_figures_of_machines_and_samples_of_speed_are_forgotten(tmp_path: Path, fresh_database: Engine) -> None:
    with fresh_database.begin() as connection:
        connection.execute(text("INSERT INTO tip.nodes (name) VALUES ('desk')"))
        for days in (91, 1):
            for statement in (
                "INSERT INTO tip.node_quarters (node_id, quarter_at, reports, cpu_celsius_count, gpu_celsius_count, "
                "gpu_watts_count, cpu_ratio_count, gpu_ratio_count) "
                "SELECT id, now() - make_interval(days => :days), 1, 0, 0, 0, 0, 0 FROM tip.nodes",
                "INSERT INTO tip.node_work (node, hour_at) VALUES ('desk', now() - make_interval(days => :days))",
                'INSERT INTO tip.performance_samples (run_id, "timestamp") '
                "VALUES (gen_random_uuid(), now() - make_interval(days => :days))",
            ):
                connection.execute(text(statement), {"days": days})
    removed = clean_up(chores(fresh_database, tmp_path, Settings())).removed
    assert {name: amount.count for name, amount in removed.items()} == {
        "quarter hours of machines": 1,
        "hours of machines' work": 1,
        "samples of speed": 1,
    }
    with fresh_database.connect() as connection:
        for table in ("node_quarters", "node_work", "performance_samples"):
            assert connection.scalar(text(f"SELECT count(*) FROM tip.{table}")) == 1


def test_a_clean_up_that_runs_out_of_time_goes_on_with_the_rest_the_next_time(
    tmp_path: Path, fresh_database: Engine
) -> None:
    for number in range(3):
        aged(tmp_path / ".tip" / "scratch" / f"run-{number}" / "part", 8)
    first = clean_up(chores(fresh_database, tmp_path, Settings()), most_seconds=0)
    assert (first.total.count, first.is_done) == (1, False)
    rest = clean_up(chores(fresh_database, tmp_path, Settings()))
    assert (rest.total.count, rest.is_done) == (2, True)


def test_one_process_cleans_up_at_a_time(fresh_database: Engine) -> None:
    with the_only_one(fresh_database) as first, the_only_one(fresh_database) as second:
        assert (first, second) == (True, False)
    with the_only_one(fresh_database) as again:
        assert again
