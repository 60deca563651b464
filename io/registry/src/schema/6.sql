-- Domains that are watched: what is wrong with them and when they are looked at next, as JSON.

CREATE TABLE watched_domain (
    domain TEXT PRIMARY KEY,
    state  TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What they published from when to when. A record that is gone is a version without values.

CREATE TABLE record_version (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    domain TEXT NOT NULL,
    name   TEXT NOT NULL,
    kind   TEXT NOT NULL,
    says   TEXT NOT NULL,
    since  INTEGER NOT NULL,
    seen   INTEGER NOT NULL,
    until  INTEGER
) STRICT;

CREATE INDEX record_version_of ON record_version (domain, name, kind, since);
