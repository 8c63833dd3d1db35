-- The newest request about each parcel to call it back or send it elsewhere (O8).
CREATE TABLE {schema}.intercepts (
    parcel     text COLLATE "C" PRIMARY KEY,
    orders     text[] NOT NULL,
    carrier    text NOT NULL,
    waybill    text NOT NULL,
    way        text NOT NULL,
    card       text,                   -- where it goes instead
    state      text NOT NULL,
    reason     text NOT NULL,
    asked_at   timestamptz NOT NULL,
    answer_by  timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    folded     bytea NOT NULL,
    version    bigint NOT NULL,
    position   bigint NOT NULL
);
CREATE INDEX intercepts_open_idx ON {schema}.intercepts (answer_by, parcel)
    WHERE state IN ('asked', 'taken');
CREATE INDEX intercepts_state_idx ON {schema}.intercepts (state, changed_at, parcel);
CREATE INDEX intercepts_orders_idx ON {schema}.intercepts USING gin (orders);
GRANT SELECT, INSERT, UPDATE, DELETE ON {schema}.intercepts TO {service};
