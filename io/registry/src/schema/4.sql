-- People who sign in at the dashboard. A password is kept as argon2id has it (PHC string).

CREATE TABLE user (
    name       TEXT PRIMARY KEY,
    password   TEXT NOT NULL,
    role       TEXT NOT NULL,
    tenant     TEXT NOT NULL,
    created    INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    signed_in  INTEGER,
    disabled   INTEGER
) STRICT;

-- Who is signed in. What the browser holds is kept as its SHA-256 alone.

CREATE TABLE session (
    hash   BLOB PRIMARY KEY,
    user   TEXT NOT NULL REFERENCES user (name) ON DELETE CASCADE,
    origin TEXT NOT NULL,
    begun  INTEGER NOT NULL,
    seen   INTEGER NOT NULL
) STRICT;

CREATE INDEX session_of ON session (user);
