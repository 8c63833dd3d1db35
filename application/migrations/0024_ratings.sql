-- ratings: what learners said of completed orders, a line each, for scorecards (O4, T9). Stars, 1 to 5.
CREATE TABLE {schema}.ratings (
    order_number text COLLATE "C" NOT NULL,
    line         integer NOT NULL,
    sku          text COLLATE "C" NOT NULL,
    goods        integer NOT NULL,
    delivery     integer, -- NULL: a course, which nobody delivers
    carriers     text NOT NULL, -- codes, with commas between
    warehouses   text NOT NULL,
    rated_at     timestamptz NOT NULL,
    position     bigint NOT NULL,
    PRIMARY KEY (order_number, line)
);
CREATE INDEX ratings_at_idx ON {schema}.ratings (rated_at);
CREATE INDEX ratings_sku_idx ON {schema}.ratings (sku);
GRANT SELECT, INSERT, UPDATE, DELETE ON {schema}.ratings TO {service};
-- No event before this one is told of in them.
INSERT INTO {schema}.views (name, position)
SELECT 'ratings', coalesce(max(position), 0) FROM {schema}.commits;
