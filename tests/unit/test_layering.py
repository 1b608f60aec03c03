"""Imports flow one way: node_agent.report <- domain <- tip_resources <- tip_assets <- sensors."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Package -> packages it must not import.
FORBIDDEN = {
    "node_agent": {"dagster", "tip_resources", "tip_assets", "sensors"},
    "tip_resources/domain": {"dagster", "tip_assets", "sensors", "polars", "sqlalchemy", "pydantic"},
    "tip_resources": {"tip_assets", "sensors"},
    "tip_assets": set(),
}
# Only the composition root and its own tests may know the sensors (doctor asks only where the package lies).
MAY_IMPORT_SENSORS = {"tip_assets/definitions.py", "tip_assets/cli/doctor.py"}
# Libraries that cost seconds or need extras: never at module level.
HEAVY = {"torch", "faster_whisper", "llama_cpp", "kubernetes", "yt_dlp", "sentence_transformers"}
# Logic beside the assets: these import dagster, everything else in tip_assets does not.
DAGSTER_FILES = {
    "assets.py",
    "report_asset.py",
    "realism_assets.py",
    "metrics_asset.py",
    "definitions.py",
    "graded_asset.py",
    "jobs.py",
    "partitions.py",
    "platform.py",
    "steps.py",
    "versions.py",
}
PRIVATE_DAGSTER_HOMES = (
    "tip_resources/launch/",
    "tip_resources/database/dagster_storage.py",
    "tip_resources/database/run_storage.py",
    "tip_resources/database/instance_folders.py",
)


def modules(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def imported(path: Path, *, module_level: bool = False) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = tree.body if module_level else list(ast.walk(tree))
    names: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


def tops(names: set[str]) -> set[str]:
    return {name.split(".")[0] for name in names}


@pytest.mark.parametrize(("package", "forbidden"), FORBIDDEN.items())
def test_a_lower_layer_never_imports_a_higher_one(package: str, forbidden: set[str]) -> None:
    assert modules(package)
    wrong = {str(path): found for path in modules(package) if (found := tops(imported(path)) & forbidden)}
    assert not wrong


def test_only_the_composition_root_imports_the_sensors() -> None:
    importers = {
        path.relative_to(ROOT).as_posix() for path in modules("tip_assets") if "sensors" in tops(imported(path))
    }
    assert importers <= MAY_IMPORT_SENSORS


def test_heavy_libraries_are_imported_where_they_are_used() -> None:
    packages = ("node_agent", "tip_resources", "tip_assets", "sensors")
    paths = [path for package in packages for path in modules(package)]
    assert not {str(path) for path in paths if tops(imported(path, module_level=True)) & HEAVY}


def test_logic_beside_the_assets_knows_no_dagster() -> None:
    paths = [p for p in modules("tip_assets") if p.name not in DAGSTER_FILES and "cli" not in p.parts]
    assert not {str(path) for path in paths if "dagster" in tops(imported(path))}


def test_private_dagster_is_imported_in_one_place() -> None:
    wrong = set()
    for package in ("tip_resources", "tip_assets", "sensors"):
        for path in modules(package):
            name = path.relative_to(ROOT).as_posix()
            if not name.startswith(PRIVATE_DAGSTER_HOMES) and any(
                part.startswith("dagster._") for part in imported(path)
            ):
                wrong.add(name)
    assert not wrong


@pytest.mark.parametrize(
    "package", ["node_agent.report", "tip_resources.domain.codec", "tip_resources.domain.call_plan"]
)
def test_the_lowest_layers_import_with_dagster_absent(package: str) -> None:
    code = f"import sys; sys.modules['dagster'] = None; import {package}"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_the_sensors_package_is_ours() -> None:
    import sensors

    assert Path(sensors.__file__ or "").parent == ROOT / "sensors"
