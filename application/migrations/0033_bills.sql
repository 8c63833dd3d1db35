-- part_costs: what sending each part of an order was quoted at, from its plan (S1, W6).
CREATE TABLE {schema}.part_costs (
    order_number    text COLLATE "C" NOT NULL,
    part            integer NOT NULL,
    warehouse       text COLLATE "C" NOT NULL,
    channel         text NOT NULL,
    skus            text NOT NULL,    -- of the order's lines, with commas between
    goods           text NOT NULL,    -- line:units, with commas between
    carrier         text,             -- that the plan chose; NULL: the mall had no rate cards
    freight_fen     bigint NOT NULL,
    packaging_fen   bigint NOT NULL,
    handling_fen    bigint NOT NULL,
    grams           bigint NOT NULL,  -- chargeable
    parcel          text COLLATE "C", -- once it was picked
    placed_position bigint NOT NULL,
    handed_at       timestamptz,
    handed_position bigint,
    position        bigint NOT NULL,
    PRIMARY KEY (order_number, part)
);
CREATE INDEX part_costs_handed_idx ON {schema}.part_costs (handed_at) WHERE handed_at IS NOT NULL;
CREATE INDEX part_costs_parcel_idx ON {schema}.part_costs (parcel) WHERE parcel IS NOT NULL;
-- Payments by the provider's own number: a bill names nothing else (W6).
CREATE TABLE {schema}.captures (
    attempt      text COLLATE "C" NOT NULL,
    order_number text COLLATE "C" NOT NULL,
    means        text NOT NULL,
    amount_fen   bigint NOT NULL,
    paid_at      timestamptz NOT NULL,
    position     bigint NOT NULL,
    PRIMARY KEY (attempt, order_number)
);
CREATE INDEX captures_paid_idx ON {schema}.captures (paid_at);
-- bills: the domain's own fold of each bill, its lines and what of them differs (W6).
CREATE TABLE {schema}.bills (
    id            text COLLATE "C" PRIMARY KEY, -- kind:partner:number
    kind          text NOT NULL,
    partner       text COLLATE "C" NOT NULL,
    number        text NOT NULL,
    revision      integer NOT NULL,
    file          text NOT NULL,
    received_at   timestamptz NOT NULL,
    first_day     date,
    last_day      date,
    lines         integer NOT NULL,
    refused       integer NOT NULL,
    total_fen     bigint NOT NULL,
    matched_at    timestamptz,          -- when it was last found to have changed; NULL: not yet
    agreed        integer NOT NULL,
    ours_fen      bigint NOT NULL,
    open          integer NOT NULL,
    open_fen      bigint NOT NULL,
    contested     integer NOT NULL,
    contested_fen bigint NOT NULL,
    state         text NOT NULL,        -- received, open, contested, settled
    folded        bytea NOT NULL,
    version       bigint NOT NULL,
    position      bigint NOT NULL
);
CREATE INDEX bills_received_idx ON {schema}.bills (received_at DESC, id DESC);
CREATE INDEX bills_state_idx ON {schema}.bills (state, received_at DESC);
CREATE TABLE {schema}.bill_revisions (
    bill        text COLLATE "C" NOT NULL,
    revision    integer NOT NULL,
    file        text NOT NULL,
    lines       integer NOT NULL,
    refused     integer NOT NULL,
    total_fen   bigint NOT NULL,
    received_at timestamptz NOT NULL,
    received_by text NOT NULL,
    position    bigint NOT NULL,
    PRIMARY KEY (bill, revision)
);
CREATE TABLE {schema}.bill_lines (
    bill           text COLLATE "C" NOT NULL,
    revision       integer NOT NULL,
    row_no         integer NOT NULL,
    kind           text NOT NULL,
    partner        text COLLATE "C" NOT NULL,
    number         text COLLATE "C" NOT NULL,
    charge         text NOT NULL,
    fen            bigint NOT NULL,
    grams          bigint,
    quantity       bigint,
    day            date,
    position       bigint NOT NULL,
    until_position bigint,              -- a corrected bill took its place; NULL: it counts
    PRIMARY KEY (bill, revision, row_no)
);
CREATE INDEX bill_lines_number_idx ON {schema}.bill_lines (number, charge);
CREATE TABLE {schema}.bill_refused (
    bill          text COLLATE "C" NOT NULL,
    revision      integer NOT NULL,
    row_no        integer NOT NULL,
    column_name   text NOT NULL,
    code          text NOT NULL,
    PRIMARY KEY (bill, revision, row_no)
);
CREATE TABLE {schema}.bill_differences (
    bill       text COLLATE "C" NOT NULL,
    id         text COLLATE "C" NOT NULL,
    cause      text NOT NULL,
    charge     text NOT NULL,
    number     text COLLATE "C" NOT NULL,
    row_no     integer,
    billed_fen bigint NOT NULL,
    ours_fen   bigint NOT NULL,
    fen        bigint NOT NULL,
    about      text NOT NULL,
    standing   text NOT NULL,           -- open, accepted, contested, settled
    reason     text NOT NULL,
    PRIMARY KEY (bill, id)
);
CREATE INDEX bill_differences_cause_idx ON {schema}.bill_differences (bill, cause);
GRANT SELECT, INSERT, UPDATE, DELETE ON {schema}.part_costs, {schema}.captures, {schema}.bills,
    {schema}.bill_revisions, {schema}.bill_lines, {schema}.bill_refused, {schema}.bill_differences
    TO {service};
