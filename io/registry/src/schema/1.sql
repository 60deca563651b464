-- Times are microseconds since 1970. An empty tenant is nobody in particular.

CREATE TABLE token (
    name       TEXT PRIMARY KEY,
    hash       BLOB NOT NULL UNIQUE,
    scopes     TEXT NOT NULL,
    tenant     TEXT NOT NULL,
    created    INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    used       INTEGER,
    expires    INTEGER,
    disabled   INTEGER
) STRICT;

CREATE TABLE webhook (
    name          TEXT PRIMARY KEY,
    url           TEXT NOT NULL,
    events        TEXT NOT NULL,
    tenant        TEXT NOT NULL,
    created       INTEGER NOT NULL,
    created_by    TEXT NOT NULL,
    secret        TEXT NOT NULL,
    old_secret    TEXT,
    old_until     INTEGER,
    place         TEXT NOT NULL,
    told_at       INTEGER,
    failing_since INTEGER,
    tries         INTEGER NOT NULL DEFAULT 0,
    next_try      INTEGER,
    last_error    TEXT NOT NULL DEFAULT '',
    paused        INTEGER,
    paused_why    TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE TABLE saved_view (
    tenant     TEXT NOT NULL,
    name       TEXT NOT NULL,
    page       TEXT NOT NULL,
    query      TEXT NOT NULL,
    changed    INTEGER NOT NULL,
    changed_by TEXT NOT NULL,
    PRIMARY KEY (tenant, name)
) STRICT;

CREATE TABLE audit (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    at     INTEGER NOT NULL,
    who    TEXT NOT NULL,
    origin TEXT NOT NULL,
    tenant TEXT NOT NULL,
    what   TEXT NOT NULL,
    detail TEXT NOT NULL,
    status INTEGER NOT NULL
) STRICT;

CREATE INDEX audit_at ON audit (at);
