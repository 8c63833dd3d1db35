-- returns: the domain's own fold of each return, with the columns that queues and clocks look at (D3).
CREATE TABLE {schema}.returns (
    id           text COLLATE "C" PRIMARY KEY,
    order_number text COLLATE "C" NOT NULL,
    learner      text COLLATE "C" NOT NULL,
    remedy       text NOT NULL, -- refund_only, refund, exchange
    reason       text NOT NULL,
    state        text NOT NULL,
    warehouse    text COLLATE "C", -- where the goods go; NULL: they stay
    opened_at    timestamptz NOT NULL,
    moved_at     timestamptz NOT NULL, -- when it came into its state
    send_by      timestamptz, -- while the goods are waited for
    folded       bytea NOT NULL,
    version      bigint NOT NULL,
    position     bigint NOT NULL
);
CREATE INDEX returns_moved_idx ON {schema}.returns (state, moved_at, id);
CREATE INDEX returns_opened_idx ON {schema}.returns (opened_at DESC, id DESC);
CREATE INDEX returns_learner_idx ON {schema}.returns (learner, opened_at DESC);
CREATE INDEX returns_order_idx ON {schema}.returns (order_number);
CREATE INDEX returns_send_idx ON {schema}.returns (send_by, id) WHERE send_by IS NOT NULL;
GRANT SELECT, INSERT, UPDATE, DELETE ON {schema}.returns TO {service};
-- No event before this one is told of in them.
INSERT INTO {schema}.views (name, position)
SELECT 'returns', coalesce(max(position), 0) FROM {schema}.commits;
