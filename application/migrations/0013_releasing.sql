-- What is looked at, released, picked and packed (O7, S4, S5, W1).
ALTER TABLE {schema}.cards ADD COLUMN place_digest bytea;

-- Who sends to one address, by its keyed hash (O7). Not a view of the log: it goes with the cards.
CREATE TABLE {schema}.places (
    digest  bytea NOT NULL,
    learner text COLLATE "C" NOT NULL,
    last_at timestamptz NOT NULL,
    PRIMARY KEY (digest, learner)
);
CREATE INDEX places_learner_idx ON {schema}.places (learner);
GRANT SELECT, INSERT, UPDATE, DELETE ON {schema}.places TO {service};

ALTER TABLE {schema}.orders
    ADD COLUMN review text,              -- why a human looks at it, with commas between, or NULL
    ADD COLUMN review_since timestamptz,
    ADD COLUMN releasable_at text;       -- warehouses with parts that wait for a wave, or NULL
UPDATE {schema}.orders SET releasable_at = waiting_at WHERE waiting_at IS NOT NULL;
CREATE INDEX orders_review_idx ON {schema}.orders (review_since, number) WHERE review IS NOT NULL;
CREATE INDEX orders_releasable_idx ON {schema}.orders (placed_at, number)
    WHERE releasable_at IS NOT NULL;

ALTER TABLE {schema}.parcels
    ADD COLUMN stage text NOT NULL DEFAULT 'packed',
    ADD COLUMN wave text,
    ADD COLUMN hand_over_by timestamptz;
UPDATE {schema}.parcels SET stage = 'dissolved' WHERE state = 'dissolved';
UPDATE {schema}.parcels SET stage = 'handed_over'
    WHERE state NOT IN ('labelled', 'dissolved');
CREATE INDEX parcels_stage_idx ON {schema}.parcels (warehouse, stage, hand_over_by, number)
    WHERE stage NOT IN ('handed_over', 'dissolved');

CREATE INDEX ledger_clawed_back_idx ON {schema}.ledger_entries (happened_at)
    WHERE fact = 'ledger.GrantClawedBack';

CREATE TABLE {schema}.waves (
    id           text COLLATE "C" PRIMARY KEY,
    warehouse    text COLLATE "C" NOT NULL,
    cut_off      timestamptz,            -- NULL: released by hand
    opened_at    timestamptz NOT NULL,
    closed_at    timestamptz,
    parts        bigint NOT NULL,
    parcels      bigint NOT NULL,
    merged       bigint NOT NULL,        -- parts that share a parcel with another order's
    to_review    bigint NOT NULL,
    position     bigint NOT NULL
);
CREATE INDEX waves_opened_idx ON {schema}.waves (opened_at DESC, id DESC);
GRANT SELECT, INSERT, UPDATE, DELETE ON {schema}.waves TO {service};
