-- Who receives a parcel, from its hand-over on: what has not left may go elsewhere later (O8).
ALTER TABLE {schema}.parcels ADD COLUMN card text;
