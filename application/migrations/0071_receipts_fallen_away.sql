-- When a receipt was told that fell away with its carrier: what has value waits for another (T2).
ALTER TABLE {schema}.parcels ADD COLUMN receipt_fell_at timestamptz;
