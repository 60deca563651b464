//! A lane's page: what it believed over time, and the plot of it.

use serde_json::Value;

use crate::dashboard::{Browser, add};
use crate::http::Api;
use crate::peer::Peer;
use crate::relay::{Home, PATIENCE, Relay};

const MESSAGE: &str = "Subject: hi\r\n\r\nhi";

fn deliver(relay: &Relay, to: &str) {
    let mut client = relay.dial();
    assert!(client.say("EHLO app.example").starts_with("250"));
    let id = client.hand_over("app@example.com", &[to], MESSAGE);
    relay.logged(&[&format!(" event=delivered id={id} ")]);
}

/// What is remembered of the only lane, when it is so.
fn beliefs_when(relay: &Relay, is_so: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    let began = std::time::Instant::now();
    let source = relay.ask_json(&["lanes", "show", "example.net"])[0]["source"].clone();
    let path = format!("/v1/lanes/example.net/{}/beliefs?since=7d", source.as_str().unwrap());
    loop {
        let page = Api::of(relay).get(&path).json();
        let rows = page["beliefs"].as_array().unwrap().clone();
        if is_so(&rows) {
            return rows;
        }
        assert!(began.elapsed() < PATIENCE, "{page:#}");
        std::thread::yield_now();
    }
}

/// The bar of a lane's plot that is so, when history has it.
fn bar_when(browser: &mut Browser<'_>, here: &str, is_so: impl Fn(&str) -> bool) -> String {
    let began = std::time::Instant::now();
    loop {
        let page = browser.look(here);
        if let Some(row) = page.body.split("<tr data-until=").find(|row| is_so(row)) {
            return row.to_owned();
        }
        assert!(began.elapsed() < PATIENCE, "{}", page.body);
        std::thread::yield_now();
    }
}

fn moment(row: &Value, key: &str) -> jiff::Timestamp {
    row[key].as_str().unwrap().parse().unwrap()
}

#[test]
fn what_a_lane_believed_is_drawn_after_a_crash_and_what_nobody_saw_is_a_gap() {
    let peer = Peer::start();
    let home = Home::new();
    // What a lane has learned would bring it back at the start.
    let file = home.write("off.toml", "[lane]\nlearning = \"off\"\n");
    let route = peer.route_to_providers();
    let arguments = ["--config", &file, "--route", &route, "--clock-speed", "60"];
    let relay = home.start(&arguments);
    deliver(&relay, "jo@example.net");
    beliefs_when(&relay, |rows| !rows.is_empty());
    let pinned = relay.ask(&["lanes", "pin", "example.net", "30/m", "--why", "they <asked> us to"]);
    assert!(pinned.status.success(), "{}", String::from_utf8_lossy(&pinned.stderr));
    let before = beliefs_when(&relay, |rows| rows.last().unwrap()["rate_per_s"] == 0.5);
    let seen = moment(before.last().unwrap(), "until");
    let later = seen.checked_add(jiff::SignedDuration::from_hours(2)).unwrap();
    let unused = relay.ask_json(&["lanes", "show", "example.net"]).remove(0)["source"].clone();
    let unused = unused.as_str().unwrap();
    let home = relay.crash();
    let relay = home.start(&[&arguments[..], &["--now", &later.to_string()]].concat());
    add(&relay, "olaf", &["--role", "operator"]);
    let here = format!("/lanes/example.net/{unused}");
    let past = Browser::signed_in(&relay, "olaf").look(&here);
    assert_eq!(past.status, 200, "{}", past.body);
    assert!(past.body.contains("has not been used since the server began"), "{}", past.body);
    assert!(past.body.contains("<b>30/min</b> until "), "{}", past.body);
    let other = Browser::signed_in(&relay, "olaf").look("/lanes/example.org/nobody");
    assert_eq!(other.status, 404, "nothing is remembered of what never was");
    deliver(&relay, "al@example.net");
    let after =
        beliefs_when(&relay, |rows| rows.last().is_some_and(|row| moment(row, "from") > seen));
    let known = before.iter().filter(|row| after.contains(row)).count();
    assert!(known + 1 >= before.len(), "{before:#?} {after:#?}");
    let gap = after.windows(2).filter(|pair| moment(&pair[1], "from") > moment(&pair[0], "until"));
    assert_eq!(gap.count(), 1, "{after:#?}");

    add(&relay, "vera", &[]);
    let mut browser = Browser::signed_in(&relay, "vera");
    let lane = relay.ask_json(&["lanes", "show", "example.net"]).remove(0);
    let source = lane["source"].as_str().unwrap();
    let from = moment(&before[0], "from");
    let page = browser.look(&format!("/lanes/example.net/{source}?from={from}&to={}", later));
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(page.body.contains("<td>not recorded</td>"), "the gap is told");
    assert!(page.body.contains("<td>Healthy</td>"), "and what was before");
    assert!(page.body.contains("they &#60;asked&#62; us to, by "), "and who changed the cap");
    assert!(!page.body.contains("<asked>"));
}

