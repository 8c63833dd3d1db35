-- What carriers were asked about a waybill, and when last: sooner than 30 minutes locks the number
-- (T1; wire/carriers.md 1.3). Not a view of the log: what was learned is in it.
CREATE TABLE {schema}.queries (
    waybill  text COLLATE "C" PRIMARY KEY,
    parcel   text COLLATE "C" NOT NULL,
    asked_at timestamptz NOT NULL,
    outcome  text               -- same, repaired, contradicts, unanswered, refused; NULL: asked now
);
CREATE INDEX queries_asked_idx ON {schema}.queries (asked_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON {schema}.queries TO {service};

ALTER TABLE {schema}.parcels ADD COLUMN unconfirmed boolean NOT NULL DEFAULT false;
CREATE INDEX parcels_unconfirmed_idx ON {schema}.parcels (since, number) WHERE unconfirmed;
