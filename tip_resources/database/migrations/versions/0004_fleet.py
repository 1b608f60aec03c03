"""The fleet as everybody reads it: states of machines, people's orders, leases of step slots, work done, the gate."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLES = """
ALTER TABLE tip.nodes
    ADD COLUMN newest_state jsonb,
    ADD COLUMN state_written_at timestamptz;

CREATE TABLE tip.node_orders (
    node text PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('pause', 'drain')),
    given_by text NOT NULL DEFAULT '',
    reason text NOT NULL DEFAULT '',
    given_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE tip.found_nodes (
    url text PRIMARY KEY,
    name text NOT NULL,
    first_seen_at timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE tip.step_leases (
    run_id text NOT NULL,
    step_key text NOT NULL,
    node text NOT NULL,
    holder uuid NOT NULL,
    host text NOT NULL DEFAULT '',
    pid integer NOT NULL,
    taken_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (run_id, step_key)
);
CREATE INDEX step_leases_by_node ON tip.step_leases (node, expires_at);

CREATE TABLE tip.node_work (
    node text NOT NULL,
    hour_at timestamptz NOT NULL,
    calls integer NOT NULL DEFAULT 0,
    failed_calls integer NOT NULL DEFAULT 0,
    tokens_out bigint NOT NULL DEFAULT 0,
    call_seconds double precision NOT NULL DEFAULT 0,
    steps integer NOT NULL DEFAULT 0,
    failed_steps integer NOT NULL DEFAULT 0,
    PRIMARY KEY (node, hour_at)
);
CREATE INDEX node_work_by_time ON tip.node_work (hour_at);

CREATE TABLE tip.fleet_gate (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    run_limit integer NOT NULL,
    reason text NOT NULL,
    since timestamptz NOT NULL DEFAULT now(),
    decided_at timestamptz NOT NULL DEFAULT now(),
    memory jsonb NOT NULL
);
"""

DROPS = """
DROP TABLE tip.fleet_gate, tip.node_work, tip.step_leases, tip.found_nodes, tip.node_orders;
ALTER TABLE tip.nodes
    DROP COLUMN newest_state,
    DROP COLUMN state_written_at;
"""


def upgrade() -> None:
    """From 0003."""
    op.execute(TABLES)


def downgrade() -> None:
    """To 0003; people's orders to machines are forgotten, and so is how much work each did."""
    op.execute(DROPS)
