"""Settings of the fleet: which machines, how they are asked, and when their people come first."""

import re
from collections import Counter
from datetime import time
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from tip_resources.settings.section import PositiveInt, PositiveSeconds, Section

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
NodeProfile = Literal["master", "generation", "processing", "hybrid", "laptop", "pi"]
_WORK_DAYS: tuple[Weekday, ...] = ("monday", "tuesday", "wednesday", "thursday", "friday")


def is_node_name(text: str) -> bool:
    """Whether it is a host name as agents report it."""
    return re.fullmatch(r"[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?", text) is not None


class FleetNodeSettings(Section):
    """One machine with an agent."""

    name: str = Field(description="Its host name, lower case, as its agent reports it.")
    url: str = Field(description="Address of its agent, for example http://192.168.1.31:8765.")
    step_slots: PositiveInt = Field(default=1, description="Dagster steps at once there.")
    profile: NodeProfile | None = Field(
        default=None, description="Its class of machine, which steps may ask for with the tag tip/node-class."
    )
    time_zone: str = Field(
        default="", description="Its time zone for quiet hours, for example Europe/Vienna; empty for this machine's."
    )

    @field_validator("name")
    @classmethod
    def _is_a_host_name(cls, name: str) -> str:
        if not is_node_name(name):
            raise ValueError("a host name of a-z, 0-9, '-' and '_', 63 at most")
        return name

    @field_validator("url")
    @classmethod
    def _is_http(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.password:
            raise ValueError("not an http:// or https:// address without user and password")
        return url.rstrip("/")

    @field_validator("time_zone")
    @classmethod
    def _is_known(cls, name: str) -> str:
        try:
            if name:
                ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError("no time zone of that name; write one such as Europe/Vienna or UTC") from error
        return name


class QuietHours(Section):
    """Hours in which machines are left to their people, by each machine's local time."""

    days: tuple[Weekday, ...] = Field(default=_WORK_DAYS, min_length=1, description="The days on which it begins.")
    begin: time = Field(default=time(9), description="For example 09:00.")
    end: time = Field(default=time(17), description="For example 17:00; before `begin` means on the next day.")
    nodes: tuple[str, ...] = Field(default=(), description="Names of the machines; none means all.")

    @model_validator(mode="after")
    def _has_a_length(self) -> Self:
        if self.begin.tzinfo or self.end.tzinfo:
            raise ValueError("times without a time zone: they are each machine's own")
        if self.begin == self.end:
            raise ValueError("begin and end are the same time")
        return self


class FleetSettings(Section):
    """The machines of the fleet, how they are asked, and when their people come first."""

    nodes: tuple[FleetNodeSettings, ...] = Field(default=(), description="Machines with an agent, besides this one.")
    poll_concurrency: PositiveInt = Field(default=250, description="Agents asked at once.")
    poll_timeout_seconds: PositiveSeconds = Field(default=5, description="Longest time to ask one agent, in all.")
    in_use_by_games: bool = Field(
        default=True, description="A game, or a full-screen program that uses the graphics card, takes the machine."
    )
    in_use_by_microphone: bool = Field(default=True, description="A microphone in use (a call) takes the machine.")
    in_use_by_camera: bool = Field(default=True, description="A camera in use takes the machine.")
    in_use_release_seconds: Annotated[float, Field(ge=0)] = Field(
        default=300, description="A machine that was in use works again after this long without a sign of it."
    )
    quiet_hours: tuple[QuietHours, ...] = Field(default=(), description="Hours in which machines take no work.")

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        for field in ("name", "url"):
            counts = Counter(getattr(node, field) for node in self.nodes)
            if twice := sorted(value for value, count in counts.items() if count > 1):
                raise ValueError(f"nodes: the {field} {', '.join(twice)} stands there more than once")
        return self
