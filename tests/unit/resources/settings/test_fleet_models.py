"""Settings of the fleet that cannot be are refused with the reason."""

from datetime import time
from typing import Any

import pytest
from pydantic import ValidationError

from tip_resources.settings.fleet_models import FleetSettings
from tip_resources.settings.models import ThermalSettings

ONE = {"name": "pi-4b", "url": "http://10.0.0.7:8787/"}


def test_nodes_and_quiet_hours_are_read_as_people_write_them() -> None:
    given = {"nodes": [{**ONE, "time_zone": "Europe/Vienna"}], "quiet_hours": [{"begin": "08:30", "end": "17:00"}]}
    fleet = FleetSettings.model_validate(given)
    assert fleet.nodes[0].url == "http://10.0.0.7:8787"
    assert (fleet.quiet_hours[0].begin, fleet.quiet_hours[0].days[0]) == (time(8, 30), "monday")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"nodes": [ONE, {**ONE, "url": "http://10.0.0.8"}]}, "the name pi-4b stands there more than once"),
        ({"nodes": [ONE, {**ONE, "name": "pi-5"}]}, "the url http://10.0.0.7:8787 stands there more than once"),
        ({"nodes": [{**ONE, "name": "Pi 4"}]}, "a host name"),
        ({"nodes": [{**ONE, "url": "ftp://10.0.0.7"}]}, "not an http"),
        ({"nodes": [{**ONE, "url": "http://me:secret@10.0.0.7"}]}, "without user and password"),
        ({"nodes": [{**ONE, "time_zone": "Mars/Olympus"}]}, "no time zone of that name"),
        ({"nodes": [{**ONE, "time_zone": "../../etc/passwd"}]}, "no time zone of that name"),
        ({"quiet_hours": [{"begin": "09:00", "end": "09:00"}]}, "the same time"),
        ({"quiet_hours": [{"begin": "09:00Z"}]}, "without a time zone"),
        ({"quiet_hours": [{"days": []}]}, "at least 1 item"),
    ],
)
def test_what_cannot_be_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        FleetSettings.model_validate(given)


def test_a_raspberry_pi_recovers_below_its_limit() -> None:
    with pytest.raises(ValidationError, match="raspberry_pi_recovery_celsius must be below"):
        ThermalSettings(raspberry_pi_limit_celsius=60)
