-- What callers know of a number is how it ends; at the counter of a station it is a code (D1, T8).
CREATE INDEX orders_tail_idx ON {schema}.orders (reverse(number));
CREATE INDEX parcels_tail_idx ON {schema}.parcels (reverse(waybill)) WHERE waybill IS NOT NULL;
-- parcel_tracking: the code alone, letters and digits; NULL: it waits nowhere, or without one.
ALTER TABLE {schema}.parcels ADD COLUMN pickup_code text COLLATE "C";
CREATE INDEX parcels_pickup_idx ON {schema}.parcels (pickup_code) WHERE pickup_code IS NOT NULL;
