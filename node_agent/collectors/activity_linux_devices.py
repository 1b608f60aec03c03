"""Whether a microphone or a camera of a Linux machine is in use. Which program uses it is looked at, never told."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from node_agent.collectors.activity_reading import Run, Unknown

# Video devices that are no cameras: decoders, encoders and image processors of boards and phones.
_NOT_CAMERAS = ("codec", "-dec", "-enc", "hevc", "vdec", "vpu", "-isp", "pisp", "rpivid", "cedrus", "hantro")
# The driver of USB cameras. Its count of references is the number of open cameras, whoever opened them.
_USB_CAMERA_DRIVER = "uvcvideo"


class Devices:
    """Looks at sound and video devices.

    Args:
        run: Runs pactl.
        environ: Says where the sound server is.
        proc: Where the kernel shows processes and sound cards.
        sys: Where the kernel shows devices.
    """

    def __init__(self, run: Run, environ: Mapping[str, str], proc: Path, sys: Path) -> None:
        self._run = run
        self._environ = environ
        self._proc = proc
        self._sys = sys

    def is_microphone_in_use(self) -> bool:
        """Whether a program records, by the sound server or else by the sound cards.

        Raises:
            Unknown: Neither can be seen.
        """
        if self._has_sound_server():
            try:
                return self._is_recorded_by_sound_server()
            except Unknown:
                # The cards tell as well, only less: they do not know a stream that is paused or that nobody hears.
                pass
        cards = self._proc / "asound"
        if not cards.is_dir():
            raise Unknown("the kernel shows no sound cards to the agent")
        states = [_text(status).strip() for status in cards.glob("card*/pcm*c/sub*/status")]
        if "" in states:
            raise Unknown("a sound card does not tell whether it records")
        return any(state != "closed" for state in states)

    def is_camera_in_use(self) -> bool:
        """Whether a program holds a camera open.

        Raises:
            Unknown: The agent may not see all programs that could.
        """
        if not (self._sys / "class").is_dir():
            raise Unknown("the kernel shows no devices to the agent")
        cameras = [device for device in (self._sys / "class/video4linux").glob("video*") if _is_camera(device)]
        if not cameras:
            return False
        others = {f"/dev/{camera.name}" for camera in cameras if _driver(camera) != _USB_CAMERA_DRIVER}
        count = _text(self._sys / "module" / _USB_CAMERA_DRIVER / "refcnt").strip()
        if not count.isdecimal():  # A kernel with the driver built in keeps no count.
            others = {f"/dev/{camera.name}" for camera in cameras}
        elif int(count) > 0 and len(others) < len(cameras):
            return True
        return bool(others) and self._is_open(others)

    def _has_sound_server(self) -> bool:
        # Without this look, pactl may start a sound server.
        runtime = self._environ.get("XDG_RUNTIME_DIR")
        return bool(self._environ.get("PULSE_SERVER")) or bool(runtime and Path(runtime, "pulse/native").exists())

    def _is_recorded_by_sound_server(self) -> bool:
        streams = [stream for stream in self._listed("source-outputs") if _is_of_a_program(stream)]
        if not streams:
            return False
        what_plays = {source.get("index") for source in self._listed("sources") if _is_monitor(source)}
        return any(stream.get("source") not in what_plays for stream in streams)

    def _listed(self, kind: str) -> list[Mapping[str, Any]]:
        try:
            entries = json.loads(self._run(("pactl", "-f", "json", "list", kind)))
        except (ValueError, RecursionError):
            entries = None
        if not isinstance(entries, list):
            raise Unknown("pactl gave an answer of an unexpected form")
        return [entry for entry in entries if isinstance(entry, Mapping)]

    def _is_open(self, devices: set[str]) -> bool:
        if _text(self._proc / "2/comm").strip() != "kthreadd":
            raise Unknown("the agent does not see all programs: it runs in a container, or /proc hides them")
        has_seen_all = True
        for process in self._proc.glob("[0-9]*"):
            try:
                files = list((process / "fd").iterdir())
            except (FileNotFoundError, ProcessLookupError):
                continue  # It ended meanwhile.
            except OSError:
                has_seen_all = False
                continue
            if any(_target(file) in devices for file in files):
                return True
        if not has_seen_all:
            raise Unknown("the agent may not see the open files of other people's programs: only root may")
        return False


def _is_of_a_program(stream: Mapping[str, Any]) -> bool:
    """Whether a program records with it: not paused, not the sound server's own, not a level meter."""
    properties = stream.get("properties")
    properties = properties if isinstance(properties, Mapping) else {}
    is_meter = stream.get("resample_method") == "peaks" or properties.get("resample.peaks") == "true"
    return stream.get("corked") is not True and stream.get("client") not in (None, "n/a") and not is_meter


def _is_monitor(source: Mapping[str, Any]) -> bool:
    """Whether the source is what a loudspeaker plays, and no microphone."""
    properties = source.get("properties")
    device_class = properties.get("device.class") if isinstance(properties, Mapping) else None
    return device_class == "monitor" or str(source.get("name")).endswith(".monitor")


def _is_camera(device: Path) -> bool:
    name = _text(device / "name").lower()
    return not any(word in name for word in _NOT_CAMERAS)


def _driver(device: Path) -> str:
    return Path(_target(device / "device/driver")).name


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:
        return ""
