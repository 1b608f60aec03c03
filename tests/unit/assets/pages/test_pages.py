"""Promises of docs/: what is generated is fresh, what is named exists, and nothing is forgotten."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from tip_assets.pages.__main__ import main
from tip_assets.pages.blocks import BLOCKS, DOCS, renewed, stale_pages, write_pages
from tip_assets.pages.column_tables import SETS
from tip_assets.pages.markdown import table
from tip_assets.pages.mission_numbers import MISSION_NUMBERS, MissionNumber
from tip_assets.pages.settings_tables import settings_tables, variable
from tip_resources.domain.failures import BadInput
from tip_resources.settings.environment import environment_layer
from tip_resources.settings.keys import all_keys

ROOT = DOCS.parent
PACKAGES = ("tip_resources", "tip_assets", "sensors", "node_agent")
# Folders below .tip/, which are made at work.
LEFT_BY_RUNS = {"compute_logs", "data/prompts", "experiments", "exports", "logs", "pg", "scratch"}
# Findings whose name is a variable, which the source alone does not tell: (file, variable) -> names.
NAMED_ELSEWHERE = {
    ("tip_resources/llm/diagnosis.py", "key"): {"models.by_domain.NAME", "models.by_role.NAME"},
}


def test_no_page_is_stale() -> None:
    stale = [path.name for path in stale_pages()]
    assert not stale, f"written anew by `make docs` (python -m tip_assets.pages): {', '.join(stale)}"


def test_every_generated_part_stands_on_a_page() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in DOCS.glob("*.md"))
    assert set(re.findall(r"<!-- generated: ([a-z ]+) -->", text)) == set(BLOCKS)


def test_a_stale_page_is_found_and_written_anew_and_the_rest_of_it_stays(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- generated: mission numbers -->\nof last year\n<!-- end of generated -->\nafter\n")
    (tmp_path / "plain.md").write_text("nothing generated\n")
    assert list(stale_pages(tmp_path)) == [page]
    assert write_pages(tmp_path) == [page]
    text = page.read_text()
    assert text.startswith("before\n<!-- generated: mission numbers -->\n| the mission says |")
    assert text.endswith("\n<!-- end of generated -->\nafter\n")
    assert "of last year" not in text
    assert write_pages(tmp_path) == []


def test_a_part_that_nothing_makes_is_an_error() -> None:
    with pytest.raises(BadInput, match="weather"):
        renewed("<!-- generated: weather -->\n<!-- end of generated -->", "page.md")


def test_the_command_says_that_nothing_is_stale() -> None:
    result = CliRunner().invoke(main)
    assert (result.exit_code, result.output) == (0, "docs/ is as it should be.\n")


def test_every_setting_is_listed_with_a_variable_that_sets_it() -> None:
    page = settings_tables()
    for key in all_keys().values():
        assert f"`{key.name}" in page
        if not (key.is_secret or key.is_map):
            given = environment_layer({variable(key): "1"})
            assert list(given) == [key.name]


@pytest.mark.parametrize("number", MISSION_NUMBERS, ids=lambda number: number.said)
def test_a_number_of_the_mission_is_the_default_of_a_setting(number: MissionNumber) -> None:
    assert {key: all_keys()[key].default for key in number.values} == number.values


def test_every_setting_is_used_somewhere() -> None:
    source = "".join(
        path.read_text(encoding="utf-8")
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if path.parent != ROOT / "tip_resources" / "settings" or path.name == "layers.py"
    )
    names = {key: key.removesuffix(".low").removesuffix(".high").rpartition(".")[2] for key in all_keys()}
    # As an attribute, or by its name (retention goes through its settings so).
    read = {name for name in names.values() if re.search(rf"\.{name}\b(?!\()|\"{name}\"", source)}
    # The secret comes from a variable of its own.
    unused = [key for key, name in names.items() if name not in read and key != "models.api_key"]
    assert not unused, f"nothing reads these settings: {', '.join(unused)}"


def test_every_stored_set_has_its_columns_on_the_page() -> None:
    listed = {name for names in SETS.values() for name in names}
    written = re.findall(r'^[A-Z_]+ = "(rejects|duplicates|second_grades)"', all_source(), re.MULTILINE)
    assert set(written) <= listed
    assert len(written) == 3


def test_bars_and_line_breaks_do_not_end_a_cell() -> None:
    assert table(("a",), [("x | y\nz",)]).splitlines()[-1] == "| x \\| y z |"


def test_every_page_is_in_the_list_of_pages() -> None:
    listed = re.findall(r"\]\(([a-z-]+\.md)\)", (DOCS / "README.md").read_text(encoding="utf-8"))
    pages = {path.name for path in DOCS.glob("*.md")} - {"README.md"}
    missing, gone = sorted(pages - set(listed)), sorted(set(listed) - pages)
    lines = "; ".join(f"- [{page}]({page}): what for" for page in missing)
    assert not missing, f"add a line to docs/README.md, where a newcomer would look for it: {lines}"
    assert not gone, f"docs/README.md lists pages that are not there: {', '.join(gone)}"
    assert len(listed) == len(set(listed))


def test_no_link_between_pages_is_broken() -> None:
    broken = []
    for page in (*DOCS.glob("*.md"), ROOT / "README.md"):
        for target, anchor in re.findall(r"\]\(([^)#:\s]*)(#[^)\s]*)?\)", page.read_text(encoding="utf-8")):
            file = page.parent / target if target else page
            if not file.exists():
                broken.append(f"{page.name} -> {target}")
            elif anchor and file.suffix == ".md" and anchor not in anchors(file):
                broken.append(f"{page.name} -> {target}{anchor}")
    assert not broken


def test_every_folder_that_the_architecture_names_exists() -> None:
    # Inside the text a room goes by its last name; below .tip/ lies what runs leave behind.
    places = [ROOT, *(ROOT / package for package in PACKAGES), ROOT / "tests" / "instance"]
    named = set(re.findall(r"`([a-z_]+(?:/[a-z_]+)*)/`", architecture())) - LEFT_BY_RUNS
    assert "tip_resources/domain" in named
    missing = sorted(name for name in named if not any((place / name).is_dir() for place in places))
    assert not missing, f"docs/architecture.md names folders that are not there: {', '.join(missing)}"


def test_every_package_folder_is_in_the_architecture() -> None:
    packages = {
        folder.parent.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for folder in (ROOT / package).rglob("__init__.py")
    } - {"tip_resources", "tip_assets"}
    missing = sorted(package for package in packages if f"| `{package}/` |" not in architecture())
    assert not missing, "add a row to a table of docs/architecture.md for: " + ", ".join(missing)


def test_every_finding_of_doctor_has_its_entry() -> None:
    headings = set(re.findall(r"^## (.+)$", (DOCS / "troubleshooting.md").read_text(encoding="utf-8"), re.MULTILINE))
    names = {name for path in finding_modules() for name in finding_names(path)}
    assert {"disk", "endpoint NAME", "agent of NAME", "database"} <= names
    missing = sorted(names - headings)
    assert not missing, f"docs/troubleshooting.md needs an entry (symptom, why, mend) under `## NAME` for: {missing}"
    assert not headings - names, f"docs/troubleshooting.md has entries for no finding: {sorted(headings - names)}"


def all_source() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tip_assets").rglob("*.py"))


def architecture() -> str:
    return (DOCS / "architecture.md").read_text(encoding="utf-8")


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as they are made on GitHub."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {"#" + re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def finding_modules() -> list[Path]:
    files = (path for package in ("tip_assets", "tip_resources") for path in (ROOT / package).rglob("*.py"))
    return [path for path in files if re.search(r"\bFinding\(", path.read_text(encoding="utf-8"))]


def finding_names(path: Path) -> Iterator[str]:
    """The names of the findings that a module makes; what only a run knows is NAME."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        given = {
            target.id: node.value
            for node in ast.walk(function)
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        parameters = {argument.arg for argument in function.args.args}
        for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
            maker = call.func.id if isinstance(call.func, ast.Name) else ""
            if maker not in {"Finding", "_guarded", "_tried"}:
                continue
            first = call.args[0]
            if isinstance(first, ast.Name) and first.id in parameters:
                continue  # handed in by a caller, who is looked at too
            if isinstance(first, ast.Name):
                file = path.relative_to(ROOT).as_posix()
                if (file, first.id) in NAMED_ELSEWHERE:
                    yield from NAMED_ELSEWHERE[file, first.id]
                    continue
                assert first.id in given, f"{file}: add the names that {first.id} may have to NAMED_ELSEWHERE"
                first = given[first.id]
            yield from words_of(first)


def words_of(name: ast.expr) -> Iterator[str]:
    if isinstance(name, ast.IfExp):
        yield from words_of(name.body)
        yield from words_of(name.orelse)
    elif isinstance(name, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "NAME" for part in name.values)
    else:
        assert isinstance(name, ast.Constant), ast.dump(name)
        yield str(name.value)
