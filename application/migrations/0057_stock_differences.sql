-- What a third party says it has and the books do not, until somebody says what it is (C3, W2).
ALTER TABLE {schema}.stock_levels ADD COLUMN withheld bigint NOT NULL DEFAULT 0;

-- transfers: what left one shelf for another, and what came; `to_warehouse` is where it came, too.
CREATE TABLE {schema}.transfers (
    warehouse    text COLLATE "C" NOT NULL,
    sku          text COLLATE "C" NOT NULL,
    transfer     text COLLATE "C" NOT NULL,
    to_warehouse text COLLATE "C" NOT NULL,
    sent         bigint NOT NULL,
    received     bigint NOT NULL,
    PRIMARY KEY (warehouse, sku, transfer, to_warehouse)
);
CREATE INDEX transfers_to_idx ON {schema}.transfers (to_warehouse, sku);

CREATE TABLE {schema}.stock_differences (
    warehouse  text COLLATE "C" NOT NULL,
    sku        text COLLATE "C" NOT NULL,
    expected   bigint NOT NULL,
    counted    bigint NOT NULL,
    unexpected text,
    counted_at timestamptz NOT NULL,
    since      timestamptz NOT NULL, -- when it was first counted otherwise than the books say
    state      text NOT NULL,        -- waits, followed, booked or dismissed
    settled_at timestamptz,
    settled_by text,                 -- null: the books followed by themselves
    reason     text,
    PRIMARY KEY (warehouse, sku)
);
CREATE INDEX stock_differences_since_idx ON {schema}.stock_differences (since, warehouse, sku);
GRANT SELECT, INSERT, UPDATE, DELETE ON {schema}.transfers, {schema}.stock_differences TO {service};
