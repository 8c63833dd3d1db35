-- What carriers pushed of waybills that are on no parcel: a carrier tells of a whole account (T1).
-- Not a view of the log: nothing of it is a fact about this mall before a parcel claims it.
CREATE TABLE {schema}.unclaimed_pushes (
    id        text COLLATE "C" PRIMARY KEY, -- of its bytes: what is pushed again is kept once
    partner   text NOT NULL,
    waybill   text COLLATE "C" NOT NULL,
    goes_real boolean NOT NULL,             -- whether the carrier told it, or the sandbox in its place
    sealed    bytea NOT NULL,               -- its key is with the others, as push:<id>
    kept_at   timestamptz NOT NULL
);
CREATE INDEX unclaimed_pushes_waybill_idx ON {schema}.unclaimed_pushes (waybill);
CREATE INDEX unclaimed_pushes_kept_idx ON {schema}.unclaimed_pushes (kept_at);
GRANT SELECT, INSERT, DELETE ON {schema}.unclaimed_pushes TO {service};
