"""What the decisions are worth: 5,000 calls on 50 simulated machines, on a virtual clock. The same figures each time.

    python -m benchmarks.fleet.simulation [--seeds 1 2 3] [--nodes 50] [--calls 5000] [--dying 0.1]
        [--recovery 75] [--watched-hours 2] [--rough]

Machines (machines.py) warm up under work, have owners who come and go, and one in ten dies: half of those with broken
connections, half in silence. The platform (dispatch.py) sees their reports every 30 s; its settings are the
defaults, but for the temperature below which a hot machine works again (`--recovery`), and it has watched them for
some hours (`--watched-hours`; after none it knows of none how it warms). It is compared with the same
scheduler without temperatures and with an oracle (oracle.py): `ratio` is to one under the same rules, which leaves a
machine alone for as long after a visit as the settings say; `strict` is to one that uses every second without an owner.
`--rough` makes the machines less like what the platform's curve assumes (machines.py).

Degree-seconds above a machine's limit are told apart: `C s owner` of machines that report power while an owner is there
and until that excess is over (nobody foresees a game; it and the calls add up until the next report), `C s work` of
these otherwise, and `C s load` of machines that report load only. `worst` is how far above at most. `slowed` is how
often a machine that reports power was throttled, per hour of its life. `disturbed` are node hours in which an
owner was there and calls ran; `wasted` is the share of tokens written for calls that had to begin anew.
"""

import argparse
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.fleet.dispatch import Call, Dispatch
from benchmarks.fleet.machines import STEP_SECONDS, Life, make_fleet
from benchmarks.fleet.oracle import oracle_seconds
from tip_resources.settings.models import Settings, ThermalSettings

_TOKENS = 2400.0
_ABOUT_TOKENS_PER_SECOND_OF_50 = 1800.0
# A run this many times as long as the oracle's is over: what is then not written counts as lost.
_GIVE_UP = 5


@dataclass
class Outcome:
    """What came of one run."""

    seconds: float = 0.0
    above_by_work: float = 0.0
    above_with_owner: float = 0.0
    above_without_power: float = 0.0
    worst_celsius: float = 0.0
    slowed_per_hour: float = 0.0
    disturbed_seconds: float = 0.0
    lost: int = 0
    twice: int = 0
    moved: int = 0
    wasted: float = 0.0

    def add_above(self, celsius: float, life: Life, *, is_owners: bool) -> None:
        """One step so far above the limit."""
        self.worst_celsius = max(self.worst_celsius, celsius)
        if not life.kind.tells_power:
            self.above_without_power += celsius * STEP_SECONDS
        elif is_owners:
            self.above_with_owner += celsius * STEP_SECONDS
        else:
            self.above_by_work += celsius * STEP_SECONDS


def simulate(
    lives: Sequence[Life],
    runs: Sequence[Sequence[Call]],
    settings: Settings,
    *,
    sees_heat: bool,
    seed: int,
    until: float,
    watched_seconds: int = 7200,
) -> Outcome:
    """All runs, to their end or to `until`."""
    dispatch = Dispatch(lives, runs, settings, sees_heat=sees_heat, seed=seed, watched_seconds=watched_seconds)
    calls = [call for run in runs for call in run]
    outcome, now = Outcome(), 0.0
    owners_heat: set[str] = set()
    throttled: set[str] = set()
    powered_seconds = slowed = 0.0
    while now < until and not dispatch.is_done:
        dispatch.step(now)
        for node in dispatch.nodes:
            life, body = node.life, node.body
            owner = life.has_owner_at(now)
            is_alive = life.is_alive_at(now)
            body.live(body.watts(len(node.running), owner) if is_alive else 0.0)
            above = body.celsius - life.kind.limit_celsius
            if above <= 0:
                owners_heat.discard(life.name)
            else:
                if owner:
                    owners_heat.add(life.name)
                outcome.add_above(above, life, is_owners=life.name in owners_heat)
            if life.kind.tells_power and is_alive:
                powered_seconds += STEP_SECONDS
                is_throttled = node.state.status == "throttled"
                slowed += is_throttled and life.name not in throttled
                (throttled.add if is_throttled else throttled.discard)(life.name)
            if node.running and is_alive:
                outcome.disturbed_seconds += STEP_SECONDS if owner else 0.0
                dispatch.progress(node)
        now += STEP_SECONDS
    outcome.slowed_per_hour = slowed / (powered_seconds / 3600) if powered_seconds else 0.0
    outcome.seconds = now
    outcome.lost = sum(call.finished == 0 for call in calls)
    outcome.twice = sum(call.finished > 1 for call in calls)
    outcome.moved = dispatch.moved
    outcome.wasted = dispatch.wasted_tokens / sum(call.tokens for call in calls)
    return outcome


def main() -> None:
    """Prints a line for each seed and scheduler."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--nodes", type=int, default=50)
    parser.add_argument("--calls", type=int, default=5000)
    parser.add_argument("--calls-per-run", type=int, default=10)
    parser.add_argument("--dying", type=float, default=0.1)
    parser.add_argument("--recovery", type=float, default=ThermalSettings().recovery_celsius)
    parser.add_argument("--watched-hours", type=float, default=2)
    parser.add_argument("--rough", action="store_true")
    options = parser.parse_args()
    settings = Settings(thermal=ThermalSettings(recovery_celsius=options.recovery))
    print(
        f"{'seed':>4} {'scheduler':9} {'seconds':>7} {'ratio':>6} {'strict':>6} {'C s work':>8} {'C s owner':>9}"
        f" {'C s load':>8} {'worst':>5} {'slowed':>6} {'disturbed':>9}"
        f" {'lost':>4} {'twice':>5} {'moved':>5} {'wasted':>6} {'CPU s':>5}"
    )
    for seed in options.seeds:
        chance = random.Random(seed)
        tokens = [_TOKENS * chance.uniform(0.8, 1.2) for _ in range(options.calls)]
        about = sum(tokens) / (_ABOUT_TOKENS_PER_SECOND_OF_50 * options.nodes / 50)
        lives = make_fleet(options.nodes, seed, about, options.dying, is_rough=options.rough)
        oracle = oracle_seconds(lives, sum(tokens), settings.fleet.in_use_release_seconds)
        strict = oracle_seconds(lives, sum(tokens), 0.0)
        for name, sees_heat in (("tip", True), ("blind", False)):
            began = time.process_time()
            runs = _runs(tokens, options.calls_per_run)
            run = simulate(
                lives,
                runs,
                settings,
                sees_heat=sees_heat,
                seed=seed,
                until=_GIVE_UP * oracle,
                watched_seconds=round(3600 * options.watched_hours),
            )
            print(
                f"{seed:4} {name:9} {run.seconds:7.0f} {run.seconds / oracle:6.3f} {run.seconds / strict:6.3f}"
                f" {run.above_by_work:8.0f} {run.above_with_owner:9.0f} {run.above_without_power:8.0f}"
                f" {run.worst_celsius:5.1f} {run.slowed_per_hour:6.2f}"
                f" {run.disturbed_seconds / 3600:9.1f} {run.lost:4} {run.twice:5} {run.moved:5} {run.wasted:6.1%}"
                f" {time.process_time() - began:5.1f}"
            )


def _runs(tokens: Sequence[float], calls_per_run: int) -> list[list[Call]]:
    calls = [Call(number, size) for number, size in enumerate(tokens)]
    return [calls[start : start + calls_per_run] for start in range(0, len(calls), calls_per_run)]


if __name__ == "__main__":
    main()
