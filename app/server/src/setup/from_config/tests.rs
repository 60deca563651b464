//! What an operator writes reaches what it governs.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use base64::Engine as _;
use postlane_engine::Ceilings;
use postlane_mail::Host;
use postlane_net::tls::Minimum;
use postlane_smtp::client::TlsPolicy;

use super::*;
use crate::config::{Overrides, explanations};

fn config(text: &str) -> Config {
    Config::parse(text, None, &Overrides::default()).unwrap_or_else(|e| panic!("{text}\n{e}"))
}

fn setup(text: &str) -> Setup {
    Setup::of(&config(text))
}

/// All that a setup says, what is not shown too.
fn all_of(setup: &Setup) -> String {
    let secrets = setup.users.iter().map(|u| format!("{} {} {:?}", u.name, u.verifier, u.tenant));
    format!("{setup:?} {}", secrets.collect::<Vec<_>>().join(" "))
}

/// Files that settings name.
struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Self {
        let files = Self(tempfile::tempdir().unwrap());
        for name in ["a", "b"] {
            let made = rcgen::generate_simple_self_signed(["mx.example".to_owned()]).unwrap();
            files.write(&format!("{name}.cert"), &made.cert.pem());
            files.write(&format!("{name}.key"), &made.signing_key.serialize_pem());
            let key = aws_lc_rs::signature::Ed25519KeyPair::generate().unwrap();
            let key =
                base64::engine::general_purpose::STANDARD.encode(key.to_pkcs8().unwrap().as_ref());
            files.write(
                &format!("{name}.dkim"),
                &format!("-----BEGIN PRIVATE KEY-----\n{key}\n-----END PRIVATE KEY-----\n"),
            );
            files.let_nobody_read(&format!("{name}.dkim"));
            files.write(&format!("{name}.listkey"), &format!("{name}1234567890\n"));
            files.let_nobody_read(&format!("{name}.listkey"));
            let verifier = crate::config::settings::verifier_of(name);
            files.write(&format!("{name}.scram"), &format!("{verifier}\n"));
        }
        files.write("rules.toml", RULES);
        files
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.path().join(name), text).unwrap();
    }

    fn let_nobody_read(&self, name: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(self.0.path().join(name), mode).unwrap();
    }

    /// A text in which `$` stands for the folder.
    fn name(&self, text: &str) -> String {
        text.replace('$', self.0.path().to_str().unwrap())
    }
}

/// A rule of an operator's own.
const RULES: &str = "[[rule]]\nid = \"a\"\nlabel = \"policy\"\nsays = [\"gremlins\"]\nsource = \"s\"\n\
                     seen = \"2026\"\nexamples = [\"550 gremlins\"]\n";

