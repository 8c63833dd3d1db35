-- The promised time of what is still to be handed over, and whether its learner was told (T5).
ALTER TABLE {schema}.orders
    ADD COLUMN unsent_by   timestamptz,
    ADD COLUMN unsent_told boolean NOT NULL DEFAULT false;
CREATE INDEX orders_unsent_idx ON {schema}.orders (unsent_by, number) WHERE unsent_by IS NOT NULL;
