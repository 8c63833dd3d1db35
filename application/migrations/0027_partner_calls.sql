-- How calls to partners went, by minute, for the targets of M1; written by every process that calls.
-- Not a view of the log: nothing follows from it but alarms.
CREATE TABLE {schema}.partner_calls (
    partner text COLLATE "C" NOT NULL,
    minute  timestamptz NOT NULL,
    calls   bigint NOT NULL,
    quick   bigint NOT NULL,               -- answered within 200 ms
    failed  bigint NOT NULL,               -- no answer, 5xx or 429
    seconds double precision NOT NULL,     -- all calls together
    cause   text,                          -- of the newest failure
    PRIMARY KEY (partner, minute)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON {schema}.partner_calls TO {service};
