"""What is under way on each machine, from leases that live."""

from uuid import uuid4

from sqlalchemy import Engine, text

from tip_resources.database.fleet_work import FleetWork

STEP = text("""
INSERT INTO tip.step_leases (run_id, step_key, node, holder, pid, expires_at)
VALUES (:run, :step, :node, :holder, 1, now() + :seconds * interval '1 s')
""")
CALLS = text("""
INSERT INTO tip.endpoint_leases (endpoint, model, holder, pid, wanted, in_flight, expires_at)
VALUES (:endpoint, 'phi-4', :holder, 1, 8, :calls, now() + :seconds * interval '1 s')
""")


def test_steps_and_calls_are_counted_while_their_leases_live(fresh_database: Engine) -> None:
    with fresh_database.begin() as connection:
        for step, node, seconds in (("b", "pi", 60), ("a", "pi", 60), ("c", "desk", 60), ("gone", "pi", -1)):
            row = {"run": "1f0c6a52-9", "step": step, "node": node, "holder": str(uuid4()), "seconds": seconds}
            connection.execute(STEP, row)
        for endpoint, calls, seconds in (("http://pi:1/v1", 2, 60), ("http://pi:1/v1", 3, 60), ("http://x/v1", 7, -1)):
            holder = str(uuid4())
            connection.execute(CALLS, {"endpoint": endpoint, "holder": holder, "calls": calls, "seconds": seconds})
    work = FleetWork(fresh_database)
    assert work.steps() == {"pi": ("a (1f0c6a52)", "b (1f0c6a52)"), "desk": ("c (1f0c6a52)",)}
    assert work.calls() == {"http://pi:1/v1": 5}
