-- parcel_tracking: parcels with a carrier that no partner watches for us yet (T1).
ALTER TABLE {schema}.parcels ADD COLUMN unwatched boolean NOT NULL DEFAULT false;
CREATE INDEX parcels_unwatched_idx ON {schema}.parcels (number) WHERE unwatched;
