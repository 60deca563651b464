-- Questions that a block list was asked in its latest day (days since 1970, UTC).

CREATE TABLE list_day (
    list      TEXT PRIMARY KEY,
    day       INTEGER NOT NULL,
    questions INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