/// Each setting, with what else must be written for it, and two values that are not the same.
const TWO_VALUES: &[(&str, &str, &str, &str)] = &[
    ("relay.hostname", "", "\"a.example\"", "\"b.example\""),
    ("relay.networks", "", "[]", "[\"10.0.0.0/8\"]"),
    ("relay.own_domains", "", "[]", "[\"own.example\"]"),
    ("relay.postmaster", "", "\"a@a.example\"", "\"b@a.example\""),
    ("relay.bare_newlines", "", "\"refuse\"", "\"normalise\""),
    ("relay.shutdown_wait", "", "\"1m\"", "\"2m\""),
    ("limits.sessions", "", "300", "301"),
    ("limits.sessions_per_client", "", "7", "8"),
    ("limits.session_messages", "", "7", "8"),
    ("limits.idle_commands", "", "17", "18"),
    ("limits.errors", "", "7", "8"),
    ("limits.logins", "", "7", "8"),
    ("limits.failed_logins", "", "\"7/m\"", "\"8/m\""),
    ("limits.recipients", "", "107", "108"),
    ("limits.command_line", "", "\"1KiB\"", "\"2KiB\""),
    ("limits.auth_line", "", "\"1KiB\"", "\"2KiB\""),
    ("limits.message_size", "", "\"1MiB\"", "\"2MiB\""),
    ("limits.message_line", "", "\"1KiB\"", "\"2KiB\""),
    ("limits.header_size", "", "\"64KiB\"", "\"65KiB\""),
    ("limits.header_fields", "", "200", "201"),
    ("limits.hops", "", "100", "101"),
    ("limits.idle", "", "\"5m\"", "\"6m\""),
    ("limits.transaction_time", "", "\"5m\"", "\"6m\""),
    ("limits.session_time", "", "\"1h\"", "\"2h\""),
    ("limits.body_memory", "", "\"100MiB\"", "\"101MiB\""),
    ("message.remove_headers", "", "[]", "[\"X-Mailer\"]"),
    ("message.hide_inner_received", "", "true", "false"),
    ("message.hide_client", "", "true", "false"),
    ("spool.dir", "", "\"a\"", "\"b\""),
    ("spool.segment_size", "", "\"64MiB\"", "\"65MiB\""),
    ("spool.free_min", "", "\"64MiB\"", "\"65MiB\""),
    ("spool.backlog", "", "\"64MiB\"", "\"65MiB\""),
    ("spool.body_cache", "", "\"64MiB\"", "\"65MiB\""),
    ("lane.max_connections", "", "7", "8"),
    ("lane.max_connections_per_source", "", "7", "8"),
    ("lane.max_msgs_per_minute", "", "7", "8"),
    ("lane.max_msgs_per_minute_per_source", "", "7", "8"),
    ("lane.max_rate", "", "\"off\"", "\"7/m\""),
    ("lane.max_rate_per_source", "", "\"off\"", "\"7/m\""),
    ("lane.max_msgs_per_connection", "", "7", "8"),
    ("lane.retry_backoff", "", "\"7m\"", "\"8m\""),
    ("lane.retry_max_age", "", "\"7h\"", "\"8h\""),
    ("lane.hold_new_when_deferred_older_than", "", "\"7h\"", "\"8h\""),
    ("lane.bands", "", "{ healthy = 0.02 }", "{ healthy = 0.01 }"),
    ("lane.learning", "", "\"on\"", "\"off\""),
    ("lane.idle", "", "\"7s\"", "\"8s\""),
    ("delivery.sessions", "", "7", "8"),
    ("delivery.session_depth", "", "1", "2"),
    ("delivery.bdat", "", "true", "false"),
    ("delivery.transaction_recipients", "", "7", "8"),
    ("delivery.tls", "", "\"opportunistic\"", "\"required\""),
    ("delivery.tls_min", "", "\"1.2\"", "\"1.3\""),
    ("delivery.resolvers", "", "[]", "[\"127.0.0.1:53\"]"),
    ("delivery.mx_port", "", "25", "26"),
    ("timeout.connect", "", "\"7s\"", "\"8s\""),
    ("timeout.greeting", "", "\"7s\"", "\"8s\""),
    ("timeout.command", "", "\"7s\"", "\"8s\""),
    ("timeout.mail", "", "\"7s\"", "\"8s\""),
    ("tls_policy.mta_sts", "", "true", "false"),
    ("tls_policy.dane", "", "\"off\"", "\"always\""),
    ("tls_policy.count", "", "true", "false"),
    ("https.map", "", "{}", "{ \"mta-sts.a.example:443\" = \"127.0.0.1:8443\" }"),
    ("https.extra_roots", "", "[]", "[\"$/a.cert\"]"),
    ("https.timeout", "", "\"7s\"", "\"8s\""),
    ("timeout.rcpt", "", "\"7s\"", "\"8s\""),
    ("timeout.data", "", "\"7s\"", "\"8s\""),
    ("timeout.block", "", "\"7s\"", "\"8s\""),
    ("timeout.dot", "", "\"7s\"", "\"8s\""),
    ("timeout.quit", "", "\"7s\"", "\"8s\""),
    ("retry.first", "", "\"7m\"", "\"8m\""),
    ("retry.factor", "", "\"150%\"", "\"160%\""),
    ("retry.longest", "", "\"7h\"", "\"8h\""),
    ("retry.jitter", "", "\"7%\"", "\"8%\""),
    ("expire.transactional", "", "\"7h\"", "\"8h\""),
    ("expire.engaged", "", "\"7h\"", "\"8h\""),
    ("engagement.dormant_after", "", "\"100d\"", "\"200d\""),
    ("engagement.dormant", "", "\"last\"", "\"refused\""),
    ("engagement.longest_wait", "", "\"1h\"", "\"2h\""),
    ("expire.cold", "", "\"7h\"", "\"8h\""),
    ("report.delay_notice", "", "\"off\"", "\"8h\""),
    ("report.returns", "", "\"full\"", "\"headers\""),
    ("report.return_size", "", "\"7KiB\"", "\"8KiB\""),
    ("suppression.refusals", "", "1", "2"),
    ("suppression.no_such_user", "", "\"7h\"", "\"off\""),
    ("suppression.mailbox_disabled", "", "\"7h\"", "\"8h\""),
    ("suppression.mailbox_moved", "", "\"7h\"", "\"8h\""),
    ("suppression.not_accepting_mail", "", "\"7h\"", "\"8h\""),
    ("suppression.domain_not_found", "", "\"7h\"", "\"8h\""),
    ("suppression.scope", "", "\"all\"", "\"tenant\""),
    ("suppression.entries", "", "7000", "8000"),
    ("ledger.on", "", "true", "false"),
    ("ledger.dir", "", "\"$/a\"", "\"$/b\""),
    ("ledger.keep_for", "", "\"2d\"", "\"3d\""),
    ("ledger.size", "", "\"1GiB\"", "\"2GiB\""),
    ("ledger.refused_samples", "", "10", "20"),
    ("ledger.accepted_samples", "", "10", "20"),
    ("ledger.addresses", "", "\"full\"", "\"domain\""),
    ("ledger.backlog", "", "\"2MiB\"", "\"3MiB\""),
    ("replies.rules", "", "[]", "[\"$/rules.toml\"]"),
    ("http.address", "", "\"127.0.0.1:1\"", "\"127.0.0.1:2\""),
    ("http.rate", "", "\"7/s\"", "\"8/s\""),
    ("http.burst", "", "7", "8"),
    ("http.failures", "", "\"7/m\"", "\"8/m\""),
    ("webhooks.private_addresses", "", "false", "true"),
    ("webhooks.timeout", "", "\"7s\"", "\"8s\""),
    ("webhooks.batch", "", "7", "8"),
    ("webhooks.at_once", "", "7", "8"),
    ("webhooks.pause_after", "", "\"7h\"", "\"8h\""),
    ("preflight.policy", "", "\"off\"", "\"hold\""),
    ("preflight.hold_streams", "", "[\"cold\"]", "[\"engaged\"]"),
    ("preflight.every", "", "\"10m\"", "\"20m\""),
    ("preflight.recheck", "", "\"2m\"", "\"3m\""),
    ("preflight.one_in", "", "7", "8"),
    ("preflight.message_size", "", "\"2MiB\"", "\"3MiB\""),
    ("preflight.backlog", "", "\"2MiB\"", "\"3MiB\""),
    ("preflight.domains", "", "700", "800"),
    ("incidents.on", "", "true", "false"),
    ("incidents.every", "", "\"70s\"", "\"80s\""),
    ("incidents.window", "", "\"20m\"", "\"30m\""),
    ("watch.blocklists", "", "\"on\"", "\"off\""),
    ("watch.records", "", "true", "false"),
    ("watch.records_every", "", "\"2h\"", "\"3h\""),
    ("watch.domains", "", "[\"example.com\"]", "[\"example.org\"]"),
    ("watch.addresses", "", "[\"1.2.3.4\"]", "[\"1.2.3.5\"]"),
    ("watch.critical_every", "", "\"20m\"", "\"30m\""),
    ("watch.every", "", "\"2h\"", "\"3h\""),
    ("watch.delisting_after", "", "\"20m\"", "\"40m\""),
    ("watch.questions_per_minute", "", "20", "30"),
    ("watch.questions_per_day", "", "200", "300"),
    ("blocklist.list", "ask = false\n", "\"spamhaus-zen\"", "\"spamcop\""),
    ("blocklist.ask", "list = \"spamhaus-zen\"\n", "true", "false"),
    ("blocklist.key_file", "list = \"spamhaus-zen\"\n", "\"$/a.listkey\"", "\"$/b.listkey\""),
    ("tester.domain", "", "\"a.example\"", "\"b.example\""),
    ("tester.link", "", "\"https://a.example\"", "\"https://b.example\""),
    ("tester.message_size", "", "\"1MiB\"", "\"2MiB\""),
    ("tester.messages", "", "7", "8"),
    ("tester.per_client", "", "\"7/h\"", "\"8/h\""),
    ("tester.expires", "", "\"7h\"", "\"8h\""),
    ("tester.keep_for", "", "\"7h\"", "\"8h\""),
    ("tester.tests", "", "7", "8"),
    ("tester.size", "", "\"1GiB\"", "\"2GiB\""),
    ("log.accepted", "", "true", "false"),
    ("log.attempts", "", "true", "false"),
    ("log.addresses", "", "\"full\"", "\"hash\""),
    ("log.output", "", "\"stderr\"", "\"stdout\""),
    ("log.backlog", "", "\"1MiB\"", "\"2MiB\""),
    ("listener.address", "", "\"127.0.0.1:25\"", "\"127.0.0.1:26\""),
    ("listener.tls", LISTENER_FILES, "\"none\"", "\"implicit\""),
    ("listener.cert", LISTENER_CERT, "\"$/a.cert\"", "\"$/a2.cert\""),
    ("listener.key", LISTENER_KEY, "\"$/a.key\"", "\"$/a2.key\""),
    ("listener.auth", LISTENER_USER, "\"optional\"", "\"off\""),
    ("listener.auth_without_tls", LISTENER_USER, "\"never\"", "\"loopback\""),
    ("listener.proxy_protocol_from", LISTENER, "[]", "[\"10.0.0.0/8\"]"),
    ("listener.tests", LISTENER_TESTS, "true", "false"),
    ("listener.tenant", LISTENER_TENANT, "\"a\"", "\"b\""),
    ("credential.user", "password_file = \"$/a.scram\"\n", "\"a\"", "\"b\""),
    ("credential.password_scram", "user = \"jo\"\n", "\"$A\"", "\"$B\""),
    ("credential.password_file", "user = \"jo\"\n", "\"$/a.scram\"", "\"$/b.scram\""),
    ("credential.tenant", CREDENTIAL_TENANT, "\"a\"", "\"b\""),
    ("tenant.name", "", "\"a\"", "\"b\""),
    ("tenant.bounce", "name = \"a\"\n", "\"sender\"", "\"event\""),
    ("tenant.bounce_address", "name = \"a\"\n", "\"a@b.example\"", "\"b@b.example\""),
    ("tenant.verp", "name = \"a\"\nbounce_address = \"a@b.example\"\n", "true", "false"),
    ("tenant.pool", TENANT_POOLS, "\"a\"", "\"b\""),
    ("source.name", "address = \"192.0.2.1\"\n", "\"a\"", "\"b\""),
    ("source.address", "name = \"a\"\n", "\"192.0.2.1\"", "\"192.0.2.2\""),
    ("source.ehlo", "name = \"a\"\naddress = \"::\"\n", "\"a.example\"", "\"b.example\""),
    ("source.seen_as", "name = \"a\"\naddress = \"10.0.0.1\"\n", "\"192.0.2.1\"", "\"192.0.2.2\""),
    ("pool.name", "sources = [\"default-v4\"]\n", "\"a\"", "\"b\""),
    ("pool.sources", "name = \"a\"\n", "[\"default-v4\"]", "[\"default-v6\"]"),
    ("lane.NAME.name", "max_connections = 3\n", "\"google\"", "\"yahoo\""),
    ("lane.NAME.max_connections", "", "7", "8"),
    ("lane.NAME.max_connections_per_source", "", "7", "8"),
    ("lane.NAME.max_msgs_per_minute", "", "7", "8"),
    ("lane.NAME.max_msgs_per_minute_per_source", "", "7", "8"),
    ("lane.NAME.max_rate", "", "\"7/m\"", "\"8/m\""),
    ("lane.NAME.max_rate_per_source", "", "\"7/m\"", "\"8/m\""),
    ("lane.NAME.max_msgs_per_connection", "", "7", "8"),
    ("lane.NAME.max_recipients_per_transaction", "", "7", "8"),
    ("lane.NAME.retry_backoff", "", "\"7m\"", "\"8m\""),
    ("lane.NAME.retry_max_age", "", "\"7h\"", "\"8h\""),
    ("lane.NAME.hold_new_when_deferred_older_than", "", "\"7h\"", "\"8h\""),
    ("lane.NAME.restart", "", "{ days = [7] }", "{ days = [8] }"),
    ("lane.NAME.bands", "", "{ healthy = 0.02 }", "{ healthy = 0.01 }"),
    ("lane.NAME.route", LANE_POOLS, "\"pool:a\"", "\"pool:b\""),
    ("lane.NAME.families_off", "", "[]", "[\"ipv6\"]"),
    ("lane.NAME.tls", "", "\"opportunistic\"", "\"required\""),
    ("lane.NAME.tls_min", "", "\"1.2\"", "\"1.3\""),
    ("lane.NAME.preflight", "", "\"off\"", "\"hold\""),
    ("dkim.domain", DKIM, "\"a.example\"", "\"b.example\""),
    ("dkim.selector", DKIM_SELECTOR, "\"a\"", "\"b\""),
    ("dkim.key_file", DKIM_KEY, "\"$/a.dkim\"", "\"$/b.dkim\""),
    ("dkim.tenant", DKIM_TENANT, "\"a\"", "\"b\""),
    ("dkim.subdomains", DKIM_REST, "true", "false"),
    ("dkim.from", DKIM_REST, "\"2026-12-01\"", "\"2026-12-02\""),
    ("dkim.until", DKIM_REST, "\"2026-12-01\"", "\"2026-12-02\""),
    ("dkim.expires", DKIM_REST, "\"8d\"", "\"9d\""),
    ("unsubscribe.campaign", WAYS, "\"a\"", "\"b\""),
    ("unsubscribe.tenant", WAYS_TENANT, "\"a\"", "\"b\""),
    ("unsubscribe.stream", WAYS, "\"engaged\"", "\"cold\""),
    ("unsubscribe.ways", "", "[\"https://a.example/\"]", "[\"https://b.example/\"]"),
    ("unsubscribe.one_click", WAYS, "true", "false"),
    ("domain.name", "tls = \"required\"\n", "\"a.example\"", "\"b.example\""),
    ("domain.tls", "name = \"a.example\"\n", "\"opportunistic\"", "\"required\""),
    ("domain.tls_min", "name = \"a.example\"\n", "\"1.2\"", "\"1.3\""),
    ("domain.ca_file", DOMAIN, "\"$/a.cert\"", "\"$/b.cert\""),
    ("route.pattern", "to = \"h.example:25\"\n", "\"a.example\"", "\"b.example\""),
    ("route.to", "pattern = \"*\"\n", "\"a.example:25\"", "\"b.example:25\""),
    ("route.tls", ROUTE, "\"never\"", "\"implicit\""),
    ("route.user", ROUTE_PASSWORD, "\"a\"", "\"b\""),
    ("route.password_file", ROUTE_USER, "\"$/a.scram\"", "\"$/b.scram\""),
    ("route.password_env", ROUTE_USER, "\"PATH\"", "\"HOME\""),
    ("route.lane", ROUTE, "\"route\"", "\"provider\""),
];

