//! Receivers that the laws are held against, small enough for a test.

/// A scenario of one sender with these sources, mail and receiver.
pub(crate) fn scenario(
    id: &str,
    horizon: &str,
    sender: &str,
    mail: &str,
    receiver: &str,
) -> String {
    format!(
        r#"
        [meta]
        id = "{id}"
        title = "{id}"
        horizon = "{horizon}"
        seed = 7
        [sender]
        {sender}
        {mail}
        [receiver]
        {receiver}
        "#
    )
}

const ONE: &str = r#"ips = ["ip1"]"#;
const THREE: &str = r#"ips = ["ip1", "ip2", "ip3"]"#;

/// Bulk at once, and transactional mail all the while.
pub(crate) const MIXED: &str = r#"
[[mail]]
class = "engaged"
count = 500
max_age = "2d"
[[mail]]
class = "transactional"
rate = "20/h"
to = "6h"
max_age = "1d"
"#;

const SLIDING: &str = r#"
site = "mx.web.de"
[[receiver.limit]]
id = "hour"
kind = "sliding"
key = ["ip"]
charge = "attempted"
quota = 100
window = "1h"
stage = "connect"
reply = "421 web.de Nemesis ESMTP Service not available. Too many messages have been received in a short period of time."
penalty = { after = 5, within = "10m", hold = "1h", extend = "reset", max = "12h" }
"#;

const BUCKET: &str = r#"
site = "mx.bucket.example"
[[receiver.limit]]
id = "bucket"
kind = "bucket"
key = ["ip"]
quota = 30
rate = "20/m"
stage = "rcpt"
reply = "450 4.7.1 Rate limit exceeded, try again later"
"#;

const TEN_MINUTES: &str = r#"
site = "mx.ten.example"
[[receiver.limit]]
id = "ten"
kind = "sliding"
key = ["ip"]
quota = 60
window = "10m"
stage = "rcpt"
reply = "450 4.7.1 Sender rate exceeds 60 messages per 10 minutes"
"#;

const CONNECTIONS: &str = r#"
site = "mx.few.example"
[[receiver.limit]]
id = "conns"
kind = "conns"
key = ["ip"]
quota = 3
stage = "connect"
reply = "421 4.7.0 Too many concurrent connections"
[[receiver.limit]]
id = "perconn"
kind = "perconn"
quota = 10
stage = "rcpt"
reply = "421 Max message per connection reached, closing transmission channel"
"#;

const OUTAGE: &str = r#"
site = "mx.out.example"
[[receiver.outage]]
from = "5m"
to = "40m"
reply = "421 4.3.2 Service not available, closing transmission channel"
"#;

/// Takes everything.
pub(crate) const OPEN: &str = r#"
site = "mx.open.example"
"#;

/// One of each kind of receiver that says no.
pub(crate) fn all() -> Vec<String> {
    vec![
        scenario("sliding", "2d", ONE, MIXED, SLIDING),
        scenario("bucket", "6h", ONE, MIXED, BUCKET),
        scenario("ten", "6h", ONE, MIXED, TEN_MINUTES),
        scenario("connections", "6h", ONE, MIXED, CONNECTIONS),
        scenario("outage", "8h", THREE, MIXED, OUTAGE),
        scenario("pool", "1d", THREE, MIXED, SLIDING),
    ]
}

/// The same under ceilings that bind.
pub(crate) fn under_ceilings() -> Vec<String> {
    let tight = format!("{ONE}\nceiling = {{ rate = \"30/m\", conns_per_ip = 3, per_conn = 7 }}");
    let fast = format!("{ONE}\nceiling = {{ rate = \"4/s\", conns_per_ip = 8, per_conn = 50 }}");
    let pool = format!("{THREE}\nceiling = {{ rate = \"1/s\", conns_per_ip = 2 }}");
    vec![
        scenario("tight-open", "6h", &tight, MIXED, OPEN),
        scenario("fast-open", "6h", &fast, MIXED, OPEN),
        scenario("pool-open", "6h", &pool, MIXED, OPEN),
        scenario("tight-connections", "6h", &tight, MIXED, CONNECTIONS),
        scenario("fast-ten", "6h", &fast, MIXED, TEN_MINUTES),
    ]
}
