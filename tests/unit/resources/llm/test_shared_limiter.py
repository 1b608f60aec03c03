from datetime import UTC, datetime, timedelta

import msgspec

from tip_resources.database.endpoint_leases import Lease
from tip_resources.database.endpoint_limits import RememberedLimit
from tip_resources.llm.limiter import CallSample, Learned
from tip_resources.llm.shared_limiter import TURN_SECONDS, SharedLimiter, ago
from tip_resources.llm.types import Endpoint

ENDPOINT = Endpoint(name="gpu", url="http://gpu:1234/v1", model="m")
NOON = datetime.fromtimestamp(1_800_000_000 // (2 * TURN_SECONDS) * 2 * TURN_SECONDS, UTC)


class Told:
    """A learning limiter that is told its limit and keeps what it hears."""

    def __init__(self, endpoint: Endpoint, learned: Learned | None) -> None:
        self.limit = 6 if learned is None else learned.limit
        self.reason = "starting" if learned is None else "as learned before"
        self.learned = learned
        self.heard: list[tuple[float, int, int]] = []
        self.samples: list[CallSample] = []
        self.weights: list[float] = []

    def call_started(self, now: float, in_flight: int) -> None:
        self.heard.append((now, 0, in_flight))

    def tokens_came(self, now: float, tokens: int, in_flight: int) -> None:
        self.heard.append((now, tokens, in_flight))

    def call_finished(self, sample: CallSample) -> None:
        self.samples.append(sample)

    def held_down(self, now: float, weight: float) -> None:
        self.weights.append(weight)


def lease(holder: str, **values: int) -> Lease:
    return msgspec.structs.replace(Lease(endpoint="e", model="m", holder=holder, wanted=6), **values)


def limiter(holder: str = "a") -> tuple[SharedLimiter, list[Told]]:
    made: list[Told] = []

    def learn(endpoint: Endpoint, learned: Learned | None) -> Told:
        made.append(Told(endpoint, learned))
        return made[-1]

    return SharedLimiter(ENDPOINT, learn, holder), made


def remembered(limit: int = 4, reason: str = "8 at once are no faster than 4") -> RememberedLimit:
    return RememberedLimit(
        endpoint="e", model="m", limit=limit, tokens_per_second=100.0, reason=reason, age_seconds=185.0
    )


def test_alone_it_is_the_learning_limiter_and_says_what_is_remembered_with_its_age():
    shared, made = limiter()
    shared.start(remembered(), now=10.0)
    shared.decide([lease("a")], NOON)
    assert (shared.limit, shared.reason) == (4, "8 at once are no faster than 4 (learned 3 min ago)")
    made[-1].limit, made[-1].reason = 5, "still rising"
    assert (shared.limit, shared.reason) == (5, "still rising")


def test_one_that_joins_takes_nothing_before_the_others_have_given_back():
    joining, _ = limiter("b")
    grant = joining.decide([lease("a", granted=6, endpoint_limit=6), lease("b")], NOON)
    assert (grant.granted, joining.limit) == (0, 0)
    assert joining.reason == "0 of 6: waits for a call of another run to end"
    grant = joining.decide([lease("a", granted=3, endpoint_limit=6), lease("b")], NOON)
    assert (grant.granted, joining.limit, joining.reason) == (3, 3, "3 of 6: shared with another run")


def test_calls_beyond_a_smaller_share_keep_their_place_until_they_end():
    shared, _ = limiter()
    shared.call_started(0.0, 6)
    both = [lease("a", granted=6, endpoint_limit=6), lease("b")]
    assert shared.decide(both, NOON).granted == 6
    assert shared.limit == 3
    shared.in_flight = 4
    assert shared.decide(both, NOON).granted == 4


def test_a_limit_that_falls_leaves_everyone_what_it_may_keep():
    shared, _ = limiter("b")
    leases = [lease("a", granted=4, endpoint_limit=4), lease("b", granted=4)]
    assert shared.decide(leases, NOON).granted == 2
    assert shared.limit == 2


def test_the_leader_hears_the_tokens_and_calls_of_all():
    shared, made = limiter()
    shared.start(None, now=0.0)
    shared.call_started(0.0, 1)
    two = [lease("a"), lease("b", in_flight=3, tokens_total=100)]
    shared.heard(two, now=1.0)
    two = [lease("a"), lease("b", in_flight=3, tokens_total=150)]
    shared.heard(two, now=2.0)
    shared.tokens_came(2.1, 10, 2)
    shared.tokens_came(2.2, 10, 2)
    ours = made[-1].heard
    assert ours[-1] == (2.2, 15, 5)
    assert sum(tokens for now, tokens, _ in ours if now > 2.0) == 30


def test_a_follower_learns_nothing_of_its_own_and_starts_anew_when_the_leader_is_gone():
    shared, made = limiter("b")
    shared.start(None, now=0.0)
    shared.decide([lease("a", granted=3, endpoint_limit=6), lease("b")], NOON)
    assert not shared.heard([lease("a"), lease("b")], now=1.0)
    shared.tokens_came(1.5, 10, 2)
    assert made[-1].heard == []
    assert shared.to_remember("e") is None
    alone = [lease("b", granted=3, endpoint_limit=6)]
    shared.decide(alone, NOON)
    assert shared.heard(alone, now=2.0)
    shared.start(remembered(limit=5), now=2.0)
    shared.decide(alone, NOON)
    assert shared.limit == 5
    assert shared.tokens_total == 10


def test_one_that_is_not_full_wants_only_what_it_used():
    shared, _ = limiter()
    shared.decide([lease("a")], NOON)
    assert shared.wanted() == 6
    shared.heard([lease("a")], now=1.0)
    shared.call_started(1.1, 1)
    assert shared.wanted() == 2
    shared.call_started(1.2, 6)
    assert shared.wanted() == 6


def test_two_that_share_a_single_call_have_it_in_turn():
    shared, _ = limiter("b")
    leases = [lease("a", endpoint_limit=1), lease("b")]
    shared.decide(leases, NOON)
    assert shared.limit == 0
    shared.decide(leases, NOON + timedelta(seconds=TURN_SECONDS))
    assert shared.limit == 1


def test_what_was_learned_is_given_with_the_latencies_seen():
    shared, made = limiter()
    made[-1].learned, made[-1].reason = Learned(limit=6, tokens_per_second=50.0), "8 at once are 10% slower than 6"
    sample = CallSample(
        failure=None,
        started_at_seconds=0.0,
        duration_seconds=3.0,
        time_to_first_token_seconds=1.0,
        characters_out=10,
        tokens_out=100,
        in_flight=1,
    )
    shared.call_finished(sample)
    kept = shared.to_remember("e")
    assert kept is not None
    assert (kept.limit, kept.p95_first_token_ms, kept.p95_token_gap_ms) == (6, 1000.0, 20.0)
    assert kept.reason == "8 at once are 10% slower than 6"


def test_time_is_told_in_its_largest_unit():
    assert [ago(at) for at in (5, 65, 7300, 90_000, 200_000)] == [
        "just now", "1 min ago", "2 h ago", "25 h ago", "2 days ago"
    ]  # fmt: skip


def test_a_throttled_machine_costs_no_run_its_share():
    shared, made = limiter()
    shared.start(remembered(10), now=0.0)
    both = [lease("a", granted=5, endpoint_limit=10), lease("b", granted=5, wanted=10)]
    shared.decide(both, NOON)
    shared.heard(both, 1.0)
    shared.held_down(1.0, 0.7)
    assert made[-1].weights == [1.0, 0.7]
    shared.call_started(1.0, 3)  # all that 0.7 of 5 allows: it could use more
    assert shared.wanted() == 10
    shared.in_flight = 2
    shared.heard(both, 2.0)
    assert shared.wanted() == 5  # with three calls at 0.7 it would need a share of five
    shared.held_down(3.0, 0.0)
    assert shared.wanted() == 10


def test_one_that_comes_to_lead_while_the_machine_is_throttled_learns_nothing_yet():
    shared, made = limiter("b")
    shared.held_down(0.0, 0.7)
    assert shared.heard([lease("a", granted=6, endpoint_limit=6), lease("b")], 1.0) is False
    assert shared.heard([lease("b")], 2.0) is True
    shared.start(remembered(), now=2.0)
    assert made[-1].weights == [0.7]
