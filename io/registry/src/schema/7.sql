-- What lanes believed and did: one row for as long as nothing of it changed. `limits` has a word for each
-- limit: messages/seconds/times seen/confidence.

CREATE TABLE lane_belief (
    provider TEXT NOT NULL,
    source   TEXT NOT NULL,
    since    INTEGER NOT NULL,
    seen     INTEGER NOT NULL,
    state    TEXT NOT NULL,
    day      INTEGER,
    rate     REAL,
    limits   TEXT NOT NULL,
    box_s    INTEGER,
    PRIMARY KEY (provider, source, since)
) STRICT, WITHOUT ROWID;

CREATE INDEX lane_belief_seen ON lane_belief (seen);
