-- Which numbers are on parcels under way: one on two of them is found, and what nobody bound (T2).
-- Written as application/waybills.py asks.
CREATE INDEX parcels_bearing_idx ON {schema}.parcels (carrier, upper(replace(waybill, '-', '')), number)
    WHERE waybill IS NOT NULL AND state NOT IN ('signed', 'returned', 'lost', 'dissolved');
