-- All numbers that a parcel goes by, or was told of under: a caller may know any of them (D1, T7).
-- Rows are written anew by the service.
ALTER TABLE {schema}.parcels ADD COLUMN numbers text[] NOT NULL DEFAULT '{}';
CREATE INDEX parcels_numbers_idx ON {schema}.parcels USING gin (numbers);
