"""The one resource the assets use: settings, storage, database and domain libraries as plain objects.

Configuration in, plain typed objects out; nothing is read before a step asks for it.
"""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import polars as pl

from tip_assets.exports.manifest import MANIFEST_NAME
from tip_resources.home import project_home
from tip_resources.settings.layers import load_settings
from tip_resources.settings.models import Settings
from tip_resources.storage.checkpoint import Checkpoint
from tip_resources.storage.folders import publish_folder
from tip_resources.storage.layout import Layout
from tip_resources.storage.objects import local_file, put_file
from tip_resources.storage.places import is_local
from tip_resources.storage.sets import sink_set

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from tip_assets.planning.domain_library import DomainLibrary
    from tip_resources.database.delivered import DeliveredIndex
    from tip_resources.database.fleet_gate import GateStore
    from tip_resources.database.quality_scores import QualityScores
    from tip_resources.database.requests import RequestStore
    from tip_resources.fleet.endpoint_nodes import EndpointNodes
    from tip_resources.fleet.fleet_servers import FleetServers
    from tip_resources.fleet.known_fleet import KnownFleet
    from tip_resources.fleet.under_way import UnderWay


class Platform(dg.ConfigurableResource):
    """What tip is on this machine. `home` empty means the project folder."""

    home: str = ""

    @cached_property
    def folder(self) -> Path:
        """The project folder."""
        return Path(self.home) if self.home else project_home()

    def settings(self) -> Settings:
        """The settings as they are now, every layer read."""
        return load_settings(self.folder)

    def layout(self) -> Layout:
        """Where things lie."""
        return Layout(self.settings().storage_url, self.folder)

    def checkpoint(self, dataset: str) -> Checkpoint:
        """Parts of a data set that is being written."""
        return Checkpoint(self.layout().parts(dataset))

    def store_set(self, name: str, dataset: str, frame: pl.LazyFrame, scratch: Path) -> None:
        """Stores a set that is not an asset of its own (the rejects of raw_conversations)."""
        file = scratch / f"{name}.parquet"
        sink_set(frame, file)
        put_file(file, self.layout().set_file(name, dataset))

    def open_set(self, name: str, dataset: str, scratch: Path) -> pl.LazyFrame:
        """A set that `store_set` stored; one that lies in S3 is copied into `scratch` first.

        Raises:
            FileNotFoundError: There is none.
        """
        return pl.scan_parquet(local_file(self.layout().set_file(name, dataset), scratch))

    @contextmanager
    def exporting(self, dataset: str, export_format: str, run_id: str) -> Iterator[Path]:
        """A local folder to export into, which is or becomes the data set's export of that format."""
        target = self.layout().exports(dataset, export_format)
        if is_local(target):
            yield Path(target.path)
            return
        folder = self.layout().scratch(run_id, f"{export_format}_export")
        yield folder
        publish_folder(folder, target, last=MANIFEST_NAME)
        shutil.rmtree(folder)

    def redaction_key(self, dataset: str) -> bytes:
        """The secret behind the surrogates and hash tags of a data set."""
        from tip_resources.redaction_key import redaction_key

        return redaction_key(self.folder, dataset)

    def libraries(self) -> "dict[str, DomainLibrary]":
        """Built-in domains and those the user dropped in config/domains/."""
        from tip_assets.planning.domain_library import USER_FOLDER, load_libraries

        return load_libraries(self.folder / USER_FOLDER)

    def library(self, domain: str) -> "DomainLibrary":
        """One domain, read alone: another file of the user's that is broken does no harm here."""
        from tip_assets.planning.domain_library import USER_FOLDER, load_library

        return load_library(domain, self.folder / USER_FOLDER)

    def database(self) -> "Engine":
        """tip's own database."""
        from tip_resources.database.connection import database

        return database(self.folder)

    @cached_property
    def fleet_servers(self) -> "FleetServers":
        """The machines of the fleet and their model servers."""
        from tip_resources.fleet.fleet_servers import fleet_of

        return fleet_of(self.folder)

    def requests(self) -> "RequestStore":
        """What was asked for."""
        from tip_resources.database.requests import RequestStore

        return RequestStore(self.database())

    def delivered(self, excluding: str = "") -> "DeliveredIndex":
        """What finds the duplicates of everything delivered; of the data set `excluding` nothing is found."""
        from tip_resources.database.delivered import DeliveredIndex

        return DeliveredIndex(self.database(), excluding)

    def quality_scores(self) -> "QualityScores":
        """The grades of what was delivered."""
        from tip_resources.database.quality_scores import QualityScores

        return QualityScores(self.database())

    def gate(self) -> "GateStore":
        """How many runs may go on."""
        from tip_resources.database.fleet_gate import GateStore

        return GateStore(self.database())

    def shortage_of_room(self, *, was_short: bool = False) -> str | None:
        """Why nothing more is to be written to the disk now; None while there is room."""
        from tip_resources.upkeep.disk_room import shortage

        return shortage(self.folder, self.settings(), was_short=was_short)

    def fleet(self) -> "KnownFleet":
        """All machines as they are known now. One for the process: it keeps for a while what it read and measured."""
        return _known_fleet(self.database(), self.folder)

    def watch_if_nobody_does(self) -> None:
        """Does the watcher's work once where none runs: `tip up` starts one, plain `dagster dev` does not."""
        from tip_resources.fleet.watcher import process_wide_watcher

        fleet = self.fleet()
        if not fleet.is_watched():
            process_wide_watcher(self.database(), lambda: fleet.settings).pass_if_nobody_watches()

    def under_way(self) -> "Mapping[str, UnderWay]":
        """What of ours is under way on each machine now."""
        from tip_resources.fleet.under_way import under_way

        fleet = self.fleet()
        return under_way(self.database(), _nodes_of(fleet.own_name), fleet.settings.fleet.nodes)


@cache
def _nodes_of(own_name: str) -> "EndpointNodes":
    """Keeps what was looked up of host names."""
    from tip_resources.fleet.endpoint_nodes import EndpointNodes

    return EndpointNodes(own=own_name)


@lru_cache(maxsize=2)
def _known_fleet(database: "Engine", folder: Path) -> "KnownFleet":
    from tip_resources.fleet.known_fleet import KnownFleet
    from tip_resources.settings.live import LiveSettings

    return KnownFleet(database, LiveSettings(folder).current)
