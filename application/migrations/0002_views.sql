-- The read models. All of it can be dropped and rebuilt from the log.

CREATE TABLE {schema}.views (
    name     text PRIMARY KEY,
    position bigint NOT NULL DEFAULT 0,
    moved_at timestamptz NOT NULL DEFAULT now()
);

-- An event a view could not fold stops its own stream in that view, with the cause.
CREATE TABLE {schema}.parked (
    view      text NOT NULL,
    stream    text COLLATE "C" NOT NULL,
    position  bigint NOT NULL,
    cause     text NOT NULL,
    parked_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (view, position)
);

-- ledger_balance: one row a fact, one column an account of the double entry; a row sums to zero.
CREATE TABLE {schema}.ledger_entries (
    position     bigint PRIMARY KEY,
    learner      text COLLATE "C" NOT NULL,
    fact         text COLLATE "C" NOT NULL,
    happened_at  timestamptz NOT NULL,
    booked_on    date NOT NULL,
    issuance     bigint NOT NULL,
    available    bigint NOT NULL,
    held         bigint NOT NULL,
    redeemed     bigint NOT NULL,
    expired      bigint NOT NULL,
    clawed_back  bigint NOT NULL,
    owed         bigint NOT NULL,
    order_number text COLLATE "C",
    reason       text NOT NULL,
    CHECK (issuance + available + held + redeemed + expired + clawed_back + owed = 0)
);
CREATE INDEX ledger_entries_learner_idx
    ON {schema}.ledger_entries (learner, happened_at, position);
CREATE INDEX ledger_entries_booked_idx ON {schema}.ledger_entries USING brin (booked_on);

CREATE TABLE {schema}.balances (
    learner   text COLLATE "C" PRIMARY KEY,
    status    text NOT NULL,
    available bigint NOT NULL CHECK (available >= 0),
    held      bigint NOT NULL CHECK (held >= 0),
    debt      bigint NOT NULL CHECK (debt >= 0),
    position  bigint NOT NULL
);

CREATE TABLE {schema}.lots (
    learner    text COLLATE "C" NOT NULL,
    lot        text COLLATE "C" NOT NULL,
    expires_at timestamptz NOT NULL, -- 'infinity' = never
    points     bigint NOT NULL,
    PRIMARY KEY (learner, lot, expires_at)
);
CREATE INDEX lots_expiry_idx ON {schema}.lots (expires_at) WHERE points > 0;

-- order_status: the domain's own fold of each order, with the columns lists and timers look at.
CREATE TABLE {schema}.orders (
    number       text COLLATE "C" PRIMARY KEY,
    learner      text COLLATE "C" NOT NULL,
    channel      text NOT NULL,
    state        text NOT NULL,
    placed_at    timestamptz NOT NULL,
    promised_by  timestamptz NOT NULL,
    pay_by       timestamptz,
    window_until timestamptz,
    ended_at     timestamptz,
    points       bigint NOT NULL,
    cash_fen     bigint NOT NULL,
    card         text,
    folded       bytea NOT NULL,
    timeline     bytea NOT NULL,
    version      bigint NOT NULL,
    position     bigint NOT NULL,
    last_fact_at timestamptz NOT NULL
);
CREATE INDEX orders_learner_idx ON {schema}.orders (learner, placed_at DESC, number DESC);
CREATE INDEX orders_placed_idx ON {schema}.orders (placed_at DESC, number DESC);
CREATE INDEX orders_pay_by_idx ON {schema}.orders (pay_by) WHERE state = 'pending_payment';
CREATE INDEX orders_window_idx ON {schema}.orders (window_until) WHERE window_until IS NOT NULL;
CREATE INDEX orders_ended_idx ON {schema}.orders (ended_at)
    WHERE ended_at IS NOT NULL AND state <> 'expired';
CREATE INDEX orders_card_idx ON {schema}.orders (card) WHERE card IS NOT NULL;

-- When each state of an order began, and from which position to which that was what we knew.
CREATE TABLE {schema}.order_periods (
    number      text COLLATE "C" NOT NULL,
    learner     text COLLATE "C" NOT NULL,
    state       text NOT NULL,
    valid_from  timestamptz NOT NULL,
    known_from  bigint NOT NULL,
    known_until bigint
);
CREATE INDEX order_periods_number_idx ON {schema}.order_periods (number, known_from);
CREATE INDEX order_periods_learner_idx ON {schema}.order_periods (learner, valid_from);

-- parcel_tracking
CREATE TABLE {schema}.parcels (
    number    text COLLATE "C" PRIMARY KEY,
    warehouse text NOT NULL,
    carrier   text,
    waybill   text COLLATE "C",
    state     text NOT NULL,
    since     timestamptz,
    orders    text[] NOT NULL,
    folded    bytea NOT NULL,
    position  bigint NOT NULL
);
CREATE INDEX parcels_waybill_idx ON {schema}.parcels (waybill) WHERE waybill IS NOT NULL;
CREATE INDEX parcels_orders_idx ON {schema}.parcels USING gin (orders);

-- catalogue
CREATE TABLE {schema}.items (
    sku      text COLLATE "C" PRIMARY KEY,
    name     text NOT NULL,
    kind     text NOT NULL,
    on_sale  boolean NOT NULL,
    terms    jsonb NOT NULL,
    position bigint NOT NULL
);
CREATE TABLE {schema}.stock_levels (
    warehouse text COLLATE "C" NOT NULL,
    sku       text COLLATE "C" NOT NULL,
    free      bigint NOT NULL,
    reserved  bigint NOT NULL,
    picked    bigint NOT NULL,
    PRIMARY KEY (sku, warehouse)
);
CREATE TABLE {schema}.warehouses (
    code  text COLLATE "C" PRIMARY KEY,
    terms jsonb NOT NULL
);

-- audit_trail: who did what when, and which events of any stream belong to an order.
CREATE TABLE {schema}.audit_trail (
    position    bigint PRIMARY KEY,
    actor       text COLLATE "C" NOT NULL,
    recorded_at timestamptz NOT NULL
);
CREATE INDEX audit_trail_actor_idx ON {schema}.audit_trail (actor, position);
CREATE TABLE {schema}.order_trail (
    order_number text COLLATE "C" NOT NULL,
    position     bigint NOT NULL,
    PRIMARY KEY (order_number, position)
);
CREATE INDEX order_trail_position_idx ON {schema}.order_trail (position);
CREATE INDEX commits_recorded_at_idx ON {schema}.commits (recorded_at);

-- log_tree: hashes of the perfect subtrees over 256 leaves, so that a proof reads few events.
CREATE TABLE {schema}.tree_nodes (
    block bigint PRIMARY KEY,
    hash  bytea NOT NULL
);

GRANT SELECT, INSERT, UPDATE, DELETE ON
    {schema}.views, {schema}.parked, {schema}.ledger_entries, {schema}.balances, {schema}.lots,
    {schema}.orders, {schema}.order_periods, {schema}.parcels, {schema}.items,
    {schema}.stock_levels, {schema}.warehouses, {schema}.audit_trail, {schema}.order_trail,
    {schema}.tree_nodes
    TO {service};
