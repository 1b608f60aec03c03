"""Reads specification files: YAML or JSON, one data set or a list under `datasets:`.

A data set is written out field by field, or as `request:` in plain words. Errors name file, line and fix.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from tip_assets.planning.dataset_names import name_from_file
from tip_assets.planning.domain_library import USER_FOLDER, load_libraries
from tip_assets.planning.library.located_yaml import Located, read_located
from tip_assets.planning.library.types import DomainLibrary
from tip_assets.planning.request_parser import parse_request
from tip_assets.planning.spec_checks import check_spec
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.domain.failures import BadInput
from tip_resources.domain.names import validate_dataset_name
from tip_resources.domain.seeds import seed_for
from tip_resources.home import project_home

T = TypeVar("T")

MAX_DATASETS = 1000
SUFFIXES = (".yaml", ".yml", ".json")
_REQUEST = "request"
_PLAIN, _LISTS = ("count", "seed", "rehearsal", "batch_api", "budget"), ("scenario_templates", "source_keys")
# What may stand beside `request:`; everything else is for the request itself to say.
_BESIDE_REQUEST = (
    *(_REQUEST, "name", "seed", "model", "tier", "mode", "rehearsal", "budget", "batch_api", "priority"),
    *("requested_by", "created_at"),
)
_FIELD_IN_MESSAGE = re.compile(r"\$\.([a-z_]+)")


def load_spec_file(path: Path, libraries: Mapping[str, DomainLibrary] | None = None) -> list[DatasetSpec]:
    """The data sets a file asks for, checked.

    A data set without a name gets the file's, and one without a seed gets the seed of its name, so that the
    same file always asks for the same data sets. `requested_by` and `created_at` stay as written.

    Args:
        path: A file ending in .yaml, .yml or .json.
        libraries: The domains there are; None reads those of the project folder.

    Raises:
        BadInput: The file cannot be read, or something in it cannot be used.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise BadInput(f"{path.name!r} is not a spec file.", mend=f"Name it with {', '.join(SUFFIXES)} at the end.")
    root = read_located(path)
    known = load_libraries(project_home() / USER_FOLDER) if libraries is None else libraries
    entries = _entries(root)
    specs: list[DatasetSpec] = []
    lines: dict[str, int] = {}
    for number, entry in enumerate(entries, start=1):
        fallback = path.stem if len(entries) == 1 else f"{path.stem}-{number}"
        for spec in _read_entry(entry, known, fallback):
            if spec.name in lines:
                raise entry.error(
                    f"the data set {spec.name!r} was already asked for on line {lines[spec.name]}.",
                    "Give it another name.",
                )
            lines[spec.name] = entry.line
            specs.append(spec)
    return specs


def _entries(root: Located) -> list[Located]:
    if not root.is_mapping:
        raise root.error("expected fields (name: value).", "Write one data set, or a list of them under datasets:.")
    fields = root.fields()
    if "datasets" not in fields:
        return [root]
    entries = list(root.fields(allowed=("datasets",))["datasets"].items())
    if not entries:
        raise fields["datasets"].error("is empty.", "Add at least one data set.")
    if len(entries) > MAX_DATASETS:
        raise fields["datasets"].error(f"has {len(entries)} data sets; {MAX_DATASETS} is the most in one file.")
    return entries


def _read_entry(entry: Located, libraries: Mapping[str, DomainLibrary], fallback_name: str) -> list[DatasetSpec]:
    if not entry.is_mapping:
        raise entry.error("expected fields (name: value).", "A data set has at least count: and domain:.")
    fields = entry.fields(allowed=(*DatasetSpec.__struct_fields__, _REQUEST))
    if "name" in fields:
        name = _at(fields, entry, lambda: validate_dataset_name(fields["name"].text()), "name")
    else:
        name = _at(fields, entry, lambda: name_from_file(fallback_name))
    if _REQUEST in fields:
        return _from_request(entry, fields, libraries, name)
    given = {key: _value(key, value) for key, value in fields.items()}
    given.setdefault("seed", seed_for(name))
    spec = _converted(entry, fields, {**given, "name": name})
    _at(fields, entry, lambda: check_spec(spec, libraries))
    return [spec]


def _from_request(
    entry: Located, fields: dict[str, Located], libraries: Mapping[str, DomainLibrary], name: str
) -> list[DatasetSpec]:
    for field, value in fields.items():
        if field not in _BESIDE_REQUEST:
            raise value.error("cannot stand beside request.", "Say it in the request, or write out all fields.")
    text = fields[_REQUEST].text(longest=20_000)
    drafts = _at(fields, entry, lambda: parse_request(text, libraries), _REQUEST).drafts
    extra = {key: _value(key, fields[key]) for key in fields if key not in (_REQUEST, "name")}
    specs: list[DatasetSpec] = []
    for number, draft in enumerate(drafts, start=1):
        own_name = name if len(drafts) == 1 else f"{name}-{number}"
        spec = draft.to_spec(name=own_name, seed=seed_for(own_name), query=text)
        specs.append(_converted(entry, fields, {**msgspec.to_builtins(spec), **extra}))
        _at(fields, entry, lambda spec=specs[-1]: check_spec(spec, libraries))
    return specs


def _value(field: str, value: Located) -> Any:
    if field in _LISTS:
        return value.texts()
    return value.plain() if field in _PLAIN else value.text(longest=20_000)


def _converted(entry: Located, fields: Mapping[str, Located], values: dict[str, Any]) -> DatasetSpec:
    try:
        return msgspec.convert(values, type=DatasetSpec)
    except msgspec.ValidationError as error:
        match = _FIELD_IN_MESSAGE.search(str(error))
        place = fields.get(match[1], entry) if match else entry
        what = str(error).split(" - at ")[0].replace("Object missing", "missing")
        raise place.error(f"{what[0].lower()}{what[1:]}.") from error


def _at(fields: Mapping[str, Located], entry: Located, check: Callable[[], T], field: str = "") -> T:
    """Runs `check`; a failure gets the line of the field it is about."""
    try:
        return check()
    except BadInput as error:
        place = fields.get(field or error.where, entry)
        raise place.error(error.what, error.mend) from error
