-- Which number is asked about before a receipt counts, and at whom: not always the label's (T2).
ALTER TABLE {schema}.parcels
    ADD COLUMN confirm_waybill text COLLATE "C",
    ADD COLUMN confirm_carrier text;
CREATE INDEX parcels_confirm_idx ON {schema}.parcels (confirm_waybill) WHERE unconfirmed;
