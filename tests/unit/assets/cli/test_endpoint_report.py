"""Why is this endpoint idle? What `tip endpoints` answers, without a server or a database."""

from datetime import UTC, datetime

import pytest

from tip_assets.cli.endpoint_report import EndpointReport, Known, reports
from tip_resources.database.endpoint_leases import Lease
from tip_resources.database.endpoint_limits import RememberedLimit
from tip_resources.database.performance import PerformanceSample
from tip_resources.llm.candidates import Candidate
from tip_resources.llm.endpoints import Examined
from tip_resources.llm.probe import EndpointProbe
from tip_resources.llm.served import ServedModel
from tip_resources.llm.types import Endpoint, Failure

URL, ADDRESS = "http://127.0.0.1:1234/v1", "http://desk:1234/v1"
CANDIDATE = Candidate(url=URL, name="lm", tier="local")
MODEL = ServedModel(id="phi-4", is_loaded=True)
USABLE = Examined(
    candidate=CANDIDATE,
    probe=EndpointProbe(url=URL, models=(MODEL,)),
    model=MODEL,
    endpoint=Endpoint(name="lm", url=URL, model="phi-4"),
)
LEASE = Lease(
    endpoint=ADDRESS, model="phi-4", holder="h", run_id="r1", host="desk", in_flight=2, granted=3, endpoint_limit=6
)


def report(examined: Examined = USABLE, known: Known | None = None) -> EndpointReport:
    (found,) = reports([examined], known or Known(), "desk")
    return found


def test_a_server_at_work_names_who_uses_it_and_is_not_idle():
    found = report(known=Known(leases=[LEASE], datasets={"r1": "clinic-500"}, running=["clinic-500"]))
    (use,) = found.used_by
    assert (use.dataset, use.in_flight, use.share, use.of) == ("clinic-500", 2, 3, 6)
    assert found.idle_because == ""


@pytest.mark.parametrize(
    ("known", "why"),
    [
        (Known(), "nobody asks: no data set is being written."),
        (Known(waiting=["clinic-500"]), "clinic-500 waits to be started: is `tip up` running?"),
        (Known(running=["clinic-500"]), "clinic-500 is being made, but no step of it writes with this endpoint now"),
        (
            Known(leases=[Lease(endpoint=ADDRESS, model="phi-4", holder="h", run_id="r1", granted=1)]),
            "run r1 has it in use and sends nothing now",
        ),
    ],
)
def test_an_idle_server_says_why(known: Known, why: str):
    assert report(known=known).idle_because.startswith(why)


def test_a_model_that_is_not_loaded_is_said():
    cold = Examined(
        candidate=CANDIDATE,
        probe=USABLE.probe,
        model=ServedModel(id="phi-4", is_loaded=False),
        endpoint=USABLE.endpoint,
    )
    assert report(cold).idle_because.endswith("Its model phi-4 is not loaded: the first call would wait for that.")


def test_a_server_that_cannot_be_used_gives_the_reason_of_the_probe():
    down = EndpointProbe(url=URL, failure=Failure(kind="connect", detail="nobody answers."))
    found = report(Examined(candidate=CANDIDATE, probe=down, reason="nobody answers."))
    assert (found.state, found.is_usable, found.idle_because) == ("away", False, "nobody answers.")
    paid = Candidate(url="https://api.openai.com/v1", name="openai", tier="openai")
    found = report(Examined(candidate=paid, reason="it is a paid API, used only when the tier openai is chosen."))
    assert (found.state, found.idle_because) == (
        "not asked",
        "it is a paid API, used only when the tier openai is chosen.",
    )


def test_what_was_learned_and_the_newest_speed_are_shown():
    learned = RememberedLimit(
        endpoint=ADDRESS, model="phi-4", limit=6, tokens_per_second=90.0, reason="7 are no faster", age_seconds=200
    )
    at = datetime(2026, 1, 2, tzinfo=UTC)
    sample = PerformanceSample(
        run_id="r", timestamp=at, endpoint=ADDRESS, model="phi-4", concurrency=6, throughput_per_sec=88.0
    )
    found = report(known=Known(limits=[learned], samples={ADDRESS: sample}))
    assert (found.limit, found.limit_reason) == (6, "7 are no faster (learned 3 min ago)")
    assert (found.tokens_per_second, found.last_used_at) == (88.0, at)
    assert report(known=Known(samples={ADDRESS: sample})).limit is None


def test_servers_that_only_runs_know_are_listed_too():
    lease = Lease(endpoint="http://pi:8080/v1", model="tiny", holder="h", in_flight=1, granted=1, endpoint_limit=1)
    mine, other = reports([USABLE], Known(leases=[lease]), "desk")
    assert mine.idle_because
    assert (other.url, other.state, other.idle_because) == ("http://pi:8080/v1", "in use", "")