const DKIM: &str = "selector = \"a\"\nkey_file = \"$/a.dkim\"\n";
const DKIM_SELECTOR: &str = "domain = \"a.example\"\nkey_file = \"$/a.dkim\"\n";
const DKIM_KEY: &str = "domain = \"a.example\"\nselector = \"a\"\n";
const DKIM_REST: &str = "domain = \"a.example\"\nselector = \"a\"\nkey_file = \"$/a.dkim\"\n";
const DKIM_TENANT: &str = "domain = \"a.example\"\nselector = \"a\"\nkey_file = \"$/a.dkim\"\n\
                           #[[tenant]]\nname = \"a\"\n[[tenant]]\nname = \"b\"\n";
const WAYS: &str = "ways = [\"https://a.example/\"]\n";
const WAYS_TENANT: &str = "ways = [\"https://a.example/\"]\n\
                           #[[tenant]]\nname = \"a\"\n[[tenant]]\nname = \"b\"\n";
const LISTENER: &str = "address = \"127.0.0.1:25\"\n";
const LISTENER_FILES: &str = "address = \"127.0.0.1:25\"\ncert = \"$/a.cert\"\nkey = \"$/a.key\"\n";
const LISTENER_CERT: &str = "address = \"127.0.0.1:25\"\ntls = \"implicit\"\nkey = \"$/a.key\"\n";
const LISTENER_KEY: &str = "address = \"127.0.0.1:25\"\ntls = \"implicit\"\ncert = \"$/a.cert\"\n";
/// Behind the entry that is looked at stands what it refers to.
const LISTENER_USER: &str = "address = \"127.0.0.1:25\"\n#[[credential]]\nuser = \"jo\"\n\
                             password_file = \"$/a.scram\"\n";
