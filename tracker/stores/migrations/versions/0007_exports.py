"""Who asked for an export on a page, of whose exports only so many may wait."""

from alembic import op

revision = "0007"
down_revision = "0006"

EXPORTS = """
ALTER TABLE export ADD COLUMN account_id bigint REFERENCES account;
COMMENT ON COLUMN export.account_id IS 'who asked for it on a page; null: a client, or a command';
COMMENT ON COLUMN export.client_id IS 'who may fetch it; null: asked for on a page or by command';
"""


def upgrade() -> None:
    op.execute(EXPORTS)
