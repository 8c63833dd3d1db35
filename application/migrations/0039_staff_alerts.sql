-- What staff were told of by their robot (N1). Not a view of the log: what is stuck is found wherever
-- it is known, and this is what was said of it. A rebuild leaves it alone, so nothing is told twice.

-- One row a trouble, from its first telling until it was told to be over.
CREATE TABLE {schema}.alerts (
    key        text COLLATE "C" PRIMARY KEY,
    kind       text NOT NULL,
    about      jsonb NOT NULL,
    since      timestamptz,          -- of the trouble, where it is known
    first_at   timestamptz NOT NULL, -- when it was told first
    told_at    timestamptz NOT NULL, -- and last
    times      integer NOT NULL
);

-- The newest tries to tell, which are also what the robot's limit is counted by.
CREATE TABLE {schema}.alert_messages (
    serial   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at       timestamptz NOT NULL,
    fresh    integer NOT NULL,       -- troubles told for the first time
    reminded integer NOT NULL,
    solved   integer NOT NULL,
    outcome  text NOT NULL,          -- delivered, failed, refused
    code     integer,                -- errcode, where there was an answer
    cause    text
);
CREATE INDEX alert_messages_at_idx ON {schema}.alert_messages (at);

-- Whether it may be told just now: one row.
CREATE TABLE {schema}.alert_robot (
    single        boolean PRIMARY KEY DEFAULT true CHECK (single),
    robot         text,              -- a digest of its key: another one is tried anew
    refused       text,              -- why it will take nothing more
    refused_at    timestamptz,
    failures      integer NOT NULL DEFAULT 0, -- in a row
    next_at       timestamptz,       -- not before; NULL: now
    claimed_by    text,              -- a lease: one teller at a time
    claimed_until timestamptz
);
INSERT INTO {schema}.alert_robot DEFAULT VALUES;

GRANT SELECT, INSERT, UPDATE, DELETE ON
    {schema}.alerts, {schema}.alert_messages, {schema}.alert_robot TO {service};
