//! The dashboard as a browser meets it: signing in, what each role may, and what pages may do. What
//! only a real browser shows is tested in `app/dashboard/browser`.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Stdio;
use std::time::Instant;

use crate::relay::{PATIENCE, Relay};

const NOWHERE: [&str; 2] = ["--route", "*=127.0.0.1:9"];

pub(crate) const PASSWORD: &str = "correct horse battery";

/// A browser, with the cookie that it holds.
pub(crate) struct Browser<'a> {
    relay: &'a Relay,
    pub(crate) cookie: String,
    proxied: bool,
}

/// What was answered.
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Page {
    pub(crate) fn field(&self, name: &str) -> String {
        let mut fields = self.head.lines().filter_map(|line| line.split_once(": "));
        let found = fields.find(|(field, _)| field.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.to_owned()).unwrap_or_default()
    }

    /// What forms of this page carry.
    pub(crate) fn form_token(&self) -> String {
        let (_, rest) = self.body.split_once(r#"name="form_token" value=""#).unwrap();
        rest.split('"').next().unwrap().to_owned()
    }
}

impl<'a> Browser<'a> {
    pub(crate) fn new(relay: &'a Relay) -> Self {
        Self { relay, cookie: String::new(), proxied: false }
    }

    pub(crate) fn signed_in(relay: &'a Relay, name: &str) -> Self {
        let mut browser = Self::new(relay);
        let page = browser.send("/sign-in", &format!("name={name}&password={PASSWORD}"));
        assert_eq!((page.status, page.field("location").as_str()), (303, "/"), "{}", page.body);
        browser
    }

    pub(crate) fn look(&mut self, path: &str) -> Page {
        self.ask(&format!("GET {path}"), "", "")
    }

    /// Looks until the page says it: history is written a moment after what it tells of.
    pub(crate) fn look_until(&mut self, path: &str, says: &str) -> Page {
        let began = Instant::now();
        loop {
            let page = self.look(path);
            if page.status == 200 && page.body.contains(says) {
                return page;
            }
            assert!(began.elapsed() < PATIENCE, "{says:?} is not on {path}:\n{}", page.body);
            std::thread::yield_now();
        }
    }

    /// Sends a form as a page of ours would.
    pub(crate) fn send(&mut self, path: &str, form: &str) -> Page {
        let origin = format!("Origin: http://{}\r\n", self.relay.http);
        self.ask(&format!("POST {path}"), &origin, form)
    }

    pub(crate) fn ask(&mut self, line: &str, headers: &str, form: &str) -> Page {
        let mut stream = TcpStream::connect(self.relay.http).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let (host, cookie, length) = (self.relay.http, &self.cookie, form.len());
        let by_tls = if self.proxied { "X-Forwarded-Proto: https\r\n" } else { "" };
        let request = format!(
            "{line} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nAccept: text/html\r\n\
             Cookie: {cookie}\r\nContent-Type: application/x-www-form-urlencoded\r\n{by_tls}{headers}\
             Content-Length: {length}\r\n\r\n{}",
            form.replace(' ', "+")
        );
        stream.write_all(request.as_bytes()).unwrap();
        self.hear(stream)
    }

    /// Sends a form with a file in it as a page of ours would.
    pub(crate) fn upload(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let mut stream = TcpStream::connect(self.relay.http).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let part = |(name, text): &(&str, &str)| {
            let file = if *name == "file" { "; filename=\"<b>mail</b>.eml\"" } else { "" };
            let field = format!("Content-Disposition: form-data; name=\"{name}\"{file}");
            format!("--edge\r\n{field}\r\n\r\n{text}\r\n")
        };
        let form: String = fields.iter().map(part).chain(["--edge--\r\n".to_owned()]).collect();
        let (host, cookie, length) = (self.relay.http, &self.cookie, form.len());
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nAccept: text/html\r\n\
             Origin: http://{host}\r\nCookie: {cookie}\r\nContent-Length: {length}\r\n\
             Content-Type: multipart/form-data; boundary=edge\r\n\r\n{form}"
        );
        stream.write_all(request.as_bytes()).unwrap();
        self.hear(stream)
    }

    fn hear(&mut self, mut stream: TcpStream) -> Page {
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let page = Page { status, head: head.to_owned(), body: body.to_owned() };
        let given = page.field("set-cookie");
        if let Some(pair) = given.split(';').next().filter(|pair| !pair.is_empty()) {
            pair.clone_into(&mut self.cookie);
        }
        page
    }
}

