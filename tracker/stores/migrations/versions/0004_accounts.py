"""Who signs in to the pages, what they may do there, and what they did."""

from alembic import op

revision = "0004"
down_revision = "0003"

ACCOUNTS = """
CREATE TABLE account (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name          text NOT NULL UNIQUE,
    password_hash text,
    created_at    timestamptz NOT NULL,
    disabled_at   timestamptz
);
COMMENT ON COLUMN account.password_hash IS 'argon2; null until one was chosen by a one-time link';

CREATE TABLE membership (
    account_id bigint NOT NULL REFERENCES account,
    section_id int REFERENCES section,
    role       text NOT NULL CHECK (role IN ('viewer', 'editor', 'owner')),
    UNIQUE NULLS NOT DISTINCT (account_id, section_id)
);
COMMENT ON COLUMN membership.section_id IS 'null: in every section, also those to come';

CREATE TABLE one_time_link (
    token_hash bytea PRIMARY KEY,
    account_id bigint NOT NULL REFERENCES account,
    expires_at timestamptz NOT NULL
);
COMMENT ON TABLE one_time_link IS 'whoever opens one may choose its account''s password, once';

CREATE TABLE session (
    token_hash bytea PRIMARY KEY,
    account_id bigint NOT NULL REFERENCES account,
    created_at timestamptz NOT NULL,
    used_at    timestamptz NOT NULL,
    said       text
);
COMMENT ON COLUMN session.said IS 'what its next page says, once';

CREATE TABLE audit_log (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at         timestamptz NOT NULL,
    account    text NOT NULL,
    section_id int REFERENCES section,
    action     text NOT NULL,
    subject    text NOT NULL DEFAULT ''
);
COMMENT ON COLUMN audit_log.account IS 'its name at that time';
CREATE INDEX audit_log_section ON audit_log (section_id, id);
"""


def upgrade() -> None:
    op.execute(ACCOUNTS)
