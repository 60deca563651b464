//! People, tokens and the audit in the dashboard, and one's own sign-in.

use serde_json::json;

use crate::dashboard::{Browser, PASSWORD, Page, add};
use crate::http::Api;
use crate::relay::Relay;

const NOWHERE: [&str; 2] = ["--route", "*=127.0.0.1:9"];

const OTHER: &str = "another battery staple";

/// Sends a form with what it carries.
fn send(browser: &mut Browser<'_>, address: &str, form: &str) -> Page {
    let token = browser.look("/account").form_token();
    browser.send(address, &format!("form_token={token}&{form}"))
}

fn relay() -> Relay {
    let relay = Relay::start(&NOWHERE);
    add(&relay, "jo", &["--role", "admin"]);
    relay
}

#[test]
fn an_admin_makes_somebody_changes_their_role_and_lets_them_in_no_more() {
    let relay = relay();
    let mut jo = Browser::signed_in(&relay, "jo");
    let form = format!("name=kim&role=viewer&tenant=acme&password={PASSWORD}");
    assert_eq!(send(&mut jo, "/people/new", &form).field("location"), "/people");
    assert_eq!(send(&mut jo, "/people/new", &form).status, 409, "the name is taken");
    let short = send(&mut jo, "/people/new", "name=al&role=viewer&password=short");
    assert_eq!(short.status, 422);
    let bound = format!("name=al&role=admin&tenant=acme&password={PASSWORD}");
    assert_eq!(send(&mut jo, "/people/new", &bound).status, 422);
    let mut kim = Browser::signed_in(&relay, "kim");
    assert!(kim.look("/").body.contains("viewer of acme"));
    assert_eq!(send(&mut jo, "/people/kim/role", "role=operator&tenant=").status, 303);
    assert_eq!(kim.look("/").field("location"), "/sign-in", "another role begins with a sign-in");
    let mut kim = Browser::signed_in(&relay, "kim");
    assert!(kim.look("/").body.contains("<p class=\"muted\">operator</p>"));
    assert_eq!(send(&mut jo, "/people/kim/sign-out", "").status, 303);
    assert_eq!(kim.look("/").field("location"), "/sign-in");
    assert_eq!(send(&mut jo, "/people/kim/password", &format!("password={OTHER}")).status, 303);
    let mut kim = Browser::new(&relay);
    assert_eq!(kim.send("/sign-in", &format!("name=kim&password={PASSWORD}")).status, 401);
    assert_eq!(kim.send("/sign-in", &format!("name=kim&password={OTHER}")).status, 303);
    assert_eq!(send(&mut jo, "/people/kim/disable", "").status, 303);
    assert_eq!(kim.look("/").field("location"), "/sign-in");
    assert!(jo.look("/people").body.contains("disabled since "));
    for lost in ["/people/jo/disable", "/people/jo/role"] {
        let last = send(&mut jo, lost, "role=viewer");
        assert_eq!(last.status, 422, "{lost}");
        assert!(last.body.contains("last admin"), "{}", last.body);
    }
    let audit = relay.ask_json(&["audit"]);
    let told = serde_json::to_string(&audit).unwrap();
    assert!(!told.contains("battery") && !told.contains("argon2"), "no password is told: {told}");
    let wanted = |row: &&serde_json::Value| row["what"] == "POST /v1/users" && row["who"] == "jo";
    assert!(audit.iter().filter(wanted).count() >= 3, "{audit:#?}");
}

