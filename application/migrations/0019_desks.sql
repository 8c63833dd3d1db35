-- What the desks of the house look for: urgent orders, and what is on which pick list (S5, W1).
ALTER TABLE {schema}.orders ADD COLUMN urgent boolean NOT NULL DEFAULT false;
UPDATE {schema}.orders
    SET urgent = convert_from(folded, 'UTF8')::jsonb ->> 'upgrade' = 'express'
    WHERE convert_from(folded, 'UTF8')::jsonb ->> 'upgrade' IS NOT NULL;
CREATE INDEX orders_urgent_idx ON {schema}.orders (placed_at, number)
    WHERE urgent AND releasable_at IS NOT NULL AND review IS NULL;

ALTER TABLE {schema}.parcels ADD COLUMN pick_list text COLLATE "C";
CREATE INDEX parcels_pick_list_idx ON {schema}.parcels (pick_list, number)
    WHERE pick_list IS NOT NULL AND stage NOT IN ('handed_over', 'dissolved');
CREATE INDEX parcels_due_idx ON {schema}.parcels ((coalesce(hand_over_by, '9000-01-01 00:00+00'::timestamptz)), number)
    WHERE stage NOT IN ('handed_over', 'dissolved');