const LISTENER_TENANT: &str = "address = \"127.0.0.1:25\"\n#[[tenant]]\nname = \"a\"\n\
                               [[tenant]]\nname = \"b\"\n";
const LISTENER_TESTS: &str = "address = \"127.0.0.1:25\"\n#[tester]\ndomain = \"t.example\"\n";
const CREDENTIAL_TENANT: &str = "user = \"jo\"\npassword_file = \"$/a.scram\"\n\
                                 #[[tenant]]\nname = \"a\"\n[[tenant]]\nname = \"b\"\n";
const TENANT_POOLS: &str = "name = \"a\"\n#[[pool]]\nname = \"a\"\nsources = [\"default-v4\"]\n\
                            [[pool]]\nname = \"b\"\nsources = [\"default-v6\"]\n";
const LANE_POOLS: &str = "#[[pool]]\nname = \"a\"\nsources = [\"default-v4\"]\n\
                          [[pool]]\nname = \"b\"\nsources = [\"default-v6\"]\n";
const DOMAIN: &str = "name = \"a.example\"\ntls = \"required\"\n";
const ROUTE: &str = "pattern = \"*\"\nto = \"h.example:25\"\n";
const ROUTE_PASSWORD: &str =
    "pattern = \"*\"\nto = \"h.example:25\"\npassword_file = \"$/a.scram\"\n";
