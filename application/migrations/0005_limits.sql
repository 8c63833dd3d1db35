-- How much of what may be asked is left to whom, shared by all processes (M2, R48).

-- Unlogged: nothing of it has to survive a crash, and asking for it must not wait for the disk.
CREATE UNLOGGED TABLE {schema}.limits (
    key      text COLLATE "C" PRIMARY KEY,
    tokens   double precision NOT NULL,
    moved_at timestamptz NOT NULL
);
CREATE INDEX limits_moved_idx ON {schema}.limits (moved_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON {schema}.limits TO {service};
