-- What stands guard: revoked tokens, payloads kept for their time only, views compared by and by.

-- Tokens issued to a subject before this are refused (R44). Rows come and never change.
CREATE TABLE {schema}.token_revocations (
    serial        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject       text COLLATE "C" NOT NULL,
    issued_before timestamptz NOT NULL DEFAULT clock_timestamp(),
    reason        text NOT NULL,
    actor         text NOT NULL
);
GRANT SELECT, INSERT ON {schema}.token_revocations TO {service};

-- Carriers' payloads name people; they are deleted after their time, the facts stay (rules.md 30).
-- Cards made before this migration count from it: rather too long than too short.
ALTER TABLE {schema}.cards ADD COLUMN made_at timestamptz NOT NULL DEFAULT now();
CREATE INDEX cards_payload_idx ON {schema}.cards (made_at) WHERE field = 'payload';
-- What was on a card that is gone by time, so that whoever asks for it is told so.
CREATE TABLE {schema}.cards_past (
    id      uuid PRIMARY KEY,
    made_at timestamptz NOT NULL,
    gone_at timestamptz NOT NULL
);
GRANT SELECT, INSERT ON {schema}.cards_past TO {service};

-- Rows of views that a replay of their streams does not give, until they are found mended (M5).
CREATE TABLE {schema}.drift (
    place    text PRIMARY KEY, -- table and key
    stream   text COLLATE "C" NOT NULL,
    what     text NOT NULL,
    found_at timestamptz NOT NULL
);
CREATE INDEX drift_stream_idx ON {schema}.drift (stream);
-- How far the walk over all streams has come.
CREATE TABLE {schema}.drift_walk (
    id          integer PRIMARY KEY CHECK (id = 1),
    after       text COLLATE "C" NOT NULL DEFAULT '',
    streams     bigint NOT NULL DEFAULT 0, -- compared in this round
    begun_at    timestamptz,
    finished_at timestamptz                -- the last whole round
);
INSERT INTO {schema}.drift_walk (id) VALUES (1);
GRANT SELECT, INSERT, UPDATE, DELETE ON {schema}.drift TO {service};
GRANT SELECT, UPDATE ON {schema}.drift_walk TO {service};