const ROUTE_USER: &str = "pattern = \"*\"\nto = \"h.example:25\"\nuser = \"jo\"\n";

/// A setting in a file of its own.
fn written(files: &Files, name: &str, with: &str, value: &str) -> String {
    let (section, key) = name.rsplit_once('.').unwrap();
    const LISTS: [&str; 10] = [
        "blocklist",
        "listener",
        "credential",
        "tenant",
        "source",
        "pool",
        "domain",
        "route",
        "dkim",
        "unsubscribe",
    ];
    let header = match LISTS.contains(&section) {
        true => format!("[[{section}]]"),
        // The name is what stands in the brackets.
        false if key == "name" => return format!("[lane.{value}]\n{with}"),
        false => format!("[{}]", section.replace("NAME", "google")),
    };
    let (with, behind) = with.split_once('#').unwrap_or((with, ""));
    let scram = |name| std::fs::read_to_string(files.0.path().join(name)).unwrap();
    // A secret may have "$B" in it by chance, so the two are never looked for in the same text.
    let value = match value.contains("$A") {
        true => value.replace("$A", scram("a.scram").trim()),
        false => value.replace("$B", scram("b.scram").trim()),
    };
    let value = if value.contains("SCRAM") { value } else { files.name(&value) };
    format!("{header}\n{}{key} = {value}\n{}", files.name(with), files.name(behind))
}

