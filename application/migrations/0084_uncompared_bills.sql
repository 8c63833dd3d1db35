-- Bills that could not be compared, and when each is tried again: one holds up no other (W6, M5). Not
-- a view of the log: forgotten once the bill was compared.
CREATE TABLE {schema}.uncompared_bills (
    bill     text COLLATE "C" PRIMARY KEY,
    version  bigint NOT NULL,      -- of the bill: a corrected one is tried at once
    since    timestamptz NOT NULL,
    failures integer NOT NULL,     -- in a row
    cause    text NOT NULL,
    again_at timestamptz NOT NULL  -- not before
);
GRANT SELECT, INSERT, UPDATE, DELETE ON {schema}.uncompared_bills TO {service};
