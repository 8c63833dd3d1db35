-- approvals: in which roles people ask and decide; what a card that is asked for belongs to, and
-- until when whoever asked may look at it (A8, A9). Requests from before have none of it.
ALTER TABLE {schema}.approvals
    ADD COLUMN about        text,
    ADD COLUMN maker_role   text,
    ADD COLUMN checker_role text,
    ADD COLUMN valid_until  timestamptz;

-- Pushes that could not be read and wait for a human (M5).
ALTER TABLE {schema}.parcels
    ADD COLUMN unread       bigint NOT NULL DEFAULT 0,
    ADD COLUMN unread_since timestamptz;
CREATE INDEX parcels_unread_idx ON {schema}.parcels (unread_since) WHERE unread > 0;
