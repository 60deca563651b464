//! What is written wrong is told, with its line and the cure.

use postlane_receivers::{Kind, LimitStage, Ms, Quantity, RestartKind, Scenario};
use proptest::prelude::*;

const GOOD: &str = r#"[meta]
id = "whole"
title = "every key there is"
horizon = "3d"
seed = 3
start_tod = "9h"
notes = "none"

[sender]
ips = ["ip1", "ip2"]
identity = { aligned = false, ptr = true }
ceiling = { conns_per_ip = 4, rate = "10/s", per_conn = 50 }

[[mail]]
class = "tx"
rate = "5/h"
from = "1h"
to = "12h"
max_age = "24h"

[[mail]]
class = "bulk"
count = 20
at = "1h"
unknown = 0.1
unique_rcpts = 10
tenant = "acme"
campaign = "may"

[receiver]
site = "mx.example.net"
connect = "100ms"
txn = "200ms"
shards = 2

[[receiver.limit]]
id = "hour"
kind = "sliding"
key = ["ip", "sender_domain"]
unit = "message"
charge = "attempted"
quota = 10
window = "1h"
phase = "5m"
stage = "dot"
reply = "421 slow down"
per_shard = true
only_ip = "ip2"
override = [{ ip = "ip1", quota = 4 }]
identity = { aligned = 0.4 }
change = [{ at = "1d", quota = 5 }]
tod = [{ from = "22h", to = "6h", factor = 2.0 }]
background = { rate = "5/h", from = "8h", to = "20h" }
penalty = { after = 2, within = "1m", hold = "1h", extend = "double", max = "2h", reply = "421 no" }
tarpit = { from = 0.5, max_delay = "5s" }

[[receiver.temp]]
p = 0.01
reply = "451 later"

[[receiver.outage]]
from = "1h"
to = "2h"
reply = "421-down\n421 for now"

[[operator]]
at = "1h"
command = "pause united-internet"

[[restart]]
at = "2h"
kind = "crash"
"#;

fn wrong(text: &str) -> String {
    Scenario::parse(text).unwrap_err().to_string()
}

/// What is said where this part of the good one is written otherwise.
fn with(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "{from}");
    wrong(&GOOD.replacen(from, to, 1))
}

#[test]
fn every_key_is_read() {
    let scenario = Scenario::parse(GOOD).unwrap();
    assert_eq!(scenario.meta.start_tod, Ms::from_h(9));
    assert_eq!(scenario.run_seed(2), 3_002);
    assert_eq!(scenario.sender.ceiling.per_conn, Some(50));
    assert_eq!(scenario.receiver.shards, 2);
    let limit = &scenario.receiver.limits[0];
    assert_eq!((limit.stage, limit.only_ip), (LimitStage::Dot, Some(1)));
    assert_eq!(limit.penalty.as_ref().unwrap().max, Ms::from_h(2));
    assert_eq!(scenario.receiver.outages[0].reply.to_string(), "421 down / for now");
    assert_eq!(scenario.operator[0].command, "pause united-internet");
    assert_eq!(scenario.restart[0].kind, RestartKind::Crash);
}