#[test]
fn a_plot_is_shown_larger_by_its_address_and_its_bars_lead_to_the_log() {
    let peer = Peer::start();
    let relay = Relay::start(&["--route", &peer.route_to_providers()]);
    deliver(&relay, "jo@example.net");
    add(&relay, "vera", &[]);
    add(&relay, "tina", &["--tenant", "acme"]);
    let lane = relay.ask_json(&["lanes", "show", "example.net"]).remove(0);
    let here = format!("/lanes/example.net/{}", lane["source"].as_str().unwrap());
    let mut browser = Browser::signed_in(&relay, "vera");
    let page = browser.look(&format!("{here}?range=1h"));
    let links = |body: &str, says: &str| {
        let (before, _) = body.split_once(&format!(">{says}</a>")).unwrap();
        let (_, href) = before.rsplit_once("href=\"").unwrap();
        href.split('"').next().unwrap().replace("&#38;", "&").replace("&amp;", "&")
    };
    let larger = links(&page.body, "Zoom in");
    assert!(larger.starts_with(&format!("{here}?range=1h&from=2")), "{larger}");
    let zoomed = browser.look(&larger);
    assert_eq!(zoomed.status, 200);
    assert!(zoomed.body.contains("Recipients in 1 min each, "), "{}", zoomed.body);
    assert!(zoomed.body.contains(" UTC</figcaption>"));
    assert_eq!(zoomed.body.matches("<tr data-until=").count(), 30);
    assert_eq!(links(&zoomed.body, "To now"), format!("{here}?range=1h"));
    // Each bar leads to its rows; the one with the message has them.
    let bar = bar_when(&mut browser, &here, |row| row.contains("kind=delivered\">1<"));
    let (_, href) = bar.split_once("<a href=\"").unwrap();
    let log = browser.look(&href.split('"').next().unwrap().replace("&#38;", "&"));
    assert!(log.body.contains("jo@example.net"), "{}", log.body);
    let wrong = browser.look(&format!("{here}?from=soon"));
    assert_eq!(wrong.status, 400);
    assert!(wrong.body.contains("write it in UTC"), "{}", wrong.body);
    let beliefs = format!("/v1{here}/beliefs");
    assert_eq!(Api::of(&relay).get(&format!("{beliefs}?since=soon")).status, 400);
    assert_eq!(Browser::signed_in(&relay, "tina").look(&here).status, 403);
}

#[test]
fn a_lane_whose_only_host_rests_says_so_and_until_when_as_its_mail_does() {
    let relay = Relay::start(&["--route", "*=127.0.0.1:9"]);
    add(&relay, "vera", &[]);
    let mut client = relay.dial();
    assert!(client.say("EHLO app.example").starts_with("250"));
    client.hand_over("app@example.com", &["jo@example.net"], MESSAGE);
    let rests = "no host can be reached; the lane rests";
    let began = std::time::Instant::now();
    let lane = loop {
        let rows =
            relay.list_until(|rows| rows.len() == 1 && rows[0]["waiting"]["reason"] == rests);
        let lane = relay.ask_json(&["lanes", "show", "route:127.0.0.1:9"]).remove(0);
        // One value: what the mail says of itself at that moment.
        if lane["waiting"] == rows[0]["waiting"] {
            break lane;
        }
        assert!(began.elapsed() < PATIENCE, "{lane:#} {rows:#?}");
    };
    assert!(lane["waiting"]["until"].as_str().is_some(), "{lane:#}");
    let page = Browser::signed_in(&relay, "vera").look("/");
    assert!(page.body.contains("No host can be reached; the lane rests"), "{}", page.body);
    assert!(!page.body.contains("Sends now"), "{}", page.body);
}
