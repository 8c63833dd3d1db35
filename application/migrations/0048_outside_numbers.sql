-- order_status: what an outside shop calls its order, for whoever is asked about it (O2, D1).
ALTER TABLE {schema}.orders ADD COLUMN external_number text COLLATE "C";
CREATE INDEX orders_external_idx ON {schema}.orders (external_number)
    WHERE external_number IS NOT NULL;