#[test]
fn every_setting_reaches_what_it_governs() {
    let files = Files::new();
    for name in ["cert", "key"] {
        let path = |name: &str| files.0.path().join(name);
        std::fs::copy(path(&format!("a.{name}")), path(&format!("a2.{name}"))).unwrap();
    }
    let declared: BTreeSet<String> = explanations(None)
        .unwrap()
        .iter()
        .map(|setting| setting["setting"].as_str().unwrap().to_owned())
        .collect();
    let here: BTreeSet<String> = TWO_VALUES.iter().map(|(name, ..)| (*name).to_owned()).collect();
    assert_eq!(declared, here, "each setting is in the table, and no other");
    for (name, with, one, other) in TWO_VALUES {
        let all = |value| all_of(&setup(&written(&files, name, with, value)));
        assert_eq!(all(one), all(one), "{name}");
        assert_ne!(all(one), all(other), "{name} governs nothing");
    }
}

#[test]
fn what_is_said_nowhere_is_what_libraries_hold_by_themselves() {
    let setup = Setup::of(&Config::default());
    assert_eq!(format!("{:?}", setup.limits), format!("{:?}", Limits::default()));
    assert_eq!(format!("{:?}", setup.timeouts), format!("{:?}", Timeouts::default()));
    let spool = postlane_spool::Settings::default();
    assert_eq!(format!("{:?}", setup.spool), format!("{spool:?}"));
    let edits = Edits::new(setup.hostname.clone());
    assert_eq!(format!("{:?}", setup.edits), format!("{edits:?}"));
    assert_eq!(setup.tls, TlsSetup::default());
}

