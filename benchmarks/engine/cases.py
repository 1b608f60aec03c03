"""The rows of the table: devices, requests, what is to be reached and what the best other client reached.

To be reached: the figures this engine is held to. Best peer: the openai client, Data
Designer 0.9.6, curator 0.1.31, distilabel 1.5.3 and litellm 1.106.2, measured with the same device model. "-" is not
measured.
"""

from dataclasses import dataclass, field

from benchmarks.engine.answers import answer_tokens
from benchmarks.engine.oracle import Capacity, bound
from benchmarks.engine.speed import Change, Speed

MEAN_TOKENS = 600
FAULTS = ("--error-share", "0.05", "--reset-share", "0.02", "--hang-share", "0.01", "--truncated-share", "0.02")


@dataclass(frozen=True, kw_only=True)
class DeviceSpec:
    """One device: its speed, its slots, other flags of device.py, and what changes when (simulated seconds)."""

    speed: Speed = field(default_factory=Speed)
    slots: int = 32
    flags: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Case:
    """One row.

    Attributes:
        is_warm: An unmeasured run of `warm_up` requests goes before, in the same home.
        is_killed: `kill -9` when half is answered, then the same command again; both count.
        ignores_changes: The oracle is that of devices that never change, as in the peers' figures.
    """

    name: str
    title: str
    devices: tuple[DeviceSpec, ...]
    requests: int = 200
    warm_up: int = 200
    is_warm: bool = False
    is_killed: bool = False
    ignores_changes: bool = False
    to_reach: str
    best_peer: str

    def answers(self) -> list[int]:
        """Tokens of each answer."""
        return [answer_tokens(f"RID{index:06d}", MEAN_TOKENS) for index in range(self.requests)]

    def bound_seconds(self) -> float:
        """The oracle's makespan, simulated."""
        return bound(
            sum(self.answers()),
            [Capacity(one.speed, () if self.ignores_changes else one.changes) for one in self.devices],
        )


_SIX = Speed(knee=6)
_TWENTY_FOUR = Speed(knee=24)
# A third of the whole run is away when it takes 1.2 times as long as with both: 0.4 of the time both would need.
_CLEAN_SIX_200 = 200 * MEAN_TOKENS / _SIX.best
_DOWN, _UP = 0.4 * _CLEAN_SIX_200, 0.8 * _CLEAN_SIX_200

CASES = (
    Case(
        name="knee-6",
        title="silent queue, knee 6 of 32 slots, no setting given",
        devices=(DeviceSpec(),),
        to_reach="1.08",
        best_peer="1.39",
    ),
    Case(
        name="knee-24-cold",
        title="silent queue, knee 24 of 64 slots, cold, 200 requests",
        devices=(DeviceSpec(speed=_TWENTY_FOUR, slots=64),),
        to_reach="1.25",
        best_peer="1.37 (told 16)",
    ),
    Case(
        name="knee-24-warm",
        title="silent queue, knee 24 of 64 slots, warm, 1,000 requests",
        devices=(DeviceSpec(speed=_TWENTY_FOUR, slots=64),),
        requests=1000,
        is_warm=True,
        to_reach="1.08",
        best_peer="3.69 (its default)",
    ),
    Case(
        name="knee-moves",
        title="knee moves from 6 to 2 and back mid-run",
        devices=(DeviceSpec(changes=(Change(_DOWN, knee=2), Change(_UP, knee=6))),),
        to_reach="1.20",
        best_peer="-",
    ),
    Case(
        name="three-speeds",
        title="three endpoints, speeds 1 : 0.4 : 0.1",
        devices=tuple(DeviceSpec(speed=Speed(alone=alone)) for alone in (100.0, 40.0, 10.0)),
        to_reach="1.12",
        best_peer="1.33",
    ),
    Case(
        name="faults",
        title="5 % 500s, 2 % resets, 1 % hangs, 2 % truncated",
        devices=(DeviceSpec(flags=FAULTS),),
        to_reach="1.12, 0 lost",
        best_peer="2.79, 0-6 lost",
    ),
    Case(
        name="limited-429",
        title="429-limited: 6 slots, Retry-After 1",
        devices=(DeviceSpec(slots=6, flags=("--when-full", "429", "--retry-after", "1")),),
        to_reach="1.05, 0 lost",
        best_peer="1.24",
    ),
    Case(
        name="one-dies",
        title="one of two endpoints dies for a third of the run",
        devices=(
            DeviceSpec(),
            DeviceSpec(changes=(Change(_DOWN / 2, away="refuse"), Change(_UP / 2))),
        ),
        ignores_changes=True,
        to_reach="1.25, 0 lost",
        best_peer="1.79-2.2",
    ),
    Case(
        name="killed",
        title="kill -9 at half, then resume",
        devices=(DeviceSpec(),),
        is_killed=True,
        to_reach="0 asked again",
        best_peer="16-119 asked again",
    ),
    Case(
        name="killed-faults",
        title="kill -9 at half with the faults above",
        devices=(DeviceSpec(flags=FAULTS),),
        is_killed=True,
        to_reach="1.25, 0 lost, 0 asked again",
        best_peer="-",
    ),
    Case(
        name="plain",
        title="client cost, answers of 600 tokens, not streamed",
        devices=(DeviceSpec(flags=("--plain",)),),
        to_reach="1.0 CPU s per 1,000",
        best_peer="2.4 (openai)",
    ),
    Case(
        name="chunks",
        title="client cost, answers of 600 tokens, 600 chunks",
        devices=(DeviceSpec(),),
        to_reach="6 CPU s per 1,000",
        best_peer="-",
    ),
)
