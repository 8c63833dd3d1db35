-- waiting_units: what no warehouse had, until stock comes or its learner has it refunded (rules 1).
CREATE TABLE {schema}.waiting_units (
    order_number text COLLATE "C" NOT NULL,
    part         bigint NOT NULL,
    sku          text COLLATE "C" NOT NULL,
    quantity     bigint NOT NULL,
    sources      text NOT NULL, -- codes of warehouses that may send them, with commas between
    since        timestamptz NOT NULL,
    chosen       boolean NOT NULL, -- whether the learner chose to wait
    version      bigint NOT NULL,
    PRIMARY KEY (order_number, part)
);
CREATE INDEX waiting_units_since_idx ON {schema}.waiting_units (since);
GRANT SELECT, INSERT, UPDATE, DELETE ON {schema}.waiting_units TO {service};
-- No event before this one is told of in it.
INSERT INTO {schema}.views (name, position)
SELECT 'waiting_units', coalesce(max(position), 0) FROM {schema}.commits;

-- A refund of cash that failed is asked for again, each time later than the time before (rules 8).
ALTER TABLE {schema}.cash_refunds
    ADD COLUMN failures     bigint NOT NULL DEFAULT 0,
    ADD COLUMN version      bigint NOT NULL DEFAULT 0,
    ADD COLUMN ask_again_at timestamptz;
UPDATE {schema}.cash_refunds SET failures = 1, ask_again_at = requested_at WHERE state = 'failed';
CREATE INDEX cash_refunds_again_idx ON {schema}.cash_refunds (ask_again_at)
    WHERE state = 'failed';