/// Makes somebody with the program.
fn user(relay: &Relay, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = relay.home().command(&["user"]);
    let command = command.args(arguments).env("USER", "root");
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = child.spawn().unwrap();
    // A command that reads nothing may have ended already.
    let _ = writeln!(child.stdin.take().unwrap(), "{PASSWORD}");
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

pub(crate) fn add(relay: &Relay, name: &str, more: &[&str]) {
    let (exit, said) = user(relay, &[&["add", name, "--password-stdin"], more].concat());
    assert_eq!(exit, Some(0), "{said}");
}

#[test]
fn the_first_admin_is_made_with_the_token_in_the_file_and_once() {
    let relay = Relay::start(&NOWHERE);
    let path = relay.home().data().join("setup-token");
    let token = fs::read_to_string(&path).unwrap();
    relay.logged(&["event=first-sign-in", "at=http://", "/setup ", "setup-token"]);
    let mut browser = Browser::new(&relay);
    let form = |token: &str| format!("token={token}&name=jo&password={PASSWORD}");
    assert_eq!(browser.look("/").field("location"), "/sign-in");
    assert_eq!(browser.look("/sign-in").field("location"), "/setup");
    assert_eq!(browser.send("/setup", &form("guessed")).status, 403);
    let short = format!("token={}&name=jo&password=short", token.trim());
    assert_eq!(browser.send("/setup", &short).status, 422);
    let made = browser.send("/setup", &form(token.trim()));
    assert_eq!((made.status, made.field("location").as_str()), (303, "/"));
    assert_eq!(browser.look("/").status, 200);
    assert!(!path.exists());
    let mut other = Browser::new(&relay);
    assert_eq!(other.send("/setup", &form(token.trim())).status, 403, "there is an admin");
    // What a restart finds is that somebody can sign in.
    let relay = relay.crash().start(&NOWHERE);
    assert!(!relay.home().data().join("setup-token").exists());
    assert_eq!(Browser::signed_in(&relay, "jo").look("/").status, 200);
}

#[test]
fn whoever_is_signed_in_may_what_their_role_says_and_nothing_else() {
    let relay = Relay::start(&NOWHERE);
    add(&relay, "vera", &[]);
    add(&relay, "olaf", &["--role", "operator"]);
    add(&relay, "tina", &["--role", "operator", "--tenant", "acme"]);
    let order = "/lanes/example.net/order/pause";
    for (name, may) in [("vera", false), ("olaf", true), ("tina", false)] {
        let mut browser = Browser::signed_in(&relay, name);
        let token = browser.look("/").form_token();
        assert_eq!(browser.look(order).status, if may { 200 } else { 403 }, "{name}");
        let done = browser.send(order, &format!("form_token={token}&why=asked"));
        assert_eq!(done.status, if may { 303 } else { 403 }, "{name}: {}", done.body);
    }
    let shown = relay.ask_json(&["audit"]);
    let of = |who: &str, status: u16| {
        let mut rows = shown.iter();
        rows.any(|row| row["who"] == who && row["status"] == status && row["from"] == "127.0.0.1")
    };
    assert!(of("olaf", 200) && of("vera", 403) && of("tina", 403), "{shown:#?}");
    let (exit, said) =
        user(&relay, &["add", "bob", "--role", "admin", "--tenant", "acme", "--password-stdin"]);
    assert_eq!(exit, Some(2), "{said}");
}

#[test]
fn a_viewer_rehearses_and_tests_nothing_and_a_tenant_sees_its_own_alone() {
    let relay = Relay::start(&NOWHERE);
    add(&relay, "vera", &[]);
    add(&relay, "olaf", &["--role", "operator"]);
    add(&relay, "tina", &["--role", "operator", "--tenant", "acme"]);
    let form = |token: &str| {
        format!("form_token={token}&told=scenario&scenario=p05-conns-only&policy-lane=on&seeds=1")
    };
    let mut vera = Browser::signed_in(&relay, "vera");
    let page = vera.look("/rehearsals");
    assert!(!page.body.contains("name=\"scenario\""), "{}", page.body);
    let token = page.form_token();
    assert_eq!(vera.send("/rehearsals", &form(&token)).status, 403);
    assert_eq!(vera.send("/tests", &format!("form_token={token}")).status, 403);
    let mut olaf = Browser::signed_in(&relay, "olaf");
    let token = olaf.look("/rehearsals").form_token();
    assert_eq!(olaf.send("/rehearsals", &form("wrong")).status, 403);
    let begun = olaf.send("/rehearsals", &form(&token));
    assert_eq!((begun.status, begun.field("location").as_str()), (303, "/rehearsals/1"));
    assert_eq!(vera.look("/rehearsals/1").status, 200);
    let mut tina = Browser::signed_in(&relay, "tina");
    for path in ["", "/scenario", "/config", "/outcomes", "/postlane.toml"] {
        assert_eq!(tina.look(&format!("/rehearsals/1{path}")).status, 404, "{path}");
    }
    assert_eq!(tina.look("/live/rehearsals/1").status, 404);
    let token = tina.look("/rehearsals").form_token();
    let own = form(&token) + "&settings=own";
    assert_eq!(tina.send("/rehearsals", &own).status, 403, "settings are everybody's");
    assert_eq!(tina.send("/rehearsals/1", &format!("form_token={token}")).status, 404);
    let tests = tina.look("/tests");
    assert!(tests.body.contains("Tests are not set up"), "{}", tests.body);
    // What the API marks as code is code here, and no backtick is left.
    let says =
        "write <code>domain</code> in [tester], and <code>tests = true</code> in a [[listener]].";
    assert!(tests.body.contains(says), "{}", tests.body);
    let token = olaf.look("/rehearsals/1").form_token();
    let stopped = olaf.send("/rehearsals/1", &format!("form_token={token}"));
    assert_eq!(stopped.status, 303, "{}", stopped.body);
}

#[test]
fn a_form_from_elsewhere_changes_nothing() {
    let relay = Relay::start(&NOWHERE);
    add(&relay, "olaf", &["--role", "operator"]);
    let mut browser = Browser::signed_in(&relay, "olaf");
    let token = browser.look("/").form_token();
    let order = "/lanes/example.net/order/pause";
    assert_eq!(browser.send(order, "form_token=wrong").status, 403);
    assert_eq!(browser.send(order, "why=none").status, 403);
    let right = format!("form_token={token}");
    let post = format!("POST {order}");
    assert_eq!(browser.ask(&post, "Origin: http://evil.example\r\n", &right).status, 403);
    assert_eq!(browser.ask(&post, "Sec-Fetch-Site: cross-site\r\n", &right).status, 403);
    assert_eq!(browser.ask(&post, "", &right).status, 403, "a browser says where a form is from");
    let sign_in = format!("name=olaf&password={PASSWORD}");
    let elsewhere = Browser::new(&relay).ask("POST /sign-in", "Origin: null\r\n", &sign_in);
    assert_eq!(elsewhere.status, 403);
    assert!(!relay.log().contains(" event=lane-ordered "), "{}", relay.log());
}

#[test]
fn a_page_loads_and_runs_nothing_but_our_own() {
    let relay = Relay::start(&NOWHERE);
    add(&relay, "vera", &[]);
    let mut browser = Browser::signed_in(&relay, "vera");
    let page = browser.look("/");
    let policy = page.field("content-security-policy");
    for part in
        ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"]
    {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    assert!(!page.body.contains(" style=") && !page.body.contains(" onclick="), "{}", page.body);
    let again = browser.look("/").field("content-security-policy");
    assert_ne!(policy, again, "each page has a number of its own");
    assert_eq!(page.field("cache-control"), "no-store");
    let (_, rest) = page.body.split_once("<link rel=\"stylesheet\" href=\"").unwrap();
    let style = browser.look(rest.split('"').next().unwrap());
    assert!(style.field("cache-control").contains("immutable"), "{}", style.head);
    let octets = page.body.len() + style.body.len();
    assert!(octets < 100_000, "{octets} octets before they are packed");
}

#[test]
fn who_is_signed_out_or_disabled_sees_no_more() {
    let relay = Relay::start(&NOWHERE);
    add(&relay, "vera", &[]);
    let mut browser = Browser::signed_in(&relay, "vera");
    let held = browser.cookie.clone();
    let token = browser.look("/").form_token();
    let out = browser.send("/sign-out", &format!("form_token={token}"));
    assert_eq!(out.field("location"), "/sign-in?next=out");
    held.clone_into(&mut browser.cookie);
    assert_eq!(browser.look("/").field("location"), "/sign-in", "what was held opens nothing");
    let mut browser = Browser::signed_in(&relay, "vera");
    assert_ne!(browser.cookie, held, "each sign-in has a session of its own");
    assert_eq!(user(&relay, &["disable", "vera"]).0, Some(0));
    assert_eq!(browser.look("/").field("location"), "/sign-in");
    let refused = Browser::new(&relay).send("/sign-in", &format!("name=vera&password={PASSWORD}"));
    assert_eq!(refused.status, 401);
    assert_eq!(user(&relay, &["passwd", "nobody", "--password-stdin"]).0, Some(1));
    let said = user(&relay, &["list", "--json"]).1;
    assert!(said.contains(r#""name":"vera""#) && !said.contains("argon2"), "{said}");
}

#[test]
fn who_guesses_passwords_waits_and_by_tls_the_cookie_is_for_tls() {
    let relay = Relay::start(&NOWHERE);
    add(&relay, "vera", &[]);
    let mut browser = Browser::new(&relay);
    let guess = |browser: &mut Browser<'_>| browser.send("/sign-in", "name=vera&password=guess");
    assert!((0..10).all(|_| guess(&mut browser).status == 401));
    let page = guess(&mut browser);
    assert_eq!(page.status, 429);
    assert!(page.field("retry-after").parse::<u64>().unwrap() <= 60);
    let right = browser.send("/sign-in", &format!("name=vera&password={PASSWORD}"));
    assert_eq!(right.status, 429, "the right one waits, too");
    add(&relay, "olaf", &[]);
    let mut browser = Browser { proxied: true, ..Browser::new(&relay) };
    let page = browser.send("/sign-in", &format!("name=olaf&password={PASSWORD}"));
    let cookie = page.field("set-cookie");
    assert!(cookie.starts_with("__Host-") && cookie.ends_with("; Secure"), "{cookie}");
    assert_eq!(browser.look("/").status, 200);
}

#[test]
fn a_burst_of_guesses_gets_no_further_than_guesses_one_after_the_other() {
    let relay = Relay::start(&NOWHERE);
    add(&relay, "vera", &[]);
    let barrier = std::sync::Barrier::new(40);
    let guess = || {
        let mut browser = Browser::new(&relay);
        barrier.wait();
        browser.send("/sign-in", "name=vera&password=guess").status
    };
    let answers: Vec<u16> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..40).map(|_| scope.spawn(guess)).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let many = |status| answers.iter().filter(|answer| **answer == status).count();
    assert_eq!((many(401), many(429)), (10, 30), "{answers:?}");
}
