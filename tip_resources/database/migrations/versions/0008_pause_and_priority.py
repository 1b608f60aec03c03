"""Data sets that are paused and taken up again, by whom and since when; shares of endpoints by priority."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# attempt: counts how often a set was taken up again; each time needs a run of its own.
# weight: 2 is that of a set of normal priority (tip_resources/domain/priority.py).
COLUMNS = """
ALTER TABLE tip.dataset_requests
    ADD COLUMN attempt integer NOT NULL DEFAULT 0,
    ADD COLUMN state_since timestamp with time zone,
    ADD COLUMN state_by text NOT NULL DEFAULT '';
UPDATE tip.dataset_requests SET state_since = updated_at;
ALTER TABLE tip.dataset_requests
    ALTER COLUMN state_since SET DEFAULT now(),
    ALTER COLUMN state_since SET NOT NULL,
    DROP CONSTRAINT dataset_requests_state_check,
    ADD CONSTRAINT dataset_requests_state_check
        CHECK (state IN ('requested', 'running', 'paused', 'done', 'failed', 'cancelled', 'deleting'));
ALTER TABLE tip.endpoint_leases ADD COLUMN weight integer NOT NULL DEFAULT 2;
"""

# States and fields of a specification that 0007 does not know, it would refuse to read: paused sets are cancelled ones
# there, and what is kept goes on once the set is made again.
DROPS = """
UPDATE tip.dataset_requests SET spec = spec - 'priority';
UPDATE tip.dataset_requests SET state = 'cancelled' WHERE state IN ('paused', 'deleting');
ALTER TABLE tip.dataset_requests
    DROP COLUMN attempt,
    DROP COLUMN state_since,
    DROP COLUMN state_by,
    DROP CONSTRAINT dataset_requests_state_check,
    ADD CONSTRAINT dataset_requests_state_check
        CHECK (state IN ('requested', 'running', 'done', 'failed', 'cancelled'));
ALTER TABLE tip.endpoint_leases DROP COLUMN weight;
"""


def upgrade() -> None:
    """From 0007."""
    op.execute(COLUMNS)


def downgrade() -> None:
    """To 0007: paused sets are cancelled ones there."""
    op.execute(DROPS)
