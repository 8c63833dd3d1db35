-- Parcels of third parties' warehouses: what these are asked, and what they told (W2).
CREATE TABLE {schema}.consignments (
    parcel       text COLLATE "C" PRIMARY KEY,
    warehouse    text COLLATE "C" NOT NULL,
    orders       text[] NOT NULL,
    state        text NOT NULL,               -- as domain/consignments.py names it
    revision     bigint NOT NULL,             -- of the newest wish
    acknowledged bigint NOT NULL,
    waits        boolean NOT NULL,            -- the warehouse owes an answer
    under_way    boolean NOT NULL,            -- it took it, and may tell more
    behind       boolean NOT NULL,            -- it told something that is to be carried out
    reason       text NOT NULL,               -- why it is asked for anew
    asked_at     timestamptz NOT NULL,        -- first
    revised_at   timestamptz NOT NULL,        -- last
    told_at      timestamptz,
    changed_at   timestamptz NOT NULL,
    folded       bytea NOT NULL,
    version      bigint NOT NULL,
    position     bigint NOT NULL
);
CREATE INDEX consignments_open_idx ON {schema}.consignments (changed_at, parcel)
    WHERE waits OR under_way;
CREATE INDEX consignments_behind_idx ON {schema}.consignments (told_at, parcel) WHERE behind;
CREATE INDEX consignments_asked_idx ON {schema}.consignments (asked_at, parcel);
GRANT SELECT, INSERT, UPDATE, DELETE ON {schema}.consignments TO {service};
