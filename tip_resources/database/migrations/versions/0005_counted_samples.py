"""What a sample adds to the work of its machine: calls, tokens and time since the sample before, counted once."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# Rows of before tell no calls, so there is nothing of them to count.
COLUMNS = """
ALTER TABLE tip.performance_samples
    ADD COLUMN calls integer NOT NULL DEFAULT 0,
    ADD COLUMN failed_calls integer NOT NULL DEFAULT 0,
    ADD COLUMN tokens_out bigint NOT NULL DEFAULT 0,
    ADD COLUMN call_seconds double precision NOT NULL DEFAULT 0,
    ADD COLUMN is_counted boolean NOT NULL DEFAULT true;
ALTER TABLE tip.performance_samples ALTER COLUMN is_counted SET DEFAULT false;
CREATE INDEX performance_samples_to_count ON tip.performance_samples (id) WHERE NOT is_counted;
"""

DROPS = """
DROP INDEX tip.performance_samples_to_count;
ALTER TABLE tip.performance_samples
    DROP COLUMN calls,
    DROP COLUMN failed_calls,
    DROP COLUMN tokens_out,
    DROP COLUMN call_seconds,
    DROP COLUMN is_counted;
"""


def upgrade() -> None:
    """From 0004."""
    op.execute(COLUMNS)


def downgrade() -> None:
    """To 0004; calls that were not yet counted never will be."""
    op.execute(DROPS)
