//! Tables of the dashboard: their order and what they are narrowed to stand in the address, and what
//! they show comes as a file.

use crate::dashboard::{Browser, add};
use crate::http::Api;
use crate::relay::{Home, Relay};

/// Two routes without anybody: the mail waits, and each has a lane.
const ROUTES: [&str; 4] = ["--route", "one.example=127.0.0.1:9", "--route", "*=127.0.0.2:9"];

fn waiting(relay: &Relay) {
    let mut client = relay.dial();
    assert!(client.say("EHLO app.example").starts_with("250"));
    for to in ["a@one.example", "b@two.example", "c@two.example"] {
        client.hand_over("app@example.com", &[to], "Subject: hi\r\n\r\nhi");
    }
    relay.list_until(|rows| rows.len() == 3 && rows.iter().all(|row| !row["waiting"].is_null()));
}

/// Where texts stand in a page, in its order.
fn in_order(body: &str, texts: &[&str]) -> bool {
    let places: Vec<_> = texts.iter().map(|text| body.find(text)).collect();
    places.iter().all(Option::is_some) && places.is_sorted()
}

#[test]
fn the_overview_is_ordered_and_narrowed_by_its_address_and_so_is_its_file() {
    let relay = Relay::start(&ROUTES);
    waiting(&relay);
    add(&relay, "vera", &[]);
    add(&relay, "tina", &["--tenant", "acme"]);
    let mut browser = Browser::signed_in(&relay, "vera");
    let [one, two] =
        ["127.0.0.1:9", "127.0.0.2:9"].map(|host| format!("data-part=\"provider route:{host}\""));
    let page = browser.look("/?range=1h&sort=-name");
    assert!(in_order(&page.body, &[&two, &one]), "{}", page.body);
    assert!(page.body.contains("aria-sort=\"descending\"><a href=\"/?range=1h&#38;sort=name\">"));
    assert!(page.body.contains("data-live=\"/live/lanes?range=1h&#38;sort=-name\""));
    assert!(in_order(&browser.look("/?sort=name").body, &[&one, &two]));
    assert!(in_order(&browser.look("/?sort=queue").body, &[&two, &one]));
    assert!(in_order(&browser.look("/?sort=-queue").body, &[&one, &two]));
    let found = browser.look("/?find=127.0.0.2&sort=queue").body;
    assert!(found.contains(&two) && !found.contains(&one), "{found}");
    assert!(found.contains("name=\"sort\" value=\"queue\""), "a search keeps the order");
    assert!(found.contains("href=\"/?range=12h&#38;find=127.0.0.2&#38;sort=queue\""));
    let none = browser.look("/?find=%3Cscript%3Ealert(1)&state=healthy");
    assert!(none.body.contains("No lane matches this") && !none.body.contains("<script>a"));
    assert!(none.body.contains("data-live="), "it comes when it is so");
    let file = browser.look("/export/lanes?format=csv&sort=-name&find=route");
    assert_eq!(
        (file.status, file.field("content-type").as_str()),
        (200, "text/csv; charset=utf-8")
    );
    assert!(file.body.contains("provider,source,state,cap,"), "{}", file.body);
    assert!(in_order(&file.body, &["\nroute:127.0.0.2:9,", "\nroute:127.0.0.1:9,"]));
    assert!(browser.look("/export/lanes?format=jsonl").body.contains("\"state\":\""));
    assert_eq!(browser.look("/export/lanes?format=xls").status, 400);
    let mut bound = Browser::signed_in(&relay, "tina");
    assert_eq!(bound.look("/export/lanes").status, 403);
    assert_eq!(bound.look("/?sort=queue").status, 200);
}

