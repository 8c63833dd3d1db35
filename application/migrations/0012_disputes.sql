-- disputes: the domain's own fold of each case, with the columns that lists and clocks look at (D1).
CREATE TABLE {schema}.disputes (
    id            text COLLATE "C" PRIMARY KEY,
    order_number  text COLLATE "C" NOT NULL,
    parcel        text COLLATE "C" NOT NULL,
    learner       text COLLATE "C" NOT NULL,
    reason        text NOT NULL,
    state         text NOT NULL, -- open, awaiting_approval, decided, withdrawn
    outcome       text,
    opened_at     timestamptz NOT NULL,
    closed_at     timestamptz,
    answer_by     timestamptz, -- while the learner still has something to answer
    decide_by     timestamptz, -- while it is to be decided
    overdue       boolean NOT NULL,
    file_claim_by timestamptz,
    folded        bytea NOT NULL,
    version       bigint NOT NULL,
    position      bigint NOT NULL
);
CREATE INDEX disputes_live_idx ON {schema}.disputes (decide_by, id) WHERE decide_by IS NOT NULL;
CREATE INDEX disputes_opened_idx ON {schema}.disputes (opened_at DESC, id DESC);
CREATE INDEX disputes_learner_idx ON {schema}.disputes (learner, opened_at DESC);
CREATE INDEX disputes_order_idx ON {schema}.disputes (order_number);
CREATE INDEX disputes_parcel_idx ON {schema}.disputes (parcel);
CREATE INDEX disputes_answer_idx ON {schema}.disputes (answer_by) WHERE answer_by IS NOT NULL;

-- claims: what was asked and claimed of a carrier about a parcel (D2).
CREATE TABLE {schema}.claims (
    parcel            text COLLATE "C" PRIMARY KEY,
    orders            text[] NOT NULL,
    carrier           text NOT NULL,
    waybill           text COLLATE "C" NOT NULL,
    inquiry           text, -- open, answered, timed_out
    inquiry_at        timestamptz,
    inquiry_answer_by timestamptz,
    inquiry_result    text,
    state             text, -- filed, acknowledged, accepted, rejected, paid, written_off
    reason            text,
    claimed_fen       bigint NOT NULL,
    accepted_fen      bigint NOT NULL,
    paid_fen          bigint NOT NULL,
    file_by           timestamptz,
    filed_at          timestamptz,
    moved_at          timestamptz NOT NULL,
    folded            bytea NOT NULL,
    version           bigint NOT NULL,
    position          bigint NOT NULL
);
CREATE INDEX claims_inquiry_idx ON {schema}.claims (inquiry_answer_by) WHERE inquiry = 'open';
CREATE INDEX claims_open_idx ON {schema}.claims (filed_at, parcel) WHERE filed_at IS NOT NULL;
GRANT SELECT, INSERT, UPDATE, DELETE ON {schema}.disputes, {schema}.claims TO {service};
-- No event before this one is told of in them.
INSERT INTO {schema}.views (name, position)
SELECT name, position FROM (VALUES ('disputes'), ('claims')) AS new(name),
    (SELECT coalesce(max(position), 0) AS position FROM {schema}.commits) AS log;

-- What learners and carriers said in cases, and files: personal data with a time of its own (rule 30).
CREATE INDEX cards_case_idx ON {schema}.cards (made_at) WHERE field IN ('words', 'evidence');
