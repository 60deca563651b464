//! What a provider asks of mail is looked at before mail goes there: with a real name server that
//! has the sender's records, and a sink in the place of GMX.

use std::net::SocketAddr;
use std::time::Instant;

use postlane_registry::Database;
use serde_json::Value;

use crate::events::Events;
use crate::http::Api;
use crate::knot::{Knot, Zone};
use crate::relay::{Dialogue, Home, PATIENCE, Relay};
use crate::sink::Sink;

const MESSAGE: &str = "From: Shop <shop@example.com>\r\nTo: jo@gmx.net\r\nSubject: Your order\r\n\
    X-Postlane-Stream: transactional\r\nMIME-Version: 1.0\r\n\
    Content-Type: text/plain; charset=utf-8\r\n\r\nThank you for your order.\r\n";

/// All that GMX asks for, but for signatures.
const RECORDS: &str = "@ MX 10 mail\nmail A 192.0.2.25\n@ A 192.0.2.25\n\
    @ TXT \"v=spf1 ip4:192.0.2.25 -all\"\n_dmarc TXT \"v=DMARC1; p=reject\"\n\
    mail TXT \"v=spf1 ip4:192.0.2.25 -all\"\n";

/// A relay whose mail to GMX goes to a sink, and how it would sign.
pub(crate) struct House {
    pub(crate) relay: Relay,
    gmx: Sink,
    settings: String,
    signs: String,
    _knot: Knot,
}

fn zone(records: &str) -> Knot {
    let reverse = "25 PTR mail.example.com.\n";
    Knot::start(&[
        Zone { name: "example.com", records: Some(records), signed: false },
        Zone { name: "com", records: Some(""), signed: false },
        Zone { name: "2.0.192.in-addr.arpa", records: Some(reverse), signed: false },
    ])
}

impl House {
    /// Keys are made and published, and not used yet.
    pub(crate) fn start(preflight: &str) -> Self {
        let home = Home::new();
        let empty = zone(RECORDS);
        let keys = home.path().join("keys").display().to_string();
        let resolver = empty.address().to_string();
        let new = ["--json", "dkim", "new", "example.com", "--selector", "s1", "--out", &keys];
        let made = home.command(&new).args(["--resolver", &resolver]).output().unwrap();
        let (mut records, mut signs) = (RECORDS.to_owned(), String::new());
        for line in String::from_utf8(made.stdout).unwrap().lines() {
            let key: Value = serde_json::from_str(line).unwrap();
            records += &format!("{}\n", key["zone"].as_str().unwrap());
            signs += &format!("{}\n", key["setting"].as_str().unwrap());
        }
        let (knot, gmx) = (zone(&records), Sink::start(&[]));
        let settings = settings(knot.address(), gmx.address, preflight);
        let relay = home.start_by_file(&settings);
        Self { relay, gmx, settings, signs, _knot: knot }
    }

    pub(crate) fn hand_over(&self, to: &str) -> String {
        let mut client = Dialogue::open(self.relay.smtp);
        assert!(client.say("EHLO app.example").starts_with("250"));
        client.hand_over("app@example.com", &[to], MESSAGE)
    }

    /// From now on mail is signed.
    fn sign(&self) {
        self.relay.home().write("postlane.toml", &format!("{}{}", self.settings, self.signs));
        assert!(self.relay.hang_up().contains(" event=reloaded"));
    }

    /// How mail stands before the gate, when it is so.
    pub(crate) fn stands(&self, is_so: impl Fn(&Value) -> bool) -> Value {
        let began = Instant::now();
        loop {
            let rows = self.relay.ask_json(&["preflight"]);
            if let [row] = &rows[..]
                && is_so(row)
            {
                return row.clone();
            }
            assert!(began.elapsed() < PATIENCE, "{rows:#?}\n{}", self.relay.log());
            std::thread::yield_now();
        }
    }

    /// The power goes, as far as a program can tell, and comes back; `between` has the home.
    fn crash(self, between: impl FnOnce(&Home)) -> Self {
        let Self { relay, gmx, settings, signs, _knot } = self;
        let home = relay.crash();
        between(&home);
        Self { relay: home.start_by_file(&settings), gmx, settings, signs, _knot }
    }

