"""Microphone and camera on Linux: recorded sound servers, and trees like the kernel's /proc and /sys."""

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from node_agent.collectors.activity_linux import LinuxActivity
from node_agent.report import Sign
from tests.unit.node_agent.collectors.activity_recordings import RecordedPrograms

MICROPHONE, MONITOR = 123, 134
SOURCES = [
    {
        "index": MICROPHONE,
        "name": "alsa_input.usb-Trust_Microphone-00.mono-fallback",
        "monitor_source": "",
        "properties": {"media.class": "Audio/Source", "device.class": "sound"},
    },
    {
        "index": MONITOR,
        "name": "alsa_output.pci-0000_01_00.1.hdmi-stereo.monitor",
        "monitor_source": "alsa_output.pci-0000_01_00.1.hdmi-stereo",
        "properties": {"media.class": "Audio/Sink", "device.class": "monitor"},
    },
]
CALL = {
    "index": 900,
    "source": MICROPHONE,
    "client": "3472",
    "corked": False,
    "resample_method": "copy",
    "properties": {"application.name": "Firefox", "media.name": "AudioCallbackDriver"},
}
SOUND_SERVER = {"PULSE_SERVER": "unix:/run/user/1000/pulse/native"}
RECORDING = "state: RUNNING\nowner_pid   : 2114\ntrigger_time: 812.120\ndelay       : 240\n"


def pactl(*streams: dict[str, object]) -> RecordedPrograms:
    return RecordedPrograms(
        {
            "pactl -f json list source-outputs": json.dumps(streams),
            "pactl -f json list sources": json.dumps(SOURCES),
        }
    )


def microphone(programs: RecordedPrograms, environ: dict[str, str], proc: Path) -> Sign:
    return LinuxActivity(programs, environ, proc, proc / "no-sys").collect().microphone


def camera(proc: Path, sys: Path) -> Sign:
    return LinuxActivity(RecordedPrograms({}), {}, proc, sys).collect().camera


def test_a_call_is_seen_in_the_sound_server(tmp_path: Path) -> None:
    assert microphone(pactl(CALL), SOUND_SERVER, tmp_path) == Sign(True)


def test_no_stream_is_no_recording(tmp_path: Path) -> None:
    assert microphone(pactl(), SOUND_SERVER, tmp_path) == Sign(False)


@pytest.mark.parametrize(
    "other",
    [
        {"corked": True},
        {"source": MONITOR},
        {"client": None, "properties": {"node.name": "echo-cancel-capture"}},
        {"client": "n/a"},
        {"resample_method": "peaks"},
        {"properties": {"media.name": "Peak detect", "resample.peaks": "true"}},
    ],
    ids=["paused", "what plays", "the server's own", "a module's", "level meter", "level meter of PipeWire"],
)
def test_not_every_stream_is_a_person_speaking(tmp_path: Path, other: dict[str, object]) -> None:
    assert microphone(pactl({**CALL, **other}), SOUND_SERVER, tmp_path) == Sign(False)
    assert microphone(pactl({**CALL, **other}, CALL), SOUND_SERVER, tmp_path) == Sign(True)


def test_no_sound_server_is_started_by_looking(tmp_path: Path) -> None:
    programs = pactl(CALL)
    microphone(programs, {"XDG_RUNTIME_DIR": str(tmp_path)}, tmp_path)
    assert not [line for line in programs.asked if line.startswith("pactl")]


def test_the_sound_server_is_found_by_its_socket(tmp_path: Path) -> None:
    (tmp_path / "pulse").mkdir()
    (tmp_path / "pulse/native").touch()
    assert microphone(pactl(CALL), {"XDG_RUNTIME_DIR": str(tmp_path)}, tmp_path) == Sign(True)


def sound_cards(proc: Path, state: str) -> Path:
    for stream, text in (("pcm0c", state), ("pcm0p", RECORDING)):
        status = proc / "asound/card0" / stream / "sub0/status"
        status.parent.mkdir(parents=True)
        status.write_text(text, encoding="utf-8")
    return proc


@pytest.mark.parametrize(("state", "is_in_use"), [(RECORDING, True), ("closed\n", False)])
def test_a_system_service_sees_the_microphone_at_the_sound_card(tmp_path: Path, state: str, is_in_use: bool) -> None:
    assert microphone(RecordedPrograms({}), {}, sound_cards(tmp_path, state)) == Sign(is_in_use)


@pytest.mark.parametrize("printed", ["", "No PulseAudio daemon running", '{"a": 1}', "[" * 100_000])
def test_a_sound_server_that_talks_nonsense_leaves_the_word_to_the_card(tmp_path: Path, printed: str) -> None:
    programs = RecordedPrograms({"pactl -f json list source-outputs": printed})
    assert microphone(programs, SOUND_SERVER, sound_cards(tmp_path, RECORDING)) == Sign(True)


