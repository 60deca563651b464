-- How mail stood before the gates of providers when it was looked at last. `subject` and `state` are JSON.

CREATE TABLE gate_seen (
    subject TEXT PRIMARY KEY,
    state   TEXT NOT NULL,
    at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX gate_seen_at ON gate_seen (at);

-- Messages that were held, and where the spool has them.

CREATE TABLE gate_held (
    subject   TEXT NOT NULL,
    message   INTEGER NOT NULL,
    segment   INTEGER NOT NULL,
    ordinal   INTEGER NOT NULL,
    recipient INTEGER NOT NULL,
    PRIMARY KEY (subject, message)
) STRICT, WITHOUT ROWID;
