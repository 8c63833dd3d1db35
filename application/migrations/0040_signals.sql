-- How far learners' apps were told of their orders' news through Agora (N3): one row. Not a view of
-- the log: it is a place in it, as a webhook's cursor is.
CREATE TABLE {schema}.signals (
    single        boolean PRIMARY KEY DEFAULT true CHECK (single),
    position      bigint,            -- all up to here was told, or not worth it; NULL: not begun
    failures      integer NOT NULL DEFAULT 0, -- in a row
    next_at       timestamptz,       -- not before; NULL: now
    closed        text,              -- why we are not let in
    closed_at     timestamptz,
    claimed_by    text,              -- a lease: one pusher at a time
    claimed_until timestamptz
);
INSERT INTO {schema}.signals DEFAULT VALUES;
GRANT SELECT, INSERT, UPDATE, DELETE ON {schema}.signals TO {service};
