-- What customs are told of parcels that go abroad, a row a parcel (T7).
CREATE TABLE {schema}.declarations (
    parcel   text COLLATE "C" PRIMARY KEY,
    country  text NOT NULL,
    standing text NOT NULL,           -- as domain/declarations.py names it
    since    timestamptz NOT NULL,    -- when it came to that
    position bigint NOT NULL
);
CREATE INDEX declarations_since_idx ON {schema}.declarations (since, parcel);
GRANT SELECT, INSERT, UPDATE, DELETE ON {schema}.declarations TO {service};