#[test]
fn nobody_is_asked_for_a_password_that_nobody_has() {
    assert_eq!(Setup::of(&Config::default()).listeners[0].auth, AuthSetup::Off);
    let verifier = crate::config::settings::verifier_of("pencil");
    let user = format!("[[credential]]\nuser = \"jo\"\npassword_scram = \"{verifier}\"\n");
    assert_eq!(setup(&user).listeners[0].auth, AuthSetup::Optional);
}

#[test]
fn a_provider_has_what_lanes_have_and_what_is_known_of_it_where_it_says_nothing() {
    let setup = setup(
        "[lane]\nmax_connections_per_source = 9\nmax_rate_per_source = \"5/m\"\n\
         [lane.google]\nmax_rate_per_source = \"off\"\n[lane.aol]\ntls_min = \"1.3\"\n\
         [lane.icloud]\nmax_connections_per_source = 50\n",
    );
    let ceilings = |provider: &str| {
        let rules = setup.lanes.providers.get(provider).unwrap_or(&setup.lanes.all);
        let Ceilings { connections, rate, session_messages } = rules.ceilings(Ceilings::WIDEST);
        (connections, rate.map(|rate| rate.to_string()), session_messages)
    };
    let slow = || Some("5/m".to_owned());
    assert_eq!(ceilings("example.com"), (9, slow(), 100));
    assert_eq!(ceilings("google"), (5, None, 50));
    assert_eq!(ceilings("yahoo"), (9, slow(), 20));
    assert_eq!(ceilings("comcast"), (9, slow(), 100));
    assert_eq!(ceilings("icloud"), (50, slow(), 5));
}

#[test]
fn a_provider_goes_by_its_pool_and_parts_of_its_mail_have_ceilings_inside() {
    let setup = setup(
        "[[pool]]\nname = \"a\"\nsources = [\"default-v4\"]\n\
         [[pool]]\nname = \"german\"\nsources = [\"default-v6\"]\n\
         [lane.\"web.de\"]\nmax_connections = 1\nroute = \"pool:german\"\n\
         [lane.\"domain:gmx.de\"]\nmax_msgs_per_minute = 2\n\
         [lane.\"pool:german\"]\nmax_connections = 3\n",
    );
    assert_eq!(setup.lanes.pools.get("united-internet"), Some(&1));
    let inside: Vec<String> = setup.lanes.inside.iter().map(|i| i.name.to_string()).collect();
    assert_eq!(inside, ["domain:gmx.de", "pool:german"]);
}

#[test]
fn a_domain_beats_its_provider_and_a_provider_beats_the_rest() {
    let setup = setup(
        "[lane.google]\ntls = \"required\"\ntls_min = \"1.3\"\n\
         [[domain]]\nname = \"soft.example\"\ntls = \"opportunistic\"\n",
    );
    let host = |name| Host::parse(name).unwrap();
    let tls = |name, provider| {
        let TlsSetup { policy, minimum, .. } = setup.tls_for(&host(name), provider);
        (policy, minimum)
    };
    assert_eq!(tls("a.example", "yahoo"), (TlsPolicy::Opportunistic, Minimum::V12));
    assert_eq!(tls("[192.0.2.1]", "google"), (TlsPolicy::Required, Minimum::V13));
    assert_eq!(tls("soft.example", "google"), (TlsPolicy::Opportunistic, Minimum::V13));
}

