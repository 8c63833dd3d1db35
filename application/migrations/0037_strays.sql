-- strays: parcels that left with units that were cancelled before, until somebody settles it (W2).
CREATE TABLE {schema}.strays (
    order_number text COLLATE "C" NOT NULL,
    parcel       text COLLATE "C" NOT NULL,
    since        timestamptz NOT NULL, -- when they left
    PRIMARY KEY (order_number, parcel)
);
CREATE INDEX strays_parcel_idx ON {schema}.strays (parcel);
GRANT SELECT, INSERT, UPDATE, DELETE ON {schema}.strays TO {service};
