//! The queue's page: acting on all that agrees with a filter, and the same as a file.

use serde_json::json;

use crate::dashboard::{Browser, Page, add};
use crate::http::Api;
use crate::relay::Relay;

const NOWHERE: [&str; 2] = ["--route", "*=127.0.0.1:9"];

/// A relay in whose queue are two messages to example.net, one of them acme's, and one to example.org.
fn relay() -> Relay {
    let relay = Relay::start(&NOWHERE);
    for (to, tenant) in
        [("jo@example.net", ""), ("al@example.net", "acme"), ("o'hara@example.org", "")]
    {
        let message = json!({"from": "a@example.com", "to": to, "text": "hi", "tenant": tenant});
        let answer = Api::of(&relay).post("/v1/messages", &message);
        assert_eq!(answer.status, 202, "{}", answer.text());
    }
    relay.list_until(|rows| rows.len() == 3 && rows.iter().all(|row| row["status"] != "active"));
    relay
}

fn act(browser: &mut Browser<'_>, address: &str, form: &str) -> Page {
    let token = browser.look("/queue").form_token();
    browser.send(address, &format!("form_token={token}&{form}"))
}

fn held(relay: &Relay) -> Vec<String> {
    let rows = relay.ask_json(&["queue", "list", "--status", "held"]);
    rows.iter().map(|row| row["recipient"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_agrees_with_a_filter_is_held_and_released_and_the_page_says_how_many() {
    let relay = relay();
    add(&relay, "olaf", &["--role", "operator"]);
    let mut browser = Browser::signed_in(&relay, "olaf");
    let page = browser.look("/queue?domain=example.net");
    assert!(page.body.contains("<b>2 recipients</b> match domain example.net"), "{}", page.body);
    let asked = browser.look("/queue/act/hold?domain=example.net");
    assert!(asked.body.contains("Hold: 2 recipients") && asked.body.contains("jo@example.net"));
    assert!(!asked.body.contains("example.org"), "{}", asked.body);
    let done = act(&mut browser, "/queue/act/hold?domain=example.net", "recipients=2");
    assert_eq!(done.status, 303, "{}", done.body);
    assert_eq!(done.field("location"), "/queue?domain=example.net&done=hold&recipients=2");
    let page = browser.look(&done.field("location"));
    assert!(page.body.contains("2 recipients are held."), "{}", page.body);
    assert!(page.body.contains("/queue/act/release?domain=example.net&#38;status=held"));
    assert_eq!(held(&relay).len(), 2);
    act(&mut browser, "/queue/act/release?domain=example.net&status=held", "recipients=2");
    assert!(held(&relay).is_empty());
    let all = act(&mut browser, "/queue/act/hold", "recipients=3");
    assert_eq!((all.status, held(&relay).len()), (303, 3), "without a filter it is everything");
    let audit = relay.ask_json(&["audit"]);
    let told = |row: &&serde_json::Value| row["what"] == "POST /v1/queue/actions";
    assert_eq!(audit.iter().filter(told).count(), 3, "{audit:#?}");
    assert!(
        audit.iter().filter(told).all(|row| row["who"] == "olaf" && row["from"] == "127.0.0.1")
    );
}

#[test]
fn what_cannot_be_taken_back_is_done_to_no_more_than_was_said_and_to_who_says_it_twice() {
    let relay = relay();
    add(&relay, "olaf", &["--role", "operator"]);
    let mut browser = Browser::signed_in(&relay, "olaf");
    let address = "/queue/act/delete?domain=example.net";
    let unsure = act(&mut browser, address, "recipients=2");
    assert_eq!(unsure.status, 409);
    let fewer = act(&mut browser, address, "recipients=1&sure=yes");
    assert_eq!(fewer.status, 409);
    assert!(fewer.body.contains("Mail has come since: now it is 2 recipients."), "{}", fewer.body);
    assert_eq!(relay.ask_json(&["queue", "list"]).len(), 3, "nothing was done");
    let done = act(&mut browser, address, "recipients=2&sure=yes");
    assert_eq!(done.status, 303, "{}", done.body);
    relay.list_until(|rows| rows.len() == 1);
    assert_eq!(act(&mut browser, "/queue/act/dance", "recipients=1").status, 404);
}

#[test]
fn a_viewer_changes_nothing_and_a_tenants_operator_what_is_the_tenants() {
    let relay = relay();
    add(&relay, "vera", &[]);
    add(&relay, "tina", &["--role", "operator", "--tenant", "acme"]);
    let mut vera = Browser::signed_in(&relay, "vera");
    assert!(!vera.look("/queue").body.contains("/queue/act/"));
    assert_eq!(vera.look("/queue/act/hold").status, 403);
    assert_eq!(act(&mut vera, "/queue/act/hold", "recipients=3").status, 403);
    let mut tina = Browser::signed_in(&relay, "tina");
    let page = tina.look("/queue");
    assert!(page.body.contains("al@example.net") && !page.body.contains("jo@example.net"));
    assert_eq!(act(&mut tina, "/queue/act/hold", "recipients=1").status, 303);
    assert_eq!(held(&relay), ["al@example.net"]);
    let other = act(&mut tina, "/queue/act/hold?tenant=other", "recipients=1");
    assert_eq!(other.status, 403);
    let file = tina.look("/queue/export?format=csv");
    assert!(file.body.contains("al@example.net") && !file.body.contains("jo@example.net"));
    let file = vera.look("/queue/export?format=csv&domain=example.org");
    assert_eq!(file.field("content-disposition"), "attachment; filename=\"queue.csv\"");
    assert!(
        file.body.contains("\r\n") && file.body.contains(",o'hara@example.org,"),
        "{}",
        file.body
    );
    let lines = vera.look("/queue/export?format=jsonl");
    assert_eq!(lines.body.matches("\"recipient\":").count(), 3, "{}", lines.body);
    assert_eq!(vera.look("/queue/export?format=xlsx").status, 400);
}
