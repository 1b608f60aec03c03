"""What is under way on each machine, from leases that live."""

from uuid import uuid4

from sqlalchemy import Engine, text

from tip_resources.database.step_leases import StepLease, StepLeaseStore
from tip_resources.fleet.endpoint_nodes import EndpointNodes
from tip_resources.fleet.under_way import UnderWay, under_way
from tip_resources.settings.fleet_models import FleetNodeSettings

CALLS = text("""
INSERT INTO tip.endpoint_leases (endpoint, model, holder, pid, wanted, in_flight, expires_at)
VALUES (:endpoint, 'phi-4', :holder, 1, 8, :calls, now() + :seconds * interval '1 s')
""")
LISTED = (FleetNodeSettings(name="pi", url="http://10.0.0.7:8765"), FleetNodeSettings(name="rtx", url="http://r:1"))


def step(key: str, node: str) -> StepLease:
    return StepLease(run_id="1f0c6a52-9", step_key=key, node=node, holder=str(uuid4()), pid=1)


def test_work_counts_for_the_machine_whose_name_or_agents_host_the_endpoint_has(fresh_database: Engine) -> None:
    leases = StepLeaseStore(fresh_database)
    for lease in (step("a", "pi"), step("b", "pi"), step("c", "desk")):
        assert leases.take(lease, slots=9)
    leases.wait(step("in-line", "rtx"))
    assert StepLeaseStore(fresh_database, lease_seconds=-1).take(step("gone", "pi"), slots=9)
    calls = [
        ("http://desk:1234/v1", 2, 60),
        ("http://10.0.0.7:8080/v1", 3, 60),
        ("http://10.0.0.7:8081/v1", 4, -1),
        ("http://rtx:1234/v1", 1, 60),
        ("http://r:1234/v1", 1, 60),
        ("https://api.openai.com/v1", 9, 60),
    ]
    with fresh_database.begin() as connection:
        for endpoint, count, seconds in calls:
            row = {"endpoint": endpoint, "holder": str(uuid4()), "calls": count, "seconds": seconds}
            connection.execute(CALLS, row)
    nodes = EndpointNodes(lambda _name: frozenset(), own="desk")
    assert under_way(fresh_database, nodes, LISTED) == {
        "desk": UnderWay(("c (1f0c6a52)",), 2),
        "pi": UnderWay(("a (1f0c6a52)", "b (1f0c6a52)"), 3),
        "rtx": UnderWay((), 2),
    }
