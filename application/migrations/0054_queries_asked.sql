-- Every query counts against the day's budget, however often it is about the same waybill (M2).
CREATE TABLE {schema}.queries_asked (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    asked_at timestamptz NOT NULL
);
CREATE INDEX queries_asked_at_idx ON {schema}.queries_asked (asked_at);
GRANT SELECT, INSERT, DELETE ON {schema}.queries_asked TO {service};
INSERT INTO {schema}.queries_asked (asked_at) SELECT asked_at FROM {schema}.queries;

-- How often in a row a source, asked, knew nothing of a receipt that was pushed (rules.md 23).
ALTER TABLE {schema}.queries ADD COLUMN contradicted integer NOT NULL DEFAULT 0;
UPDATE {schema}.queries SET contradicted = 1 WHERE outcome = 'contradicts';
