"""Keys of delivered calls are sorted into their index once a set; the table of embeddings, never written, goes."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# fastupdate = on: new keys wait in a list until DeliveredIndex sorts them in, before its transaction ends. One by one,
# as 0006 had it, a page of the index is read and written for each key: at 200,000 calls of 20 keys 6.4 CPU us a key and
# growing, against 2.9 and level. 64 MB hold what 100,000 calls add.
# Rows keep the keys they have, up to 68 of them: more find a call no worse.
# Embeddings: nothing ever wrote them. The meanings of calls are compared within a set, and that needs no database.
CHANGES = """
ALTER INDEX tip.conversations_by_band_keys SET (fastupdate = on, gin_pending_list_limit = 65536);
DROP TABLE IF EXISTS tip.embeddings;
"""

DROPS = """
ALTER INDEX tip.conversations_by_band_keys SET (fastupdate = off);
ALTER INDEX tip.conversations_by_band_keys RESET (gin_pending_list_limit);
SELECT gin_clean_pending_list('tip.conversations_by_band_keys');
"""


def upgrade() -> None:
    """From 0006."""
    op.execute(CHANGES)


def downgrade() -> None:
    """To 0006, which works without the table of embeddings."""
    op.execute(DROPS)
