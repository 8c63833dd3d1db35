-- approvals: what waits for a second person, and what became of it (A8).
CREATE TABLE {schema}.approvals (
    id           text COLLATE "C" PRIMARY KEY,
    kind         text NOT NULL,
    learner      text COLLATE "C" NOT NULL,
    points       bigint NOT NULL,
    subject      text NOT NULL,
    maker        text NOT NULL,
    reason       text NOT NULL,
    requested_at timestamptz NOT NULL,
    state        text NOT NULL, -- open, given, denied
    checker      text,
    decided_at   timestamptz,
    position     bigint NOT NULL
);
CREATE INDEX approvals_open_idx ON {schema}.approvals (requested_at) WHERE state = 'open';
GRANT SELECT, INSERT, UPDATE, DELETE ON {schema}.approvals TO {service};
