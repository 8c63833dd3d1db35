-- Warehouses in which parts of an order wait to be sent, for the backlog in promises (rules 10; C2).
ALTER TABLE {schema}.orders ADD COLUMN waiting_at text; -- their codes with commas between, or NULL
UPDATE {schema}.orders o SET waiting_at = (
    SELECT string_agg(part ->> 1, ',' ORDER BY nth)
    FROM jsonb_array_elements(convert_from(o.folded, 'UTF8')::jsonb -> 'parts')
        WITH ORDINALITY AS p (part, nth)
    WHERE part ->> 1 IS NOT NULL AND part ->> 3 = 'pending_shipment'
      AND jsonb_array_length(part -> 2) > 0 AND (part ->> 7) IS NULL
) WHERE state IN ('pending_shipment', 'pending_receipt', 'pending_end');
CREATE INDEX orders_waiting_idx ON {schema}.orders (waiting_at) WHERE waiting_at IS NOT NULL;
