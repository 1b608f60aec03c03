"""What is known of machines over time: their state and since when, the figures of every report, and quarter hours."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# node_reports had a whole report in JSON per row and nothing wrote it. 1,000 machines make 2.9 million rows a day:
# the figures that are plotted take about 140 bytes each, a whole report 3,500 and more. The newest is in nodes.
TABLES = """
ALTER TABLE tip.nodes
    ADD COLUMN address text NOT NULL DEFAULT '',
    ADD COLUMN state_since timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN notes text NOT NULL DEFAULT '',
    ADD COLUMN clock_skew_seconds double precision,
    ADD COLUMN newest_report jsonb,
    ALTER COLUMN last_seen_at DROP NOT NULL,
    ALTER COLUMN last_seen_at DROP DEFAULT;

DROP TABLE tip.node_reports;
CREATE TABLE tip.node_reports (
    node_id uuid NOT NULL REFERENCES tip.nodes ON DELETE CASCADE,
    received_at timestamptz NOT NULL DEFAULT now(),
    state text NOT NULL DEFAULT '',
    cpu_celsius real,
    gpu_celsius real,
    gpu_watts real,
    cpu_ratio real,
    gpu_ratio real,
    PRIMARY KEY (node_id, received_at)
);
CREATE INDEX node_reports_by_time ON tip.node_reports (received_at);

CREATE TABLE tip.node_quarters (
    node_id uuid NOT NULL REFERENCES tip.nodes ON DELETE CASCADE,
    quarter_at timestamptz NOT NULL,
    reports integer NOT NULL,
    cpu_celsius_min real, cpu_celsius_mean real, cpu_celsius_max real, cpu_celsius_count integer NOT NULL,
    gpu_celsius_min real, gpu_celsius_mean real, gpu_celsius_max real, gpu_celsius_count integer NOT NULL,
    gpu_watts_min real, gpu_watts_mean real, gpu_watts_max real, gpu_watts_count integer NOT NULL,
    cpu_ratio_min real, cpu_ratio_mean real, cpu_ratio_max real, cpu_ratio_count integer NOT NULL,
    gpu_ratio_min real, gpu_ratio_mean real, gpu_ratio_max real, gpu_ratio_count integer NOT NULL,
    PRIMARY KEY (node_id, quarter_at)
);
CREATE INDEX node_quarters_by_time ON tip.node_quarters (quarter_at);
"""

DROPS = """
DROP TABLE tip.node_quarters, tip.node_reports;
CREATE TABLE tip.node_reports (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    node_id uuid NOT NULL REFERENCES tip.nodes ON DELETE CASCADE,
    reported_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    report jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX node_reports_by_node ON tip.node_reports (node_id, reported_at);
ALTER TABLE tip.nodes
    DROP COLUMN address,
    DROP COLUMN state_since,
    DROP COLUMN notes,
    DROP COLUMN clock_skew_seconds,
    DROP COLUMN newest_report;
UPDATE tip.nodes SET last_seen_at = first_seen_at WHERE last_seen_at IS NULL;
ALTER TABLE tip.nodes ALTER COLUMN last_seen_at SET DEFAULT now(), ALTER COLUMN last_seen_at SET NOT NULL;
"""


def upgrade() -> None:
    """From 0002."""
    op.execute(TABLES)


def downgrade() -> None:
    """To 0002; the history of machines is lost, the machines stay."""
    op.execute(DROPS)