#[test]
fn the_queues_providers_and_people_and_tokens_stand_in_the_order_of_the_address() {
    let relay = Relay::start(&ROUTES);
    waiting(&relay);
    add(&relay, "adam", &["--role", "admin"]);
    add(&relay, "vera", &[]);
    let mut browser = Browser::signed_in(&relay, "adam");
    let [one, two] = ["127.0.0.1", "127.0.0.2"]
        .map(|host| format!("<th scope=\"row\"><a href=\"/queue?provider=route%3A{host}%3A9\">"));
    let page = browser.look("/queue?status=deferred&by=recipients");
    assert!(in_order(&page.body, &[&two, &one]), "{}", page.body);
    assert!(page.body.contains("href=\"/queue?status=deferred&#38;by=-recipients\""));
    assert!(page.body.contains("type=\"hidden\" name=\"by\" value=\"recipients\""));
    assert!(in_order(&browser.look("/queue?by=-recipients").body, &[&one, &two]));

    let [adam, vera] = ["adam", "vera"].map(|name| format!("<a href=\"/audit?who={name}\">"));
    assert!(in_order(&browser.look("/people?people=name").body, &[&adam, &vera]));
    let page = browser.look("/people?people=-name&tokens=used");
    assert!(in_order(&page.body, &[&vera, &adam]), "{}", page.body);
    assert!(page.body.contains("href=\"/people?people=name&#38;tokens=used\""), "{}", page.body);
    // Whoever never signed in stands last, whichever way it goes.
    for order in ["signed-in", "-signed-in"] {
        let page = browser.look(&format!("/people?people={order}"));
        assert!(in_order(&page.body, &[&adam, &vera]), "{order}");
    }
    let found = browser.look("/people?find=view").body;
    assert!(found.contains(&vera) && !found.contains(&adam), "{found}");
    assert!(browser.look("/people?find=nobody").body.contains("Nobody matches this"));
    assert_eq!(Browser::signed_in(&relay, "vera").look("/people?people=name").status, 403);
}

#[test]
fn domains_and_listings_come_as_files_and_in_the_order_of_the_address() {
    let config = "[delivery]\nresolvers = [\"127.0.0.1:9\"]\n[watch]\nblocklists = \"off\"\n\
                  domains = [\"b-mail.com\", \"a-mail.com\"]\n";
    let home = Home::new();
    let file = home.write("postlane.toml", config);
    let relay = home.start(&["--config", &file]);
    add(&relay, "vera", &[]);
    let mut browser = Browser::signed_in(&relay, "vera");
    let page = browser.look("/domains?sort=-domain");
    let rows = ["a", "b"].map(|name| format!("<a href=\"/domains/{name}-mail.com\">"));
    assert!(in_order(&page.body, &[&rows[1], &rows[0]]), "{}", page.body);
    let file = browser.look("/export/domains?format=csv&sort=-domain");
    assert!(
        in_order(&file.body, &["domain,tenants,", "\nb-mail.com,", "\na-mail.com,"]),
        "{}",
        file.body
    );
    let file = browser.look("/export/domains?find=b-m");
    assert!(!file.body.contains("a-mail.com"), "{}", file.body);
    let file = browser.look("/export/listings?format=csv&sort=who");
    assert_eq!((file.status, file.body.contains("subject,list,since,until,")), (200, true));
    assert_eq!(browser.look("/reputation/history?sort=-lasted").status, 200);
    assert_eq!(browser.look("/tests?sort=address&find=x").status, 200);
}

#[test]
fn rehearsals_stand_in_the_order_of_the_address() {
    let relay = Relay::start(&ROUTES);
    add(&relay, "vera", &[]);
    let api = Api::of(&relay);
    for scenario in ["p05-conns-only", "p08-greylist"] {
        let asked = serde_json::json!({"scenario": scenario, "policies": ["oracle"], "seeds": 1});
        assert!(api.post("/v1/rehearsals", &asked).status < 300);
    }
    let mut browser = Browser::signed_in(&relay, "vera");
    let of = |text: &str| format!("<span class=\"under\">{text}</span></td>");
    let [first, second] = ["p05-conns-only", "p08-greylist"].map(of);
    assert!(in_order(&browser.look("/rehearsals").body, &[&second, &first]));
    let page = browser.look("/rehearsals?sort=-made");
    assert!(in_order(&page.body, &[&first, &second]), "{}", page.body);
    assert!(page.body.contains("aria-sort=\"ascending\""), "{}", page.body);
}
