-- How often a parcel's track tells of its going elsewhere: a request to send it elsewhere is done
-- by the next time, whatever happened since (O8). Rows are written anew by the service.
ALTER TABLE {schema}.parcels ADD COLUMN forwards bigint NOT NULL DEFAULT 0;