#[test]
fn what_is_not_written_is_as_the_language_says() {
    let text = "[meta]\nid = \"d\"\nhorizon = \"1d\"\n[sender]\nips = [\"a\"]\n[[mail]]\nclass = \"tx\"\nrate = \"1/h\"\n[[mail]]\nclass = \"cold\"\ncount = 1\n[receiver]\nsite = \"mx\"\n[[receiver.limit]]\nid = \"g\"\nkind = \"greylist\"\nreply = \"450 g\"\n[[receiver.limit]]\nid = \"r\"\nkind = \"ratio\"\nratio = 0.1\nmin_n = 5\nreply = \"450 r\"\npenalty = { after = 1, within = \"1s\", hold = \"1s\" }\nbackground_none = 1\n";
    let scenario = Scenario::parse(&text.replace("background_none = 1\n", "")).unwrap();
    let site = &scenario.receiver;
    assert_eq!((site.connect, site.txn, site.shards), (Ms(300), Ms(350), 1));
    assert_eq!(scenario.sender.ceiling.conns_per_ip, 20);
    assert!((scenario.sender.ceiling.rate.per_ms() - 0.05).abs() < 1e-12);
    let Quantity::Stream { from, to, .. } = scenario.mail[0].quantity else { panic!() };
    assert_eq!((from, to), (Ms(0), Ms::from_h(24)));
    assert!(matches!(scenario.mail[1].quantity, Quantity::Batch { count: 1, at: Ms(0) }));
    let [grey, ratio] = site.limits.as_slice() else { panic!() };
    assert_eq!((grey.stage, grey.window, grey.phase), (LimitStage::Rcpt, Ms::DAY, Ms(0)));
    assert!(matches!(grey.kind, Kind::Greylist { min_delay: Ms(300_000), whitelist_after: None }));
    assert!(matches!(ratio.kind, Kind::Ratio { min_delay: Ms(3_600_000), .. }));
    assert_eq!(ratio.penalty.as_ref().unwrap().max, Ms::DAY);
    assert!(wrong(text).contains("unknown field"));
}

#[test]
fn an_unknown_key_is_told_with_its_line_in_every_table() {
    for header in [
        "[meta]\n",
        "[sender]\n",
        "[receiver]\n",
        "[[mail]]\n",
        "[[receiver.limit]]\n",
        "[[receiver.temp]]\n",
        "[[receiver.outage]]\n",
        "[[operator]]\n",
        "[[restart]]\n",
    ] {
        let said = with(header, &format!("{header}colour = 1\n"));
        assert!(said.contains("unknown field `colour`") && said.contains("remove it"), "{said}");
    }
    assert!(with("horizon = \"3d\"\n", "horizon = \"3d\"\ncolour = 1\n").starts_with("line 5: "));
    for (table, key) in [
        ("ceiling = { ", "colour = 1, "),
        ("penalty = { ", "colour = 1, "),
        ("tarpit = { ", "colour = 1, "),
        ("background = { ", "colour = 1, "),
    ] {
        assert!(with(table, &format!("{table}{key}")).contains("colour"));
    }
}

