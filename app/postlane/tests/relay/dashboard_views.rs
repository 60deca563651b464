//! Saved views of the log: saved under a name, opened, and removed.

use crate::dashboard::{Browser, add};
use crate::relay::Relay;

const NOWHERE: [&str; 2] = ["--route", "*=127.0.0.1:9"];

#[test]
fn what_the_log_shows_is_saved_under_a_name_opened_and_removed() {
    let relay = Relay::start(&NOWHERE);
    add(&relay, "olaf", &["--role", "operator"]);
    add(&relay, "vera", &[]);
    add(&relay, "tina", &["--role", "operator", "--tenant", "acme"]);
    let mut olaf = Browser::signed_in(&relay, "olaf");
    let shown = olaf.look("/log?view=gmx-421&code=4xx");
    let (_, rest) = shown.body.split_once("name=\"query\" value=\"").unwrap();
    let query = rest.split('"').next().unwrap().replace("&#38;", "&").replace("&amp;", "&");
    assert_eq!(
        query, "since=24h&provider=united-internet&code=4xx",
        "the view's own filters go along"
    );
    let token = shown.form_token();
    let name = "%3Cb%3EGMX%3C/b%3E+4xx,+%2724+h%27";
    let form = format!("form_token={token}&name={name}&query={}", query.replace('&', "%26"));
    let saved = olaf.send("/log/views", &form);
    assert_eq!(saved.status, 303, "{}", saved.body);
    let opened = olaf.look(&saved.field("location"));
    assert_eq!(opened.status, 200, "{}", opened.body);
    assert!(
        opened.body.contains("aria-current=\"true\">&#60;b&#62;GMX&#60;/b&#62; 4xx"),
        "{}",
        opened.body
    );
    assert!(!opened.body.contains("<b>GMX"));
    let listed = relay.ask_json(&["view", "list"]);
    assert!(
        serde_json::to_string(&listed).unwrap().contains("provider=united-internet"),
        "{listed:?}"
    );
    let (_, rest) = opened.body.split_once("class=\"gone\" href=\"").unwrap();
    let remove = rest.split('"').next().unwrap().to_owned();
    assert!(olaf.look(&remove).body.contains("Remove view: &#60;b&#62;GMX"));

    let mut vera = Browser::signed_in(&relay, "vera");
    let seen = vera.look("/log");
    assert!(seen.body.contains("GMX&#60;/b&#62; 4xx") && !seen.body.contains("Save view"));
    let of_vera =
        format!("form_token={}&name=mine&query=code%3D421", vera.look("/account").form_token());
    assert_eq!(vera.send("/log/views", &of_vera).status, 403);
    assert_eq!(vera.look(&remove).status, 403);
    assert_eq!(vera.send(&remove, &of_vera).status, 403);
    let mut tina = Browser::signed_in(&relay, "tina");
    let of_tina = format!("form_token={}", tina.look("/account").form_token());
    assert!(!tina.look("/log").body.contains("4xx"), "another tenant's views are not seen");
    assert_eq!(tina.send(&remove, &of_tina).status, 404);

    let gone = olaf.send(&remove, &format!("form_token={token}"));
    assert_eq!((gone.status, gone.field("location").as_str()), (303, &*format!("/log?{query}")));
    assert!(!olaf.look("/log").body.contains("aria-label=\"Saved views\""));
}