#[test]
fn people_tokens_and_the_audit_are_for_admins_alone() {
    let relay = relay();
    add(&relay, "olaf", &["--role", "operator"]);
    add(&relay, "tina", &["--role", "operator", "--tenant", "acme"]);
    for name in ["olaf", "tina"] {
        let mut browser = Browser::signed_in(&relay, name);
        let looked = ["/people", "/people/new", "/people/jo/disable", "/tokens/new", "/audit"];
        for page in looked.into_iter().chain(["/audit/export?format=csv"]) {
            assert_eq!(browser.look(page).status, 403, "{name}: {page}");
        }
        let form = format!("name=mine&role=admin&scopes=admin&password={PASSWORD}");
        for page in ["/people/new", "/people/jo/disable", "/tokens/new", "/tokens/x/revoke"] {
            assert_eq!(send(&mut browser, page, &form).status, 403, "{name}: {page}");
        }
        assert!(!browser.look("/").body.contains("href=\"/people\""), "{name}");
        assert_eq!(browser.look("/account").status, 200);
    }
    let made = Api::of(&relay).post("/v1/tokens", &json!({"name": "op", "scopes": ["operate"]}));
    let token = made.json()["token"].as_str().unwrap().to_owned();
    let operator = Api::with(&relay, &token);
    assert_eq!(operator.get("/v1/users").status, 403);
    let user = json!({"name": "al", "role": "admin", "password": PASSWORD});
    assert_eq!(operator.post("/v1/users", &user).status, 403);
    assert_eq!(operator.post("/v1/users/jo/disable", &json!({})).status, 403);
    let users = Api::of(&relay).get("/v1/users");
    assert!(!users.text().contains("argon2") && users.text().contains(r#""name":"tina""#));
    assert_eq!(Api::of(&relay).post("/v1/users/nobody/disable", &json!({})).status, 404);
    assert_eq!(Api::of(&relay).post("/v1/users/jo/dance", &json!({})).status, 422);
}

#[test]
fn a_token_is_shown_once_and_opens_nothing_when_it_is_revoked() {
    let relay = relay();
    let mut jo = Browser::signed_in(&relay, "jo");
    let made = send(&mut jo, "/tokens/new", "name=shop&scopes=submit%2Bread&tenant=&lasts_s=3600");
    assert_eq!(made.status, 200, "{}", made.body);
    let (_, rest) = made.body.split_once("<code class=\"path\">").unwrap();
    let token = rest.split('<').next().unwrap().to_owned();
    let shop = Api::with(&relay, &token);
    assert_eq!(shop.get("/v1/queue").status, 200);
    let list = jo.look("/people");
    assert!(list.body.contains("submit, read") && !list.body.contains(&token), "{}", list.body);
    assert_eq!(send(&mut jo, "/tokens/shop/revoke", "").status, 303);
    assert_eq!(shop.get("/v1/queue").status, 401);
    assert!(jo.look("/people").body.contains("revoked"));
}

#[test]
fn one_sees_where_one_is_signed_in_signs_out_everywhere_and_takes_another_password() {
    let relay = relay();
    let mut here = Browser::signed_in(&relay, "jo");
    let mut there = Browser::signed_in(&relay, "jo");
    let page = here.look("/account");
    assert_eq!(page.body.matches("this browser").count(), 1);
    assert_eq!(page.body.matches("<th scope=\"row\">127.0.0.1").count(), 2, "{}", page.body);
    assert_eq!(send(&mut here, "/account/sign-out", "").field("location"), "/sign-in?next=out");
    assert_eq!(there.look("/").field("location"), "/sign-in");
    let mut here = Browser::signed_in(&relay, "jo");
    let wrong = send(&mut here, "/account/password", &format!("old=guess&new={OTHER}"));
    assert_eq!(wrong.status, 403);
    assert!(wrong.body.contains("is not right: nothing was changed"), "{}", wrong.body);
    let short = send(&mut here, "/account/password", &format!("old={PASSWORD}&new=short"));
    assert_eq!(short.status, 422);
    let done = send(&mut here, "/account/password", &format!("old={PASSWORD}&new={OTHER}"));
    assert_eq!(done.field("location"), "/sign-in?next=out");
    let again = Browser::new(&relay).send("/sign-in", &format!("name=jo&password={OTHER}"));
    assert_eq!(again.status, 303);
}

#[test]
fn the_audit_is_filtered_and_exported_and_what_was_sent_runs_nowhere() {
    let relay = relay();
    add(&relay, "olaf", &["--role", "operator"]);
    let mut olaf = Browser::signed_in(&relay, "olaf");
    let why = "why=%3Cscript%3Ealert(1)%3C/script%3E";
    send(&mut olaf, "/lanes/example.net/order/pause", why);
    send(&mut olaf, "/people/new", "name=x&role=admin&password=aaaaaaaaaaaaa");
    let mut jo = Browser::signed_in(&relay, "jo");
    let page = jo.look("/audit?who=olaf&outcome=done&text=PAUSE");
    assert!(page.body.contains("POST /v1/lanes/example.net/pause"), "{}", page.body);
    assert!(page.body.contains("&#60;script&#62;alert(1)") && !page.body.contains("<script>alert"));
    assert!(!page.body.contains("/v1/users"), "what was refused is left out");
    let refused = jo.look("/audit?outcome=refused&from=127.0.0.1");
    assert!(refused.body.contains("POST /v1/users") && !refused.body.contains("/pause"));
    assert!(jo.look("/audit?who=nobody").body.contains("No change matches this"));
    assert_eq!(jo.look("/audit?outcome=perhaps").status, 400);
    let file = jo.look("/audit/export?format=csv&who=olaf");
    assert_eq!(file.field("content-disposition"), "attachment; filename=\"audit.csv\"");
    assert!(file.body.contains("olaf,127.0.0.1,") && file.body.contains("/pause"), "{}", file.body);
    assert!(!file.body.contains(",jo,"), "{}", file.body);
}
