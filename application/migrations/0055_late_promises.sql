-- From when an order counts as late, while points may still follow from that (rules.md 10).
ALTER TABLE {schema}.orders ADD COLUMN late_from timestamptz;
CREATE INDEX orders_late_idx ON {schema}.orders (late_from, number) WHERE late_from IS NOT NULL;
