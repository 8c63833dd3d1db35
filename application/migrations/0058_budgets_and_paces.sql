-- Each partner has a budget of queries a day of its own (M2).
ALTER TABLE {schema}.queries_asked ADD COLUMN partner text NOT NULL DEFAULT 'kuaidi100';
DROP INDEX {schema}.queries_asked_at_idx;
CREATE INDEX queries_asked_partner_idx ON {schema}.queries_asked (partner, asked_at);

-- When each partner's next call may be made, by whatever process. Unlogged: nobody waits for a disk,
-- and what a crash forgets is a pause.
CREATE UNLOGGED TABLE {schema}.partner_paces (
    partner text COLLATE "C" PRIMARY KEY,
    next_at timestamptz NOT NULL
) WITH (fillfactor = 50);
GRANT SELECT, INSERT, UPDATE ON {schema}.partner_paces TO {service};