    /// Comes back when the registry has so many subjects and so many messages that are held.
    fn keeps(&self, subjects: usize, held: usize) {
        let began = Instant::now();
        let path = self.relay.home().data().join("registry.db");
        loop {
            let kept = Database::open(&path).and_then(|mut file| file.gates(u32::MAX));
            if kept.is_ok_and(|(gates, of)| (gates.len(), of.len()) == (subjects, held)) {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "{}", self.relay.log());
            std::thread::yield_now();
        }
    }

    fn figure(&self, name: &str) -> f64 {
        let answer = Api::of(&self.relay).get("/metrics");
        let text = answer.text();
        let line = text.lines().find(|line| line.split(' ').next() == Some(name));
        line.unwrap_or_else(|| panic!("{name} in {text}"))
            .split(' ')
            .nth(1)
            .unwrap()
            .parse()
            .unwrap()
    }
}

fn settings(resolver: SocketAddr, gmx: SocketAddr, preflight: &str) -> String {
    format!(
        "[relay]\nhostname = \"mail.example.com\"\n\
         [delivery]\nresolvers = [\"{resolver}\"]\n\
         [[source]]\nname = \"one\"\naddress = \"127.0.0.1\"\nseen_as = \"192.0.2.25\"\n\
         [[listener]]\naddress = \"127.0.0.1:0\"\n\
         [[route]]\npattern = \"gmx.net\"\nto = \"{gmx}\"\nlane = \"provider\"\n\
         [preflight]\n{preflight}\n"
    )
}

fn is(verdict: &str) -> impl Fn(&Value) -> bool {
    move |row: &Value| row["verdict"] == verdict
}

