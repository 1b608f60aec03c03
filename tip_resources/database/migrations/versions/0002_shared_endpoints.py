"""What runs share about endpoints: limits that were learned, and who is using them now."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE tip.endpoint_limits (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    endpoint text NOT NULL,
    model text NOT NULL,
    learned_limit integer NOT NULL,
    tokens_per_second double precision NOT NULL,
    p95_first_token_ms double precision,
    p95_token_gap_ms double precision,
    reason text NOT NULL DEFAULT '',
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (endpoint, model)
);

CREATE TABLE tip.endpoint_leases (
    endpoint text NOT NULL,
    model text NOT NULL,
    holder uuid NOT NULL,
    run_id text NOT NULL DEFAULT '',
    host text NOT NULL DEFAULT '',
    pid integer NOT NULL,
    wanted integer NOT NULL,
    in_flight integer NOT NULL,
    tokens_total bigint NOT NULL DEFAULT 0,
    granted integer NOT NULL DEFAULT 0,
    endpoint_limit integer NOT NULL DEFAULT 0,
    first_seen_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (endpoint, model, holder)
);
CREATE INDEX performance_samples_by_endpoint ON tip.performance_samples (endpoint, timestamp);
"""

DROPS = """
DROP INDEX tip.performance_samples_by_endpoint;
DROP TABLE tip.endpoint_leases, tip.endpoint_limits;
"""


def upgrade() -> None:
    """From 0001."""
    op.execute(TABLES)


def downgrade() -> None:
    """To 0001; what was learned of endpoints is lost and learned again."""
    op.execute(DROPS)
