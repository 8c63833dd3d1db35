-- Cards are found by a name and by a compound, too: keyed hashes, that go with the card (A4, D1).
ALTER TABLE {schema}.cards ADD COLUMN name_digest bytea, ADD COLUMN compound_digest bytea;
CREATE INDEX cards_name_idx ON {schema}.cards (name_digest) WHERE name_digest IS NOT NULL;
CREATE INDEX cards_compound_idx ON {schema}.cards (compound_digest)
    WHERE compound_digest IS NOT NULL;
-- Workers open what was sealed and add what it is found by, nothing else: a redemption does not wait
-- for it. By time, so that new cards come to the end.
CREATE INDEX cards_unnamed_idx ON {schema}.cards (made_at, id)
    WHERE field = 'recipient' AND name_digest IS NULL;
GRANT UPDATE (name_digest, compound_digest) ON {schema}.cards TO {service};