#[test]
fn each_fault_says_its_cure() {
    for (from, to, cure) in [
        ("\"3d\"", "\"3 days\"", "write \"250ms\""),
        ("\"3d\"", "\"400d\"", "write a shorter one"),
        ("\"3d\"", "\"0s\"", "write a horizon above 0"),
        ("\"9h\"", "\"24h\"", "write one below 24h"),
        ("id = \"whole\"", "id = \"a b\"", "write 1 to 64"),
        ("[\"ip1\", \"ip2\"]", "[]", "write ips"),
        ("[\"ip1\", \"ip2\"]", "[\"ip1\", \"ip1\", \"ip2\"]", "remove one"),
        ("conns_per_ip = 4", "conns_per_ip = 0", "write at least 1"),
        ("\"10/s\"", "\"ten a second\"", "write \"1/s\""),
        ("class = \"tx\"", "class = \"news\"", "write transactional, engaged or cold"),
        ("rate = \"5/h\"", "rate = \"5/h\"\ncount = 5", "write either count or rate"),
        ("rate = \"5/h\"", "rate = \"999999/s\"", "send fewer"),
        ("unknown = 0.1", "unknown = 1.1", "from 0 to 1"),
        ("unique_rcpts = 10", "unique_rcpts = 0", "write at least 1"),
        ("tenant = \"acme\"", "tenant = \"a b\"", "write another"),
        ("site = \"mx.example.net\"", "site = \"\"", "write one as in"),
        ("shards = 2", "shards = 65", "write 1 to 64"),
        ("kind = \"sliding\"", "kind = \"slidding\"", "write sliding, fixed"),
        ("kind = \"sliding\"", "kind = \"bucket\"", "add rate"),
        ("kind = \"sliding\"", "kind = \"grow\"", "needs min_use: add it"),
        ("kind = \"sliding\"", "kind = \"ratio\"", "needs min_n: add it"),
        ("kind = \"sliding\"", "kind = \"ewma\"", "remove background"),
        ("kind = \"sliding\"", "kind = \"conns\"", "write stage = \"connect\""),
        ("unit = \"message\"", "unit = \"connection\"", "write stage = \"connect\""),
        ("\"sender_domain\"", "\"colour\"", "write ip, sender_domain or rcpt"),
        ("quota = 10\n", "", "needs a quota: add it"),
        ("quota = 10\n", "quota = nan\n", "write a number"),
        ("window = \"1h\"", "window = \"0s\"", "write one above 0"),
        ("stage = \"dot\"", "stage = \"data\"", "write connect, rcpt or dot"),
        ("\"421 slow down\"", "\"250 fine\"", "write one as it is said"),
        ("\"421 slow down\"", "\"slow down\"", "write one as it is said"),
        ("only_ip = \"ip2\"", "only_ip = \"ip3\"", "write one of its ips"),
        ("factor = 2.0", "factor = -1.0", "write a number"),
        ("to = \"6h\"", "to = \"25h\"", "from 0h to 24h"),
        ("after = 2", "after = 0", "at least after = 1"),
        ("extend = \"double\"", "extend = \"triple\"", "write none, reset or double"),
        ("p = 0.01", "p = 2.0", "from 0 to 1"),
        ("\"451 later\"", "\"550 never\"", "a 4xx code"),
        ("to = \"2h\"\nreply", "to = \"30m\"\nreply", "exchange them"),
        ("command = \"pause united-internet\"", "command = \"\"", "write one command"),
        ("kind = \"crash\"", "kind = \"bang\"", "write clean or crash"),
    ] {
        let said = with(from, to);
        assert!(said.contains(cure), "{from} -> {to}: {said}");
    }
}

#[test]
fn all_that_is_wrong_is_told_with_the_line_of_its_table() {
    let said = wrong(
        &GOOD
            .replace("class = \"tx\"", "class = \"a\"")
            .replace("\"bang\"", "")
            .replace("p = 0.01", "p = 7.0"),
    );
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 2, "{said}");
    let at = |needle: &str| GOOD.lines().position(|line| line == needle).unwrap() + 1;
    assert!(lines[0].starts_with(&format!("line {}: ", at("[[mail]]"))), "{said}");
    assert!(lines[1].starts_with(&format!("line {}: ", at("[[receiver.temp]]"))), "{said}");
}

#[test]
fn two_limits_do_not_share_an_id() {
    let limit = "[[receiver.limit]]\nid = \"hour\"\nkind = \"conns\"\nstage = \"connect\"\nquota = 1\nreply = \"421 x\"\n";
    assert!(wrong(&format!("{GOOD}{limit}")).contains("choose another"));
}

#[test]
fn there_are_not_more_limits_than_can_be_asked() {
    let limits: String = (0..65)
        .map(|n| format!("[[receiver.limit]]\nid = \"l{n}\"\nkind = \"sliding\"\nquota = 1\nreply = \"421 x\"\n"))
        .collect();
    assert!(wrong(&format!("{GOOD}{limits}")).contains("leave at most 64"));
}

proptest! {
    #![proptest_config(crate::bench::law())]

    #[test]
    fn no_text_breaks_the_reader(text in ".{0,200}", at in 0..GOOD.len(), len in 0_usize..40) {
        let _ = Scenario::parse(&text);
        let Some((head, tail)) = GOOD.split_at_checked(at) else { return Ok(()) };
        let tail = tail.get(len..).unwrap_or_default();
        let _ = Scenario::parse(&format!("{head}{text}{tail}"));
    }
}
