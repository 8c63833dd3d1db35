-- parcel_tracking: whether learners were told of what keeps a parcel (T5).
ALTER TABLE {schema}.journeys
    ADD COLUMN late_told   boolean NOT NULL DEFAULT false,
    ADD COLUMN quiet_told  boolean NOT NULL DEFAULT false,
    ADD COLUMN turned_told boolean NOT NULL DEFAULT false;

-- What is odd about a parcel's track, as long as it is, and what a human decided about it (T6).
CREATE TABLE {schema}.oddities (
    parcel     text COLLATE "C" NOT NULL,
    id         text COLLATE "C" NOT NULL, -- of its kind and scans
    kind       text NOT NULL,
    since      timestamptz NOT NULL,      -- when the first of its scans happened
    scans      bytea NOT NULL,            -- JSON: the scans that show it
    decision   text,                      -- NULL: it waits for a human
    decided_at timestamptz,
    orders     text[] NOT NULL,
    position   bigint NOT NULL,
    PRIMARY KEY (parcel, id)
);
CREATE INDEX oddities_open_idx ON {schema}.oddities (since, parcel, id) WHERE decision IS NULL;
GRANT SELECT, INSERT, UPDATE, DELETE ON {schema}.oddities TO {service};

-- Compounds that parcels went to, by keyed hash (T9). Not a view of the log: it goes with the cards.
CREATE TABLE {schema}.compounds (
    parcel  text COLLATE "C" PRIMARY KEY,
    digest  bytea NOT NULL,
    learner text COLLATE "C" NOT NULL
);
CREATE INDEX compounds_digest_idx ON {schema}.compounds (digest);
CREATE INDEX compounds_learner_idx ON {schema}.compounds (learner);
GRANT SELECT, INSERT, UPDATE, DELETE ON {schema}.compounds TO {service};
