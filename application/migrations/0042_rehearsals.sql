-- Changes of rules that are rehearsed on the past, and what came of it (M6); no part of the log.
CREATE TABLE {schema}.rehearsals (
    id         text COLLATE "C" PRIMARY KEY,
    digest     bytea NOT NULL,         -- of what was asked: a key asks for one thing
    change     text NOT NULL,          -- JSON
    asked_by   text NOT NULL,
    asked_at   timestamptz NOT NULL,
    state      text NOT NULL
        CHECK (state IN ('waiting', 'running', 'done', 'failed', 'cancelled')),
    runner     text,                   -- whose it is while it runs
    runs       integer NOT NULL DEFAULT 0,
    seen_at    timestamptz,            -- when the runner was last heard of
    ended_at   timestamptz,
    position   bigint NOT NULL DEFAULT 0,
    of         bigint NOT NULL DEFAULT 0,
    result     text,                   -- JSON, once it is done
    why        text                    -- a code, once it failed
);
-- One at a time: each takes a core for minutes.
CREATE UNIQUE INDEX rehearsals_one_idx ON {schema}.rehearsals ((true))
    WHERE state IN ('waiting', 'running');
CREATE INDEX rehearsals_asked_idx ON {schema}.rehearsals (asked_at DESC, id DESC);
GRANT SELECT, INSERT, UPDATE, DELETE ON {schema}.rehearsals TO {service};
