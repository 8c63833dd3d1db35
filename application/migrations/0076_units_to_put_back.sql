-- Since when units lie in it that are to be sent no more: somebody brings them to their shelf (W1).
ALTER TABLE {schema}.parcels ADD COLUMN put_back_since timestamptz;
CREATE INDEX parcels_put_back ON {schema}.parcels (put_back_since, number)
    WHERE put_back_since IS NOT NULL;
