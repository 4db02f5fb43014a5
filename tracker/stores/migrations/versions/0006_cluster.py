"""The epoch of each partition, for a hit queue over a cluster."""

from alembic import op

revision = "0006"
down_revision = "0005"

EPOCHS = """
ALTER TABLE hit_partition ADD COLUMN epoch text NOT NULL DEFAULT '';
COMMENT ON COLUMN hit_partition.epoch IS
    'also kept with the partition in a cluster: a node that lost its data lacks it; else empty';
COMMENT ON COLUMN installation.queue_epoch IS
    'also kept in Redis: one that lost its data lacks it; empty while the queue is in a cluster';
COMMENT ON TABLE queue_loss IS
    'queue epochs that ended: Redis, or a node of a cluster, lost its data, or the queue was moved';
"""


def upgrade() -> None:
    op.execute(EPOCHS)
