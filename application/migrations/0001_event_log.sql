-- The event log and what is committed together with it. Every name is qualified (design.md, Parts).

-- Columns are named as the eventsourcing library reads them; notification_id is the log position.
CREATE TABLE {schema}.tallypost_events (
    originator_id      text COLLATE "C" NOT NULL,
    originator_version bigint NOT NULL,
    topic              text COLLATE "C" NOT NULL,
    state              bytea NOT NULL,
    notification_id    bigint NOT NULL,
    PRIMARY KEY (originator_id, originator_version)
);
CREATE UNIQUE INDEX tallypost_events_notification_id_idx
    ON {schema}.tallypost_events (notification_id);

-- One row a group commit: the position it ends at, and the Merkle frontier there.
CREATE TABLE {schema}.commits (
    position    bigint PRIMARY KEY,
    frontier    bytea NOT NULL,
    recorded_at timestamptz NOT NULL
);

-- Locked, never updated: an updated row would die under any open snapshot.
CREATE TABLE {schema}.turn (id integer PRIMARY KEY CHECK (id = 1));
INSERT INTO {schema}.turn VALUES (1);

-- The answer every command got, refusals too, under its idempotency key.
CREATE TABLE {schema}.commands (
    principal   text COLLATE "C" NOT NULL,
    key         text COLLATE "C" NOT NULL,
    digest      bytea NOT NULL,
    position    bigint NOT NULL,
    refused     boolean NOT NULL,
    answer      bytea NOT NULL,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (principal, key)
);
CREATE INDEX commands_recorded_at_idx ON {schema}.commands USING brin (recorded_at);

-- The vault: immutable sealed cards. Their keys live in a schema of their own.
CREATE TABLE {schema}.cards (
    id           uuid PRIMARY KEY,
    subject      text COLLATE "C" NOT NULL,
    field        text NOT NULL,
    sealed       bytea NOT NULL,
    phone_digest bytea,
    tail_digest  bytea
);
CREATE INDEX cards_subject_idx ON {schema}.cards (subject);
CREATE INDEX cards_phone_idx ON {schema}.cards (phone_digest) WHERE phone_digest IS NOT NULL;
CREATE INDEX cards_tail_idx ON {schema}.cards (tail_digest) WHERE tail_digest IS NOT NULL;

CREATE TABLE {keys}.subject_keys (
    subject text COLLATE "C" PRIMARY KEY,
    wrapped bytea NOT NULL
);

-- Rebuildable, never a source of truth: a state with the fingerprint of the fold that made it.
CREATE TABLE {schema}.snapshots (
    stream      text COLLATE "C" PRIMARY KEY,
    version     bigint NOT NULL,
    fingerprint text NOT NULL,
    state       bytea NOT NULL
);

CREATE FUNCTION {schema}.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the log is append-only: % on % refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {schema}.tallypost_events
    FOR EACH STATEMENT EXECUTE FUNCTION {schema}.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {schema}.commits
    FOR EACH STATEMENT EXECUTE FUNCTION {schema}.refuse_change();

GRANT USAGE ON SCHEMA {schema}, {keys} TO {service};
GRANT SELECT, INSERT ON {schema}.tallypost_events, {schema}.commits, {schema}.commands TO {service};
-- SELECT … FOR UPDATE asks for the right to update; the trigger-free row holds nothing to change.
GRANT SELECT, UPDATE ON {schema}.turn TO {service};
GRANT SELECT, INSERT, DELETE ON {schema}.cards TO {service};
GRANT SELECT, INSERT, UPDATE, DELETE ON {keys}.subject_keys, {schema}.snapshots TO {service};