fn addresses(setup: &Setup) -> Vec<SocketAddr> {
    setup.listeners.iter().map(|listener| listener.address).collect()
}

#[test]
fn until_a_restart_doors_and_sources_stay_and_the_rest_is_new() {
    let started = config(
        "[spool]\ndir = \"a\"\n[[listener]]\naddress = \"127.0.0.1:25\"\n\
         [[listener]]\naddress = \"127.0.0.1:26\"\n\
         [[source]]\nname = \"a\"\naddress = \"192.0.2.1\"\n\
         [[source]]\nname = \"b\"\naddress = \"192.0.2.2\"\n\
         [[pool]]\nname = \"p\"\nsources = [\"a\", \"b\"]\n",
    );
    let new = config(
        "[spool]\ndir = \"b\"\n[lane]\nmax_connections = 3\n\
         [[listener]]\naddress = \"127.0.0.1:27\"\n\
         [[listener]]\naddress = \"127.0.0.1:26\"\nproxy_protocol_from = [\"10.0.0.0/8\"]\n\
         [[source]]\nname = \"b\"\naddress = \"192.0.2.2\"\nehlo = \"b.example\"\n\
         [[source]]\nname = \"c\"\naddress = \"192.0.2.3\"\n\
         [[pool]]\nname = \"q\"\nsources = [\"c\"]\n\
         [[pool]]\nname = \"p\"\nsources = [\"b\", \"c\"]\n\
         [[tenant]]\nname = \"t\"\npool = \"q\"\n",
    );
    let names = |names: Vec<crate::config::SettingName>| -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    };
    assert_eq!(
        names(Config::changes_needing_restart(&started, &new)),
        [
            "listener.address",
            "listener.proxy_protocol_from",
            "pool.name",
            "pool.sources",
            "source.address",
            "source.ehlo",
            "source.name",
            "spool.dir",
            "tenant.pool",
        ]
    );
    let (before, after) = (Setup::of(&started), Setup::of(&new.until_restart(&started)));
    assert_eq!(after.data, before.data);
    assert_eq!(addresses(&after), addresses(&before));
    assert_eq!(after.listeners[1].balancers.len(), 1);
    let named = |setup: &Setup| -> Vec<String> {
        setup.sources.iter().map(|source| source.name.clone()).collect()
    };
    assert_eq!(named(&after), named(&before));
    assert_eq!(after.sources[1].ehlo.as_str(), "b.example");
    assert_eq!(after.pools[0].sources, before.pools[0].sources);
    assert_eq!(after.tenants[&Label::parse("t").unwrap()].pool, 0);
    assert_eq!(after.lanes.all.together.connections.unwrap().get(), 3);
}

#[test]
fn rules_of_ones_own_are_asked_and_refused_when_they_are_wrong() {
    let files = Files::new();
    let written = files.name("[replies]\nrules = [\"$/rules.toml\"]\n");
    let ruled = setup(&written);
    assert_eq!(ruled.rules.book().rules()[0].name().as_str(), "rules/a");
    files.write("rules.toml", &RULES.replace("550 gremlins", "550 user unknown"));
    let refused = |text: &str| Config::parse(text, None, &Overrides::default()).unwrap_err();
    assert!(refused(&written).to_string().contains("does not decide its example"));
    files.write("rules.toml", &RULES.replace("policy", "politics"));
    assert!(refused(&written).to_string().contains("there is no label"));
    std::fs::remove_file(files.0.path().join("rules.toml")).unwrap();
    assert!(refused(&written).to_string().contains("name a file with rules"));
}

#[test]
fn a_reload_makes_the_rules_anew_only_if_they_are_others() {
    let files = Files::new();
    let written = files.name("[replies]\nrules = [\"$/rules.toml\"]\n");
    let used = setup(&written).rules;
    let made = |rules: &Rules| std::ptr::from_ref(rules.book());
    assert_eq!(made(&setup(&written).rules.or_same(&used)), made(&used));
    files.write("rules.toml", &RULES.replace("gremlins", "goblins"));
    assert_ne!(made(&setup(&written).rules.or_same(&used)), made(&used));
}