def test_without_sound_server_and_cards_the_microphone_is_unknown(tmp_path: Path) -> None:
    assert "no sound cards" in microphone(RecordedPrograms({}), {}, tmp_path).why_unknown


def test_a_card_that_tells_nothing_is_unknown(tmp_path: Path) -> None:
    assert "does not tell" in microphone(RecordedPrograms({}), {}, sound_cards(tmp_path, "")).why_unknown


@pytest.fixture
def root() -> Iterator[Path]:
    """A folder that an ordinary person may read, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def ordinary_person() -> Iterator[None]:
    """Who runs the test may not read the files of others."""
    was = os.geteuid()
    if was != 0:
        yield
        return
    os.seteuid(65_534)
    try:
        yield
    finally:
        os.seteuid(was)


def video_device(sys: Path, name: str, driver: str, title: str) -> None:
    hardware = sys / "devices/platform" / f"{driver}-{name}"
    hardware.mkdir(parents=True)
    (hardware / "driver").symlink_to(f"../../../../bus/usb/drivers/{driver}")
    device = sys / "class/video4linux" / name
    device.mkdir(parents=True)
    (device / "device").symlink_to(hardware)
    (device / "name").write_text(title + "\n", encoding="utf-8")


def usb_camera(sys: Path, references: str | None) -> Path:
    for name in ("video0", "video1"):
        video_device(sys, name, "uvcvideo", "Integrated Camera: Integrated C")
    if references is not None:
        count = sys / "module/uvcvideo/refcnt"
        count.parent.mkdir(parents=True)
        count.write_text(references + "\n", encoding="utf-8")
    return sys


def processes(proc: Path, open_file: str) -> Path:
    for number, name in ((2, "kthreadd"), (1000, "pipewire"), (2114, "zoom")):
        (proc / str(number) / "fd").mkdir(parents=True)
        (proc / str(number) / "comm").write_text(name + "\n", encoding="utf-8")
    (proc / "1000/fd/0").symlink_to("/dev/null")
    (proc / "2114/fd/17").symlink_to(open_file)
    return proc


@pytest.mark.parametrize(("references", "is_in_use"), [("0", False), ("1", True), ("2", True)])
def test_the_driver_of_usb_cameras_counts_who_has_one_open(root: Path, references: str, is_in_use: bool) -> None:
    assert camera(root / "no-proc", usb_camera(root, references)) == Sign(is_in_use)


@pytest.mark.parametrize(("open_file", "is_in_use"), [("/dev/video0", True), ("/dev/null", False)])
def test_a_camera_without_a_count_is_looked_for_in_the_open_files(root: Path, open_file: str, is_in_use: bool) -> None:
    proc = processes(root / "proc", open_file)
    assert camera(proc, usb_camera(root / "sys", None)) == Sign(is_in_use)


def test_a_board_camera_is_looked_for_in_the_open_files_though_the_usb_camera_is_closed(root: Path) -> None:
    sys = usb_camera(root / "sys", "0")
    video_device(sys, "video4", "unicam", "unicam-image")
    assert camera(processes(root / "proc", "/dev/video4"), sys) == Sign(True)


def test_a_machine_without_a_camera_does_not_use_one(root: Path) -> None:
    (root / "class").mkdir()
    assert camera(root / "no-proc", root) == Sign(False)


def test_a_machine_that_hides_its_devices_does_not_tell_of_its_camera(root: Path) -> None:
    assert "no devices" in camera(root / "no-proc", root / "no-sys").why_unknown


@pytest.mark.parametrize("title", ["bcm2835-codec-decode", "bcm2835-isp-output0", "rpi-hevc-dec", "pispbe-input"])
def test_a_video_decoder_is_no_camera(root: Path, title: str) -> None:
    video_device(root / "sys", "video10", "bcm2835-codec", title)
    assert camera(processes(root / "proc", "/dev/video10"), root / "sys") == Sign(False)


@pytest.mark.usefixtures("ordinary_person")
def test_open_files_of_others_that_may_not_be_read_make_it_unknown(root: Path) -> None:
    with tempfile.TemporaryDirectory() as own:
        proc = processes(Path(own) / "proc", "/dev/null")
        (proc / "2114/fd").chmod(0)
        assert "only root may" in camera(proc, usb_camera(Path(own) / "sys", None)).why_unknown
        (proc / "2114/fd").chmod(0o755)


def test_a_container_does_not_see_who_uses_the_camera(root: Path) -> None:
    proc = processes(root / "proc", "/dev/null")
    (proc / "2/comm").write_text("sh\n", encoding="utf-8")
    assert "container" in camera(proc, usb_camera(root / "sys", None)).why_unknown
