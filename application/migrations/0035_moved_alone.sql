-- approvals: what the maker moved alone before, which a second person has to know (A8).
ALTER TABLE {schema}.approvals
    ADD COLUMN alone_points bigint NOT NULL DEFAULT 0,
    ADD COLUMN alone_times  bigint NOT NULL DEFAULT 0;
