"""The life of a definition: edits, held hits, API clients, identities, erasure, exports."""

from alembic import op

revision = "0002"
down_revision = "0001"

DEFINITIONS = """
ALTER TABLE definition
    ADD COLUMN edits             int NOT NULL DEFAULT 0,
    ADD COLUMN locked_until      timestamptz,
    ADD COLUMN denied_operations text[] NOT NULL DEFAULT '{}',
    ADD COLUMN ttl_days          int CHECK (ttl_days > 0);
COMMENT ON COLUMN definition.edits IS 'how often it was edited: two edits at once both see this';
COMMENT ON COLUMN definition.denied_operations IS 'such as email:read; all others are allowed';
COMMENT ON COLUMN definition.ttl_days IS 'days until its events are deleted; null: never';

CREATE TABLE edit (
    definition_id bigint NOT NULL REFERENCES definition,
    number        int NOT NULL,
    name          text NOT NULL,
    description   text NOT NULL,
    made_at       timestamptz NOT NULL,
    PRIMARY KEY (definition_id, number)
);
COMMENT ON TABLE edit IS 'the names and descriptions that edits replaced';

ALTER TABLE version
    DROP COLUMN deprecated_at,
    ADD COLUMN edit int NOT NULL DEFAULT 0;
COMMENT ON COLUMN version.edit IS 'the edit that made it, 0 for the first save';
COMMENT ON COLUMN version.usable_from IS 'also when the version before it becomes deprecated';

ALTER TABLE snippet
    DROP CONSTRAINT snippet_version_id_key,
    ADD COLUMN retires_at timestamptz;
COMMENT ON COLUMN snippet.retires_at IS 'its key was replaced, and works until then';
CREATE UNIQUE INDEX snippet_in_use ON snippet (version_id) WHERE retires_at IS NULL;
"""

HELD = """
CREATE TABLE held (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    partition   int NOT NULL,
    section_id  int NOT NULL REFERENCES section,
    version_id  bigint NOT NULL REFERENCES version,
    snippet_key text NOT NULL,
    hit_id      uuid,
    raw         bytea NOT NULL,
    sent        bigint NOT NULL,
    received_at timestamptz NOT NULL,
    due_at      timestamptz NOT NULL,
    UNIQUE (section_id, hit_id)
);
COMMENT ON TABLE held IS 'hits that came before their version can be used, in order of arrival';
CREATE INDEX held_due ON held (partition, due_at);
"""

CLIENTS = """
DROP TABLE api_key;

CREATE TABLE api_client (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    public_id   text NOT NULL UNIQUE,
    section_id  int NOT NULL REFERENCES section,
    name        text NOT NULL,
    secret_hash bytea NOT NULL,
    scopes      text[] NOT NULL,
    keyspaces   text[] NOT NULL,
    created_at  timestamptz NOT NULL,
    revoked_at  timestamptz
);
COMMENT ON COLUMN api_client.keyspaces IS 'those that it may address or see at all';

CREATE TABLE posting (
    client_id bigint NOT NULL REFERENCES api_client,
    key       text NOT NULL,
    body_hash bytea NOT NULL,
    answer    text,
    made_at   timestamptz NOT NULL,
    PRIMARY KEY (client_id, key)
);
COMMENT ON TABLE posting IS 'what posts with an Idempotency-Key were answered';
CREATE INDEX posting_age ON posting (made_at);
"""

PROFILES = """
ALTER TABLE section
    ADD COLUMN signing_secret bytea,
    ADD COLUMN trusts_pages   boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN section.signing_secret IS 'encrypted with PINTAG_SECRET_KEY';
COMMENT ON COLUMN section.trusts_pages IS 'true: claims need no signature';

CREATE UNIQUE INDEX identifier_one_value ON identifier (profile_id, keyspace)
    WHERE keyspace <> 'web';
CREATE INDEX event_claims ON event (section_id, id) WHERE claims IS NOT NULL;

CREATE TABLE merge (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    section_id int NOT NULL REFERENCES section,
    kind       text NOT NULL CHECK (kind IN ('merged', 'refused', 'unmerged')),
    first_id   bigint NOT NULL,
    second_id  bigint,
    made_by    text NOT NULL,
    made_at    timestamptz NOT NULL
);
COMMENT ON TABLE merge IS 'merges of profiles, by the identifiers that were named';
COMMENT ON COLUMN merge.second_id IS 'for an identifier that was taken out: one that stayed';
CREATE INDEX merge_first ON merge (first_id);
CREATE INDEX merge_second ON merge (second_id);

CREATE TABLE erased (
    section_id int NOT NULL REFERENCES section,
    hash       bytea NOT NULL,
    erased_at  timestamptz NOT NULL,
    PRIMARY KEY (section_id, hash)
);
COMMENT ON TABLE erased IS 'keyed hashes of erased identifiers: late hits are dropped';
"""

ERASURES = """
CREATE TABLE erasure (
    id            text PRIMARY KEY,
    section_id    int NOT NULL REFERENCES section,
    identifier_id bigint NOT NULL,
    asked_at      timestamptz NOT NULL,
    begun_at      timestamptz,
    finished_at   timestamptz,
    erased        jsonb NOT NULL DEFAULT '{}'
);
COMMENT ON TABLE erasure IS 'erasures of profiles; whose they were is nowhere in a finished one';
COMMENT ON COLUMN erasure.identifier_id IS 'by which the profile was asked for';
COMMENT ON COLUMN erasure.erased IS 'how much of what was deleted so far';
CREATE INDEX erasure_unfinished ON erasure (id) WHERE finished_at IS NULL;
CREATE TABLE erasing (
    erasure_id    text NOT NULL REFERENCES erasure ON DELETE CASCADE,
    identifier_id bigint NOT NULL,
    keyspace      text NOT NULL,
    key           text NOT NULL,
    PRIMARY KEY (erasure_id, identifier_id)
);
COMMENT ON TABLE erasing IS 'identifiers whose traces an unfinished erasure is deleting';

CREATE TABLE export (
    id             text PRIMARY KEY,
    section_id     int NOT NULL REFERENCES section,
    client_id      bigint REFERENCES api_client,
    identifier_id  bigint NOT NULL,
    identifier_ids bigint[] NOT NULL,
    made_at        timestamptz NOT NULL,
    ready_at       timestamptz,
    expires_at     timestamptz NOT NULL
);
COMMENT ON COLUMN export.client_id IS 'who may fetch it; null: asked for on the command line';
COMMENT ON COLUMN export.identifier_id IS 'by which the profile was asked for';
COMMENT ON COLUMN export.identifier_ids IS 'whose data is in it, so that their erasure ends it';
CREATE TABLE export_part (
    export_id text NOT NULL REFERENCES export ON DELETE CASCADE,
    number    int NOT NULL,
    body      text NOT NULL,
    PRIMARY KEY (export_id, number)
);
"""


def upgrade() -> None:
    for statements in (DEFINITIONS, HELD, CLIENTS, PROFILES, ERASURES):
        op.execute(statements)
    op.execute(
        "CREATE TRIGGER erased_revision AFTER INSERT OR UPDATE OR DELETE ON erased"
        " FOR EACH STATEMENT EXECUTE FUNCTION raise_revision()"
    )
