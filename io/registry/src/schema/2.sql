-- Incidents. The story is JSON; what stands beside it is for whoever asks for some of them.

CREATE TABLE incident (
    id       INTEGER PRIMARY KEY,
    kind     TEXT NOT NULL,
    provider TEXT NOT NULL,
    source   TEXT NOT NULL,
    tenant   TEXT NOT NULL,
    opened   INTEGER NOT NULL,
    closed   INTEGER,
    story    TEXT NOT NULL
) STRICT;

-- What became of them, in order. Whoever is to be told has not been while told is 0.

CREATE TABLE incident_change (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    incident INTEGER NOT NULL REFERENCES incident (id) ON DELETE CASCADE,
    at       INTEGER NOT NULL,
    what     TEXT NOT NULL,
    who      TEXT NOT NULL,
    says     TEXT NOT NULL,
    told     INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX incident_change_of ON incident_change (incident, id);
CREATE INDEX incident_change_untold ON incident_change (id) WHERE told = 0;
