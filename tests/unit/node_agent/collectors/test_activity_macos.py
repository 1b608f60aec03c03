"""The idle time of a Mac, from what ioreg prints."""

import pytest

from node_agent.collectors.activity_macos import MacActivity, idle_seconds
from node_agent.collectors.activity_reading import Unknown
from tests.unit.node_agent.collectors.activity_recordings import RecordedPrograms

IOREG = """+-o Root  <class IORegistryEntry, id 0x100000100, retain 26>
  +-o J314sAP  <class IOPlatformExpertDevice, id 0x100000281, registered, matched, active, busy 0, retain 45>
    +-o IOResources  <class IOResources, id 0x100000112, registered, matched, active, busy 0, retain 50>
      +-o IOHIDSystem  <class IOHIDSystem, id 0x1000005b6, registered, matched, active, busy 0, retain 31>
          {
            "IOClass" = "IOHIDSystem"
            "HIDParameters" = {"Clicking"=0,"HIDPointerAcceleration"=45056,"HIDScrollZoomModifierMask"=262144}
            "HIDIdleTime" = 3254341351000
            "IOProviderClass" = "IOResources"
          }
"""


def test_the_idle_time_of_the_registry_is_in_nanoseconds() -> None:
    activity = MacActivity(RecordedPrograms({"ioreg -c IOHIDSystem -d 4": IOREG})).collect()
    assert activity.idle_seconds.value == pytest.approx(3254.341351)


def test_what_macos_does_not_tell_says_so() -> None:
    activity = MacActivity(RecordedPrograms({})).collect()
    signs = (activity.gaming, activity.full_screen, activity.microphone, activity.camera)
    assert all(sign.value is None and "macOS has no command" in sign.why_unknown for sign in signs)
    assert activity.idle_seconds.why_unknown == "ioreg is not installed"


@pytest.mark.parametrize("printed", ["", '"HIDIdleTime" = <data>', "+-o Root  <class IORegistryEntry>"])
def test_a_registry_without_an_idle_time_is_unknown(printed: str) -> None:
    with pytest.raises(Unknown, match="no HIDIdleTime"):
        idle_seconds(printed)
