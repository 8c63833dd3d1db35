-- approvals: what a refund that is asked for gives back, and for what goods (A8).
ALTER TABLE {schema}.approvals
    ADD COLUMN cash_fen   bigint NOT NULL DEFAULT 0,
    ADD COLUMN goods_back boolean NOT NULL DEFAULT false,
    ADD COLUMN goods      bytea NOT NULL DEFAULT '[]';