fn missing(row: &Value) -> Vec<&str> {
    row["missing"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect()
}

#[test]
fn what_is_missing_is_shown_and_told_and_mail_goes_and_few_messages_are_looked_at() {
    let house = House::start("policy = \"warn\"");
    let mut events = Events::of(&house.relay);
    let first = house.hand_over("first@gmx.net");
    let row = house.stands(is("blocked"));
    assert_eq!(missing(&row), ["IDN-05", "DKIM-01"], "{row:#}");
    assert_eq!((&row["id"], &row["domain"]), (&first.into(), &"example.com".into()), "{row:#}");
    let event = events.next("preflight-failed", "");
    assert!(event["detail"].as_str().unwrap().contains("IDN-05"), "{event:#}");
    house.relay.logged(&[" event=preflight-failed ", " provider=united-internet ", "IDN-05"]);
    for number in 0..20 {
        house.hand_over(&format!("n{number}@gmx.net"));
    }
    house.relay.logs(21, &[" event=delivered "]);
    assert_eq!(house.gmx.messages().len(), 21);
    assert_eq!(house.figure("postlane_preflight_looks_total"), 1.0);
    let lane = house.relay.ask_json(&["lanes", "show", "gmx"]).remove(0);
    assert_eq!(lane["preflight"]["blocked"], 1, "{lane:#}");
    assert_eq!(lane["preflight"]["worst"][0]["missing"], row["missing"]);
    house.sign();
    let done = house.relay.ask_json(&["preflight", "recheck", "--provider", "web.de"]).remove(0);
    assert_eq!(done["meant"], 1);
    house.hand_over("last@gmx.net");
    let row = house.stands(|row| row["verdict"] != "blocked");
    assert_eq!((&row["verdict"], missing(&row)), (&"ready".into(), vec![]), "{row:#}");
    events.next("preflight-ready", "");
}

#[test]
fn where_it_is_ordered_mail_is_held_says_why_and_goes_when_it_is_put_right() {
    let house = House::start("policy = \"hold\"\nrecheck = \"1s\"\nevery = \"1s\"");
    house.hand_over("first@gmx.net");
    house.stands(is("blocked"));
    let held = house.hand_over("jo@gmx.net");
    let rows = house.relay.list_until(|rows| rows.len() == 1 && rows[0]["status"] == "deferred");
    let reason = rows[0]["waiting"]["reason"].as_str().unwrap().to_owned();
    let says = "held by preflight: mail of example.com to united-internet fails IDN-05: ";
    assert!(reason.starts_with(says), "{reason}");
    assert!(reason.contains("; to put it right: "), "{reason}");
    assert_eq!(rows[0]["id"], held.as_str());
    let row = house.stands(|row| row["held"] == 1);
    assert_eq!(row["reason"], reason.as_str(), "the queue and preflight say the same");
    house.relay.logged(&[&format!(" event=deferred id={held} ")]);
    house.sign();
    house.relay.logged(&[&format!(" event=delivered id={held} ")]);
    let mail = house.gmx.message_to("jo@gmx.net");
    assert!(mail.contains("\nDKIM-Signature: "), "{mail}");
    let row = house.stands(is("ready"));
    assert_eq!((&row["held"], &row["reason"]), (&0.into(), &Value::Null), "{row:#}");
}

#[test]
fn what_was_found_and_what_is_held_outlive_the_power() {
    let house = House::start("policy = \"hold\"\nrecheck = \"1h\"\nevery = \"1h\"");
    house.hand_over("first@gmx.net");
    let before = house.stands(is("blocked"));
    assert_eq!(before["before_restart"], false, "{before:#}");
    let held = house.hand_over("jo@gmx.net");
    let reason = house.stands(|row| row["held"] == 1)["reason"].clone();
    house.keeps(1, 1);
    let house = house.crash(|_| {});
    let row = house.stands(|_| true);
    assert_eq!((&row["verdict"], &row["before_restart"]), (&"blocked".into(), &true.into()));
    assert_eq!((&row["held"], &row["reason"]), (&1.into(), &reason), "{row:#}");
    for same in ["missing", "looked_at", "since", "due", "id", "message_id"] {
        assert_eq!(row[same], before[same], "{same}");
    }
    let rows = house.relay.list_until(|rows| rows.len() == 1 && rows[0]["status"] == "deferred");
    assert_eq!((&rows[0]["id"], &rows[0]["waiting"]["reason"]), (&held.clone().into(), &reason));
    // What comes now is held by what was seen then, and is not looked at before its time.
    let new = house.hand_over("new@gmx.net");
    assert_eq!(house.stands(|row| row["held"] == 2)["looks"], 0);
    let shown = house.relay.ask(&["lanes", "show", "gmx"]).stdout;
    let shown = String::from_utf8(shown).unwrap();
    assert!(shown.contains(", seen before the restart"), "{shown}");
    assert_eq!(house.gmx.messages().len(), 1);
    house.sign();
    house.relay.ask_json(&["preflight", "recheck", "--provider", "web.de"]);
    let row = house.stands(is("ready"));
    assert_eq!((&row["before_restart"], &row["looks"]), (&false.into(), &1.into()), "{row:#}");
    for id in [&held, &new] {
        house.relay.logged(&[&format!(" event=delivered id={id} ")]);
    }
    assert!(house.gmx.message_to("jo@gmx.net").contains("\nDKIM-Signature: "));
    house.keeps(1, 0);
}

#[test]
fn a_registry_that_is_damaged_holds_up_no_mail() {
    let house = House::start("policy = \"hold\"\nrecheck = \"1h\"\nevery = \"1h\"");
    house.hand_over("first@gmx.net");
    house.stands(is("blocked"));
    house.keeps(1, 0);
    let house = house.crash(|home| {
        let path = home.data().join("registry.db");
        std::fs::write(&path, [b'x'; 8_192]).unwrap();
        // What was written last stands there, and would mend it.
        std::fs::remove_file(path.with_extension("db-wal")).unwrap();
    });
    assert!(house.relay.ask_json(&["preflight"]).is_empty(), "nothing is known");
    let id = house.hand_over("second@gmx.net");
    house.relay.logged(&[&format!(" event=delivered id={id} ")]);
    house.stands(is("blocked"));
}
