-- Which way each parcel or order goes at a partner that is rehearsed with (M3). Not a view of the log:
-- it says where a thing is known by now, which no share that is changed later may change.
CREATE TABLE {schema}.partner_ways (
    partner   text COLLATE "C" NOT NULL,
    key       text COLLATE "C" NOT NULL,  -- a parcel's or an order's number
    goes_real boolean NOT NULL,
    PRIMARY KEY (partner, key)
);
GRANT SELECT, INSERT, DELETE ON {schema}.partner_ways TO {service};
