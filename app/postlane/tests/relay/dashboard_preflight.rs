//! What providers ask for, as people see it in the dashboard: what is missing and held, and a look at
//! any message, for each role and tenant, with hostile texts and limits.

use crate::check;
use crate::dashboard::{Browser, add};
use crate::preflight::House;
use crate::relay::{Home, Relay};

const MESSAGE: &str = "From: Jo <jo@example.com>\r\nTo: al@example.net\r\n\
    Subject: <script>alert(1)</script>\r\nDate: Sun, 1 Nov 2026 00:00:00 +0000\r\n\
    Message-ID: <1@example.com>\r\n\r\nHello\r\n";

fn people(relay: &Relay) {
    add(relay, "olaf", &["--role", "operator"]);
    add(relay, "vera", &[]);
    add(relay, "tina", &["--role", "operator", "--tenant", "acme"]);
}

#[test]
fn what_mail_lacks_is_shown_with_what_is_held_and_is_looked_at_again_on_demand() {
    let house = House::start("policy = \"hold\"\nrecheck = \"1h\"\nevery = \"1h\"");
    people(&house.relay);
    let mut olaf = Browser::signed_in(&house.relay, "olaf");
    let empty = olaf.look("/preflight").body;
    assert!(empty.contains("Nothing was looked at yet") && empty.contains("seen_as"), "{empty}");
    house.hand_over("first@gmx.net");
    house.stands(|row| row["verdict"] == "blocked");
    house.hand_over("jo@gmx.net");
    house.stands(|row| row["held"] == 1);
    let page = olaf.look("/preflight?show=held").body;
    for text in [
        "example.com",
        "IDN-05",
        "DKIM-01",
        "holds mail",
        "1 message is held",
        "held by preflight: mail of example.com to united-internet fails IDN-05",
        "href=\"/lanes/united-internet/one\"",
        "href=\"/queue?provider=united-internet&#38;status=deferred\"",
        "href=\"/trace/",
    ] {
        assert!(page.contains(text), "{text} is not in {page}");
    }
    let (_, turned) = page.split_once("href=\"/log?").unwrap();
    let turned = turned.split('"').next().unwrap().replace("&#38;", "&");
    let why = "preflight-failed: transactional mail of example.com fails IDN-05";
    olaf.look_until(&format!("/log?{turned}"), why);
    let none = olaf.look("/preflight?domain=other.example").body;
    assert!(none.contains("Nothing matches this"), "{none}");
    let form = |page: &str| {
        let (_, rest) = page.split_once(r#"name="form_token" value=""#).unwrap();
        let token = rest.split('"').next().unwrap().to_owned();
        format!("form_token={token}&provider=united-internet&domain=example.com")
    };
    let again = olaf.send("/preflight/again", &form(&page));
    let there = "/preflight?provider=united-internet&meant=1";
    assert_eq!((again.status, again.field("location").as_str()), (303, there), "{}", again.body);
    assert!(olaf.look(there).body.contains("1 domain and stream is looked at again"));
    let mut vera = Browser::signed_in(&house.relay, "vera");
    let seen = vera.look("/preflight").body;
    assert!(seen.contains("IDN-05") && !seen.contains("Look again"), "{seen}");
    assert_eq!(vera.send("/preflight/again", &form(&seen)).status, 403);
    let mut tina = Browser::signed_in(&house.relay, "tina");
    let none = tina.look("/preflight").body;
    assert!(!none.contains("IDN-05") && none.contains("Nothing was looked at yet"), "{none}");
}

fn uploaded(browser: &mut Browser<'_>, fields: &[(&str, &str)]) -> (u16, String) {
    let token = browser.look("/preflight/message").form_token();
    let page =
        browser.upload("/preflight/message", &[&[("form_token", token.as_str())], fields].concat());
    (page.status, page.body)
}

#[test]
fn any_message_is_looked_at_and_a_broken_signature_says_which_step_failed() {
    let (knot, message) = check::start();
    let resolver = knot.address().to_string();
    let relay = Relay::start(&["--route", "*=127.0.0.1:9", "--resolver", &resolver]);
    people(&relay);
    let message = message.replace("\r\n", "\n").replace('\n', "\r\n");
    let changed = format!("{message}A footer of a list\r\n");
    let bringer = [
        ("ip", "192.0.2.1"),
        ("helo", "mail.football.example.com"),
        ("mail_from", "joe@football.example.com"),
        ("rcpt", "jo@gmail.com"),
    ];
    for name in ["vera", "olaf", "tina"] {
        let mut browser = Browser::signed_in(&relay, name);
        let fields = [&bringer[..], &[("file", changed.as_str())]].concat();
        let (status, page) = uploaded(&mut browser, &fields);
        assert_eq!(status, 200, "{name}: {page}");
        let place = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text} not in {page}"));
        assert!(place("<b>Gmail</b>") < place("<b>GMX, WEB.DE</b>"), "whom it goes to comes first");
        assert!(place("What providers would say") < place("Score"));
        for text in [
            "The first step that fails: the body is not the one that was signed (bh=)",
            "A footer of a list",
            "include:hosts.football.example.com",
            "Tree walk (RFC 9989)",
            "Public suffix list (RFC 7489)",
            "No forwarder has sealed it",
            "&#60;b&#62;mail&#60;/b&#62;.eml",
        ] {
            assert!(page.contains(text), "{text} is not in {page}");
        }
    }
    // A look changes nothing, and what a message says is written down nowhere.
    let audit = format!("{:?}", relay.ask_json(&["audit"]));
    assert!(!audit.contains("checks/message") && !audit.contains("football"), "{audit}");
}

#[test]
fn what_is_sent_for_a_look_has_limits_and_runs_nothing() {
    let config = "[relay]\nhostname = \"localhost\"\n[limits]\nmessage_size = \"64KiB\"\n";
    let home = Home::new();
    let file = home.write("postlane.toml", config);
    let relay = home.start(&["--config", &file, "--resolver", "127.0.0.1:9"]);
    people(&relay);
    let mut vera = Browser::signed_in(&relay, "vera");
    let (status, page) = uploaded(&mut vera, &[("file", ""), ("pasted", MESSAGE)]);
    assert_eq!(status, 200, "{page}");
    assert!(!page.contains("<script>alert"), "{page}");
    let large = format!("{MESSAGE}{}", "x".repeat(90_000));
    let (status, page) = uploaded(&mut vera, &[("file", &large)]);
    assert_eq!(status, 413, "{page}");
    assert!(page.contains("limits.message_size"), "{page}");
    let (status, page) = uploaded(&mut vera, &[("file", ""), ("pasted", " \r\n")]);
    assert_eq!(status, 422, "{page}");
    assert!(page.contains("choose a file, or paste it"), "{page}");
    let odd = [("pasted", MESSAGE), ("ip", "<img src=x>")];
    let (status, page) = uploaded(&mut vera, &odd);
    assert_eq!(status, 400, "{page}");
    assert!(page.contains("&#60;img src=x&#62;") && !page.contains("<img src=x>"), "{page}");
    let (status, page) = uploaded(&mut vera, &[("pasted", MESSAGE), ("helo", &"h".repeat(2_000))]);
    assert_eq!(status, 422, "{page}");
    let stolen = vera.upload("/preflight/message", &[("pasted", MESSAGE)]);
    assert_eq!(stolen.status, 403, "a form carries its token");
    assert_eq!(vera.send("/preflight/message", "pasted=x").status, 422, "{}", stolen.body);
}
