-- week_reviews: what each week brought, kept as it was told on the Monday after (T9).
CREATE TABLE {schema}.week_reviews (
    week        text COLLATE "C" PRIMARY KEY, -- ISO 8601, as 2026-W47
    first_day   date NOT NULL,
    last_day    date NOT NULL,
    upto        bigint NOT NULL,  -- log position that the figures are as of
    figures     bytea NOT NULL,   -- JSON
    reviewed_at timestamptz NOT NULL,
    position    bigint NOT NULL
);
GRANT SELECT, INSERT, UPDATE, DELETE ON {schema}.week_reviews TO {service};
