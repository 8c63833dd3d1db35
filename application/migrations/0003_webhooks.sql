-- Outgoing webhooks (N2), and what a provider still owes an answer for.

-- A subscription follows the log by its own cursor: the log is its queue, nothing is copied.
CREATE TABLE {schema}.webhooks (
    id                 text COLLATE "C" PRIMARY KEY,
    owner              text COLLATE "C" NOT NULL,
    url                text NOT NULL,
    patterns           text[] NOT NULL,
    sealed_secret      bytea NOT NULL, -- its key is with the others, as webhook:<id>
    state              text NOT NULL CHECK (state IN ('active', 'paused', 'disabled')),
    cause              text,   -- why it is not active
    position           bigint NOT NULL, -- all up to here was delivered, parked or not wanted
    attempt            integer NOT NULL DEFAULT 0, -- failed tries of the event after it
    next_at            timestamptz NOT NULL,
    parked_in_a_row    integer NOT NULL DEFAULT 0,
    claimed_by         text,   -- a lease: one dispatcher at a time keeps the order
    claimed_until      timestamptz,
    created_at         timestamptz NOT NULL
);

-- Deliveries given up after the last try; a replay takes them up again.
CREATE TABLE {schema}.webhook_parked (
    webhook   text COLLATE "C" NOT NULL REFERENCES {schema}.webhooks ON DELETE CASCADE,
    position  bigint NOT NULL,
    fact      text NOT NULL,
    cause     text NOT NULL,
    parked_at timestamptz NOT NULL,
    PRIMARY KEY (webhook, position)
);

-- The newest tries, for whoever looks why nothing arrives; bounded per subscription.
CREATE TABLE {schema}.webhook_deliveries (
    webhook  text COLLATE "C" NOT NULL REFERENCES {schema}.webhooks ON DELETE CASCADE,
    serial   bigint GENERATED ALWAYS AS IDENTITY,
    position bigint NOT NULL,
    fact     text NOT NULL,
    attempt  integer NOT NULL,
    at       timestamptz NOT NULL,
    outcome  text NOT NULL, -- delivered, failed, parked, disabled
    status   integer,       -- HTTP status, if there was an answer
    cause    text,
    took_ms  integer NOT NULL,
    PRIMARY KEY (webhook, serial)
);

-- Changes to subscriptions by idempotency key. Not in `commands`: secrets stay out of answers.
CREATE TABLE {schema}.webhook_requests (
    principal text COLLATE "C" NOT NULL,
    key       text COLLATE "C" NOT NULL,
    digest    bytea NOT NULL,
    answer    jsonb NOT NULL,
    at        timestamptz NOT NULL,
    PRIMARY KEY (principal, key)
);
CREATE INDEX webhook_requests_at_idx ON {schema}.webhook_requests (at);

-- cash_refunds: cash on its way back, until the provider says it arrived (O5; rules.md 8).
CREATE TABLE {schema}.cash_refunds (
    order_number text COLLATE "C" NOT NULL,
    refund       text COLLATE "C" NOT NULL,
    attempt      text NOT NULL,
    amount_fen   bigint NOT NULL,
    state        text NOT NULL, -- requested, confirmed, failed
    cause        text,
    requested_at timestamptz NOT NULL,
    position     bigint NOT NULL,
    PRIMARY KEY (order_number, refund)
);
CREATE INDEX cash_refunds_open_idx ON {schema}.cash_refunds (requested_at)
    WHERE state <> 'confirmed';

-- Many lots end at one instant, midnight: a sweep must be able to go on where its batch ended.
DROP INDEX {schema}.lots_expiry_idx;
CREATE INDEX lots_due_idx ON {schema}.lots (expires_at, learner) WHERE points > 0;

GRANT SELECT, INSERT, UPDATE, DELETE ON
    {schema}.webhooks, {schema}.webhook_parked, {schema}.webhook_deliveries,
    {schema}.webhook_requests, {schema}.cash_refunds TO {service};
