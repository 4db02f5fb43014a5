"""The first schema: definitions and snippets, profiles and events, quarantine and ledger.

Events have no foreign keys, profiles and identifiers none to their section: the worker makes them
from rows that it has just looked up, and the checks would cost a quarter of PostgreSQL's time.
"""

from alembic import op

revision = "0001"
down_revision = None

TABLES = """
CREATE TABLE installation (
    id          int PRIMARY KEY DEFAULT 1 CHECK (id = 1),
    prefix      text NOT NULL,
    partitions  int NOT NULL CHECK (partitions BETWEEN 1 AND 256),
    revision    bigint NOT NULL DEFAULT 1,
    queue_epoch text NOT NULL DEFAULT '',
    created_at  timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN installation.revision IS 'goes up with every change that collectors must know';
COMMENT ON COLUMN installation.queue_epoch IS 'also kept in Redis: one that lost its data lacks it';

CREATE TABLE section (
    id              int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    slug            text NOT NULL UNIQUE,
    name            text NOT NULL,
    allowed_origins text[] NOT NULL DEFAULT '{}',
    strict_origin   boolean NOT NULL DEFAULT false,
    created_at      timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN section.allowed_origins IS 'empty: every origin may send';
COMMENT ON COLUMN section.strict_origin IS 'true: a hit without an Origin header is refused too';

CREATE TABLE api_key (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    section_id  int NOT NULL REFERENCES section,
    name        text NOT NULL,
    secret_hash bytea NOT NULL UNIQUE,
    created_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE definition (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    section_id    int NOT NULL REFERENCES section,
    category      text NOT NULL CHECK (category IN ('transactions', 'conversions', 'signals')),
    slug          text NOT NULL,
    name          text NOT NULL,
    description   text NOT NULL DEFAULT '',
    discriminator text NOT NULL UNIQUE,
    web_tracking  boolean NOT NULL DEFAULT false,
    hidden_at     timestamptz,
    created_at    timestamptz NOT NULL,
    UNIQUE (section_id, name),
    UNIQUE (section_id, slug)
);

CREATE TABLE version (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    public_id     text NOT NULL UNIQUE,
    definition_id bigint NOT NULL REFERENCES definition,
    number        int NOT NULL CHECK (number >= 1),
    fields        jsonb NOT NULL,
    created_at    timestamptz NOT NULL,
    usable_from   timestamptz NOT NULL,
    deprecated_at timestamptz,
    UNIQUE (definition_id, number)
);

CREATE TABLE snippet (
    key        text PRIMARY KEY,
    version_id bigint NOT NULL UNIQUE REFERENCES version,
    created_at timestamptz NOT NULL
);

CREATE TABLE script (
    hash       text PRIMARY KEY,
    body       text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE script IS 'hosted scripts, kept for good: a pasted tag names one by its hash';

CREATE SEQUENCE profile_id;
CREATE TABLE profile (
    id         bigint PRIMARY KEY DEFAULT nextval('profile_id'),
    section_id int NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE identifier (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    section_id int NOT NULL,
    keyspace   text NOT NULL,
    key        text NOT NULL,
    profile_id bigint NOT NULL DEFAULT nextval('profile_id'),
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (section_id, keyspace, key)
);
ALTER TABLE identifier ADD FOREIGN KEY (profile_id) REFERENCES profile
    DEFERRABLE INITIALLY DEFERRED;
CREATE INDEX identifier_profile ON identifier (profile_id);

CREATE TABLE event (
    id            uuid NOT NULL,
    section_id    int NOT NULL,
    identifier_id bigint NOT NULL,
    version_id    bigint NOT NULL,
    event_time    timestamptz NOT NULL,
    received_at   timestamptz NOT NULL,
    data          jsonb NOT NULL,
    page          text,
    referrer      text,
    claims        text,
    PRIMARY KEY (id, section_id)
) PARTITION BY RANGE (id);
COMMENT ON COLUMN event.id IS 'the hit''s id, a UUIDv7: partitions are ranges of time';
CREATE INDEX event_timeline ON event (identifier_id, event_time);
CREATE TABLE event_other PARTITION OF event DEFAULT;

CREATE TABLE hit_partition (
    number     int PRIMARY KEY,
    last_id    text NOT NULL DEFAULT '0-0',
    counted    bigint NOT NULL DEFAULT 0,
    tries      int NOT NULL DEFAULT 0,
    suspect_id text
);
COMMENT ON COLUMN hit_partition.last_id IS 'stream id of the last hit with a committed outcome';
COMMENT ON COLUMN hit_partition.counted IS 'hits read and committed in this queue epoch';
COMMENT ON COLUMN hit_partition.tries IS 'workers that took it and ended without progress';
COMMENT ON COLUMN hit_partition.suspect_id IS 'the hit that a careful worker is running alone';

CREATE TABLE queue_loss (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    queue_epoch text NOT NULL,
    partition   int NOT NULL,
    counted     bigint NOT NULL,
    noticed_at  timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE queue_loss IS 'queue epochs that ended because Redis lost its data';

CREATE TABLE quarantine (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    partition   int NOT NULL,
    section_id  int REFERENCES section,
    version_id  bigint REFERENCES version,
    snippet_key text NOT NULL,
    hit_id      uuid,
    reason      text NOT NULL,
    errors      jsonb NOT NULL DEFAULT '[]',
    raw         bytea NOT NULL,
    sent        bigint NOT NULL,
    received_at timestamptz NOT NULL,
    UNIQUE (section_id, hit_id)
);
COMMENT ON COLUMN quarantine.raw IS 'the hit as it came, byte for byte: it need not be JSON text';

CREATE TABLE ledger (
    partition  int NOT NULL,
    from_state text NOT NULL,
    to_state   text NOT NULL,
    reason     text NOT NULL DEFAULT '',
    hits       bigint NOT NULL,
    PRIMARY KEY (partition, from_state, to_state, reason)
);
COMMENT ON TABLE ledger IS 'moves of hits between states; `queued` is the state they come from';
"""

REVISION = """
CREATE FUNCTION raise_revision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE installation SET revision = revision + 1;
    RETURN NULL;
END $$;
"""

WATCHED = ("section", "definition", "version", "snippet", "script")


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(REVISION)
    for table in WATCHED:
        op.execute(
            f"CREATE TRIGGER {table}_revision AFTER INSERT OR UPDATE OR DELETE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION raise_revision()"
        )
