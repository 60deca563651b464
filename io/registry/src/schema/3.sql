-- What recipients' domains want of those who send to them (MTA-STS, RFC 8461), as it was fetched.

CREATE TABLE sts_policy (
    domain  TEXT PRIMARY KEY,
    id      TEXT NOT NULL,
    fetched INTEGER NOT NULL,
    policy  TEXT NOT NULL
) STRICT;

-- Sessions by day (since 1970, UTC), recipients' domain and what came of them (RFC 8460). An empty
-- result is a session as the policy wants it.

CREATE TABLE tls_tally (
    day         INTEGER NOT NULL,
    domain      TEXT NOT NULL,
    policy_type TEXT NOT NULL,
    policy      TEXT NOT NULL,
    hosts       TEXT NOT NULL,
    result      TEXT NOT NULL,
    sending_ip  TEXT NOT NULL,
    mx_host     TEXT NOT NULL,
    mx_ip       TEXT NOT NULL,
    reason      TEXT NOT NULL,
    sessions    INTEGER NOT NULL,
    PRIMARY KEY (day, domain, policy_type, policy, hosts, result, sending_ip, mx_host, mx_ip)
) STRICT, WITHOUT ROWID;
