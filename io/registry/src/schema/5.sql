-- Block lists: what is held of each subject on each list, as JSON, and when it is asked next.

CREATE TABLE watched_cell (
    list    TEXT NOT NULL,
    subject TEXT NOT NULL,
    state   TEXT NOT NULL,
    PRIMARY KEY (list, subject)
) STRICT, WITHOUT ROWID;

-- Who was on which list from when to when.

CREATE TABLE listing (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    list    TEXT NOT NULL,
    subject TEXT NOT NULL,
    since   INTEGER NOT NULL,
    until   INTEGER,
    outcome TEXT NOT NULL,
    answers TEXT NOT NULL,
    means   TEXT NOT NULL,
    ended   TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE INDEX listing_open ON listing (list, subject) WHERE until IS NULL;
