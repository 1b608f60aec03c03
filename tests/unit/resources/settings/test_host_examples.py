"""Promises of config/hosts/examples/: each is a file that a person can copy under the machine's name as it is."""

import shutil
from pathlib import Path

import pytest

from tip_resources.settings.layers import Resolved, resolve
from tip_resources.settings.models import Settings

ROOT = Path(__file__).resolve().parents[4]
EXAMPLES = sorted((ROOT / "config" / "hosts" / "examples").glob("*.yaml"))


def on_a_machine_with(example: Path, home: Path) -> Resolved:
    """The project's files with the example copied as that of the host `desk`."""
    shutil.copytree(ROOT / "config", home / "config", ignore=shutil.ignore_patterns("hosts"))
    (home / "config" / "hosts").mkdir()
    shutil.copy(example, home / "config" / "hosts" / "desk.yaml")
    return resolve(home, "desk.lan", [], {})


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_valid_and_every_line_of_it_changes_something(example: Path, tmp_path: Path) -> None:
    resolved = on_a_machine_with(example, tmp_path)
    without = resolve(tmp_path, "another", [], {"TIP_NODE__PROFILE": resolved.settings.node.profile})
    own = [origin for origin in resolved.origins() if origin.where.startswith("config/hosts/desk.yaml")]
    assert own
    same = [origin.key for origin in own if origin.value == without.origin(origin.key).value]
    assert same == ["node.profile"], f"these repeat what holds anyway: {same}"


def test_the_examples_suit_their_machines(tmp_path: Path) -> None:
    read: dict[str, Settings] = {path.stem: on_a_machine_with(path, tmp_path / path.stem).settings for path in EXAMPLES}
    laptop, desktop, pi = read["gaming-laptop"], read["old-desktop"], read["attic-pi"]
    assert (laptop.node.profile, laptop.generation.concurrency.high, laptop.node.step_slots) == ("laptop", 4, 1)
    assert laptop.thermal.gpu_limit_celsius < Settings().thermal.gpu_limit_celsius
    assert len(laptop.fleet.quiet_hours) == 1
    assert (desktop.node.profile, desktop.models.probe_localhost, desktop.node.step_slots) == ("master", False, 2)
    assert desktop.models.endpoints[0].tier == "network"
    assert (pi.node.profile, pi.models.llama_servers[0].name, pi.thermal.cpu_limit_celsius) == ("pi", "pi", 75)


def test_the_example_that_a_readme_names_is_there() -> None:
    text = (ROOT / "config" / "hosts" / "README.md").read_text(encoding="utf-8")
    text += (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert {path.name for path in EXAMPLES} == {path.name for path in EXAMPLES if text.count(path.name) >= 2}
    assert len(EXAMPLES) == 3
