//! What a person who writes a configuration can rely on.

use std::path::{Path, PathBuf};

use super::settings::Learning;
use super::*;

fn read(text: &str) -> Result<Config, Findings> {
    read_with(text, &Overrides::default())
}

fn read_with(text: &str, overrides: &Overrides) -> Result<Config, Findings> {
    Config::parse(text, Some(Path::new("postlane.toml")), overrides).map_err(|error| match error {
        ConfigError::Wrong(findings) => findings,
        other => panic!("{other}"),
    })
}

fn lines(text: &str) -> Vec<String> {
    match read(text) {
        Ok(config) => config.warnings().lines().collect(),
        Err(findings) => findings.lines().collect(),
    }
}

/// Compares with a golden file, or writes it anew with `POSTLANE_BLESS=1`.
fn golden(path: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("POSTLANE_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    let name = path.display();
    assert_eq!(text, written, "{name} differs: write it anew with POSTLANE_BLESS=1, and read it");
}

#[test]
fn nothing_written_is_a_configuration_without_doubts() {
    let config = Config::default();
    assert!(config.warnings().is_empty(), "{}", config.warnings());
    let names: Vec<&str> = config.sources.iter().map(|source| &*source.name).collect();
    assert_eq!(names, ["default-v4", "default-v6"]);
    assert_eq!(config.pools[0].sources.len(), 2);
    assert_eq!(config.listeners[0].address.to_string(), "127.0.0.1:2525");
}

#[test]
fn every_default_lies_within_its_bounds() {
    let config = Config::default();
    for setting in config.effective().iter().filter(|setting| !setting.value.is_empty()) {
        let name = setting.name;
        let (key, value) = (name.key, &setting.value);
        if value == "none" || setting.number.is_some() {
            continue;
        }
        let text = format!("[{}]\n{key} = {value}\n", name.section);
        assert!(read(&text).is_ok(), "{text}{}", read(&text).unwrap_err());
    }
}

#[test]
fn all_that_is_wrong_is_found_at_once() {
    let wrong = include_str!("../../tests/config/wrong.toml");
    let findings = Config::parse(wrong, Some(Path::new("wrong.toml")), &Overrides::default());
    let ConfigError::Wrong(findings) = findings.unwrap_err() else { panic!() };
    golden("tests/config/wrong.txt", &format!("{findings}\n"));
    golden("tests/config/wrong-drawn.txt", &findings.render(90));
    let json: Vec<String> = findings.to_json().iter().map(|line| format!("{line}\n")).collect();
    golden("tests/config/wrong.jsonl", &json.concat());
}

#[test]
fn the_reference_page_is_what_is_declared() {
    golden("../../docs/reference/settings.md", &reference());
}

#[test]
fn every_setting_says_what_it_is_and_where_its_default_comes_from() {
    for setting in reference_settings() {
        let name = setting.name;
        assert!(setting.says.ends_with('.'), "{name}: {}", setting.says);
        assert!(!setting.source.is_empty(), "{name}");
        let is_number = setting.form == "a whole number";
        assert_eq!(is_number, !setting.unit.is_empty() || name.key == "mx_port", "{name}: unit");
        assert!(!is_number || setting.bounds.is_some(), "{name}: bounds");
    }
}

fn reference_settings() -> Vec<Setting> {
    configuration::sections().into_iter().flat_map(|section| section.settings).collect()
}

#[test]
fn a_flag_says_what_a_setting_says_and_beats_the_file() {
    let text = "[http]\naddress = \"127.0.0.1:1\"\n[[listener]]\naddress = \"127.0.0.1:25\"\n\
                [[route]]\npattern = \"a.example\"\nto = \"one:25\"\n\
                [[route]]\npattern = \"b.example\"\nto = \"two:25\"\n";
    let overrides = Overrides {
        data: Some(PathBuf::from("elsewhere")),
        smtp: vec!["127.0.0.1:2526".parse().unwrap()],
        http: Some("127.0.0.1:2".parse().unwrap()),
        resolver: vec!["127.0.0.1:53".parse().unwrap()],
        mx_port: Some(2025),
        route: vec!["A.example=three:26,tls=never".to_owned()],
        hurried: true,
    };
    let config = read_with(text, &overrides).unwrap();
    assert_eq!(config.spool.dir, PathBuf::from("elsewhere"));
    assert_eq!(config.listeners.len(), 1);
    assert_eq!(config.listeners[0].address.port(), 2526);
    assert_eq!(config.http.address.port(), 2);
    assert_eq!(config.delivery.mx_port, 2025);
    let routes: Vec<String> =
        config.routes.iter().map(|route| format!("{}={}", route.pattern, route.to)).collect();
    assert_eq!(routes, ["a.example=three:26", "b.example=two:25"]);
    assert!(config.show().contains("http.address = \"127.0.0.1:2\"  # --http\n"));
}

#[test]
fn lanes_learn_from_this_machine_where_time_is_hurried_and_the_file_does_not_say() {
    let learning = |text: &str, hurried| {
        let overrides = Overrides { hurried, ..Overrides::default() };
        read_with(text, &overrides).unwrap().lane.learning
    };
    let section = "[lane.\"web.de\"]\nmax_connections = 1\n";
    for text in ["", section] {
        assert_eq!(learning(text, true), Learning::On);
        assert_eq!(learning(text, false), Learning::Elsewhere);
    }
    assert_eq!(learning("[lane]\nlearning = \"off\"\n", true), Learning::Off);
}

#[test]
fn a_wrong_flag_is_found_like_a_wrong_setting() {
    let overrides = Overrides {
        mx_port: Some(0),
        route: vec!["*".to_owned(), "b.example=x:25,tsl=never".to_owned()],
        ..Overrides::default()
    };
    let findings: Vec<String> = read_with("", &overrides).unwrap_err().lines().collect();
    assert_eq!(
        findings,
        [
            "--mx-port: `delivery.mx_port` is 0, out of bounds: choose from 1 to 65535",
            "--route: `route.to` is \"\": no host is given: write it as \
             \"HOST:PORT\", \"[ADDRESS]:PORT\" or \"mx:DOMAIN\"",
            "--route: there is no setting `route.tsl`: did you mean `route.tls`?",
        ]
    );
}

#[test]
fn a_broken_head_of_a_section_is_told_once() {
    for (text, place, word) in [
        ("[relay\nhostname = \"mx.example.com\"\n", "1:7", "unclosed table"),
        ("[[listener]\naddress = \"127.0.0.1:25\"\n", "1:12", "unclosed array table"),
    ] {
        let found = lines(text);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with(&format!("postlane.toml:{place}: {word}")), "{found:?}");
    }
    let found = lines("[spoool]\n[relay\nhostname = \"mx.example.com\"\n[relai]\n");
    assert_eq!(found.len(), 3, "what is wrong elsewhere is told all the same: {found:?}");
}

#[test]
fn a_text_of_several_lines_that_never_ends_is_told_once_and_where_it_begins() {
    for quotes in ["\"\"\"", "'''"] {
        for (text, place) in [
            (format!("[relay]\nhostname = {quotes}mx.example\n\n[spool]\ndir = \"a\"\n"), "2:12"),
            (format!("[lane]\n[[listener]]\naddress = {quotes}\n"), "3:11"),
            (format!("[spool]\n  [relay]\nhostname = {quotes}"), "3:12"),
        ] {
            let found = lines(&text);
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(found[0].starts_with(&format!("postlane.toml:{place}: ")), "{found:?}");
        }
    }
}

#[test]
fn relative_files_begin_where_the_configuration_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("postlane.toml");
    std::fs::write(folder.path().join("password"), "pencil\n").unwrap();
    let text =
        "[spool]\ndir = \"data\"\n[[credential]]\nuser = \"jo\"\npassword_file = \"password\"\n";
    std::fs::write(&file, text).unwrap();
    let config = Config::load(Some(&file), &Overrides::default()).unwrap();
    assert_eq!(config.spool.dir, folder.path().join("data"));
    assert!(config.credentials[0].verifier().unwrap().accepts("pencil"));
}

#[test]
fn no_secret_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("password");
    std::fs::write(&secret, "pencil\n").unwrap();
    let verifier = settings::verifier_of("pencil").to_string();
    let text = format!(
        "[[credential]]\nuser = \"a\"\npassword_scram = \"{verifier}\"\n\
         [[credential]]\nuser = \"b\"\npassword_file = \"{}\"\n\
         [[route]]\npattern = \"*\"\nto = \"h:25\"\nuser = \"c\"\npassword_file = \"{}\"\n",
        secret.display(),
        secret.display()
    );
    let config = read(&text).unwrap();
    let keys = verifier.rsplit('$').next().unwrap();
    for shown in [config.show(), format!("{config:?}"), format!("{:?}", config.to_json())] {
        assert!(!shown.contains("pencil") && !shown.contains(keys), "{shown}");
    }
    for line in
        ["password_scram = \"pencil\"", "pasword_scram = \"pencil\"", "password_scram = \"pencil"]
    {
        let wrong = read(&format!("[[credential]]\nuser = \"a\"\n{line}\n")).unwrap_err();
        let shown = format!("{wrong}{}{wrong:?}{:?}", wrong.render(90), wrong.to_json());
        assert!(!shown.contains("pencil"), "{shown}");
    }
}

#[test]
fn a_change_says_whether_it_needs_a_restart() {
    let old = read("[lane]\nmax_connections = 5\n").unwrap();
    let new = read("[lane]\nmax_connections = 6\n[http]\naddress = \"127.0.0.1:1\"\n").unwrap();
    let changes: Vec<String> = Config::changes(&old, &new)
        .iter()
        .map(|change| format!("{} {}", change.name, change.needs_restart))
        .collect();
    assert_eq!(changes, ["http.address true", "lane.max_connections false"]);
    let restart = Config::changes_needing_restart(&old, &new);
    assert_eq!(restart.iter().map(ToString::to_string).collect::<Vec<_>>(), ["http.address"]);
    assert!(Config::changes(&old, &old).is_empty());
}

#[test]
fn a_changed_secret_is_a_change_and_a_removed_entry_too() {
    let user = |password: &str| {
        let verifier = settings::verifier_of(password);
        format!("[[credential]]\nuser = \"a\"\npassword_scram = \"{verifier}\"\n")
    };
    let (old, new) = (read(&user("pencil")).unwrap(), read(&user("pen")).unwrap());
    let names = |changes: Vec<Changed>| -> Vec<String> {
        changes.iter().map(|change| change.name.to_string()).collect()
    };
    assert_eq!(names(Config::changes(&old, &new)), ["credential.password_scram"]);
    let gone = names(Config::changes(&old, &Config::default()));
    assert!(gone.contains(&"credential.user".to_owned()), "{gone:?}");
}

#[test]
fn of_an_entry_that_is_new_or_gone_what_is_written_has_changed_and_no_default() {
    let entry = "[[domain]]\nname = \"example.com\"\ntls = \"opportunistic\"\n";
    let (without, with) = (Config::default(), read(entry).unwrap());
    for (old, new) in [(&without, &with), (&with, &without)] {
        let changes = Config::changes(old, new);
        let names: Vec<String> = changes.iter().map(|change| change.name.to_string()).collect();
        assert_eq!(names, ["domain.name", "domain.tls"]);
    }
}

#[test]
fn a_doubtful_configuration_holds_and_says_so() {
    assert_eq!(
        lines("[http]\naddress = \"0.0.0.0:8025\"\n"),
        ["postlane.toml:2:11: warning: the token and messages travel unencrypted beyond this \
             machine: take 127.0.0.1, and a proxy that speaks TLS before it"]
    );
}

#[test]
fn names_that_are_given_twice_are_found_with_both_their_lines() {
    let text = "[[tenant]]\nname = \"a\"\n[[tenant]]\nname = \"b\"\n[[tenant]]\nname = \"a\"\n\
                [[listener]]\naddress = \"127.0.0.1:25\"\n[[listener]]\naddress = \"127.0.0.1:25\"\n";
    assert_eq!(
        lines(text),
        [
            "postlane.toml:6:8: the `tenant` on line 2 has name \"a\", too: name each once, or join \
             the two",
            "postlane.toml:10:11: the `listener` on line 8 has address \"127.0.0.1:25\", too: name \
             each once, or join the two",
        ]
    );
}

#[test]
fn a_user_whom_nobody_asks_for_a_password_is_a_doubt() {
    let verifier = settings::verifier_of("pencil");
    let user = format!("[[credential]]\nuser = \"jo\"\npassword_scram = \"{verifier}\"\n");
    assert!(lines(&user)[0].contains("no listener offers AUTH"), "{:?}", lines(&user));
    let listener = "[[listener]]\naddress = \"[::1]:25\"\nauth_without_tls = \"loopback\"\n";
    assert_eq!(lines(&format!("{user}{listener}")), [""; 0]);
}

#[test]
fn a_certificate_and_its_key_are_looked_at_before_anything_starts() {
    let folder = tempfile::tempdir().unwrap();
    let ours = rcgen::generate_simple_self_signed(["mx.example".to_owned()]).unwrap();
    let other = rcgen::generate_simple_self_signed(["mx.example".to_owned()]).unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let cert = write("cert.pem", &ours.cert.pem());
    let key = write("key.pem", &ours.signing_key.serialize_pem());
    let wrong_key = write("other.pem", &other.signing_key.serialize_pem());
    let listener = |key: &str| {
        format!(
            "[[listener]]\naddress = \"127.0.0.1:25\"\ntls = \"starttls\"\n\
             cert = \"{cert}\"\nkey = \"{key}\"\n"
        )
    };
    assert_eq!(lines(&listener(&key)), [""; 0]);
    assert!(lines(&listener(&wrong_key))[0].contains("does not fit the certificate"));
    assert!(lines(&listener(&format!("{key}.gone")))[0].contains("cannot be used"));
}

#[test]
fn a_setting_is_explained_and_a_slip_is_understood() {
    let text = explain("lane.max_msgs_per_connection").unwrap();
    assert_eq!(
        text,
        "lane.max_msgs_per_connection\n  Messages on one connection before it is closed.\n  \
         form     a whole number of messages\n  default  100\n  bounds   1 to 1000000\n  \
         source   chosen, not measured\n  change   holds from the reload on\n"
    );
    assert!(explain("lane").unwrap().contains("lane.max_rate"));
    assert_eq!(
        explain("lane.max_conections").unwrap_err().to_string(),
        "there is no setting or section `lane.max_conections`: did you mean `lane.max_connections`?"
    );
    assert!(explain("session_depth").unwrap_err().cure.contains("delivery.session_depth"));
    assert_eq!(explain_all().lines().count(), reference_settings().len());
}

#[test]
fn a_relay_is_never_open() {
    for net in ["0.0.0.0/0", "::/0", "128.0.0.0/1", "2000::/3"] {
        let findings = lines(&format!("[relay]\nnetworks = [\"{net}\"]\n"));
        assert!(findings[0].contains("open relay"), "{findings:?}");
    }
    assert_eq!(
        lines("[relay]\nnetworks = [\"10.0.0.0/8\", \"fc00::/7\", \"192.0.2.1\"]\n"),
        [""; 0]
    );
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_or_found_wrong_and_never_a_fault(text in "(\\[{0,2}[a-z.]{1,9}\\]{0,2}\n|[a-z_]{1,9} ?= ?[\"0-9a-z:/\\[{},=]{0,9}\n|\\PC{0,9}\n){0,8}") {
        if let Err(findings) = read(&text) {
            proptest::prop_assert!(findings.refuse());
            proptest::prop_assert!(!findings.render(80).is_empty());
        }
    }
}

/// A key of RFC 8463 §A.2 in a folder of its own, with a mode.
fn key_folder(mode: u32) -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt as _;
    const KEY: &str = "-----BEGIN PRIVATE KEY-----\n\
        MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n\
        -----END PRIVATE KEY-----\n";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key.pem");
    std::fs::write(&path, KEY).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    std::fs::write(folder.path().join("none.pem"), "nothing\n").unwrap();
    let none = folder.path().join("none.pem");
    std::fs::set_permissions(none, std::fs::Permissions::from_mode(0o600)).unwrap();
    folder
}

/// What is found in a file of that folder, the folder's name left out.
fn found_in(folder: &tempfile::TempDir, text: &str) -> Vec<String> {
    let file = folder.path().join("postlane.toml");
    let lines: Vec<String> = match Config::parse(text, Some(&file), &Overrides::default()) {
        Ok(config) => config.warnings().lines().collect(),
        Err(ConfigError::Wrong(findings)) => findings.lines().collect(),
        Err(other) => panic!("{other}"),
    };
    let name = format!("{}/", folder.path().display());
    lines.into_iter().map(|line| line.replace(&name, "")).collect()
}

fn signing(key: &str, more: &str) -> String {
    let domain = "domain = \"example.com\"\nselector = \"s1\"\n";
    format!("[[dkim]]\n{domain}key_file = \"{key}\"\n{more}")
}

#[test]
fn a_key_that_others_can_read_is_refused_and_so_is_one_that_is_none() {
    let cure = "let only us read it: chmod 600, or 640 with our group";
    for (mode, is_refused) in [(0o644, true), (0o660, true), (0o640, false), (0o400, false)] {
        let found = found_in(&key_folder(mode), &signing("key.pem", "")).join("\n");
        assert_eq!(found.contains(cure), is_refused, "{mode:o}: {found}");
        assert_eq!(found.contains(&format!("its mode is {mode:04o}")), is_refused, "{found}");
    }
    let folder = key_folder(0o600);
    let found = found_in(&folder, &signing("none.pem", ""));
    assert!(found[0].contains("postlane.toml:4"), "{found:?}");
    assert!(found[0].contains("none.pem cannot be used"), "{found:?}");
    let found = found_in(&folder, &signing("lost.pem", ""));
    assert!(found[0].contains("lost.pem cannot be used: No such file"), "{found:?}");
}

#[test]
fn a_key_never_stands_in_what_is_shown() {
    let folder = key_folder(0o600);
    let file = folder.path().join("postlane.toml");
    let text = signing("key.pem", "");
    let config = Config::parse(&text, Some(&file), &Overrides::default()).unwrap();
    let shown = format!("{} {:?} {config:?}", config.show(), config.to_json());
    assert!(shown.contains("key.pem"), "{shown}");
    assert!(!shown.contains("MC4CAQ"), "{shown}");
    let inside = "[[dkim]]\nkey_file = \"\"\"\n-----BEGIN PRIVATE KEY-----\nMC4CAQ\n\"\"\"\n";
    let Err(ConfigError::Wrong(found)) = Config::parse(inside, Some(&file), &Overrides::default())
    else {
        panic!("a key was taken for a file's name");
    };
    let said = format!("{found} {}", found.render(90));
    assert!(said.contains("is the key itself, and a file is wanted"), "{said}");
    assert!(!said.contains("MC4CAQ"), "{said}");
}

#[test]
fn a_signature_that_ends_before_the_mail_does_is_refused() {
    let folder = key_folder(0o600);
    let found = found_in(&folder, &signing("key.pem", "expires = \"5d\"\n")).join("\n");
    assert!(found.contains("mail may wait longer than its signature counts"), "{found}");
    assert!(found.contains("write 168h or more"), "{found}");
    let found = found_in(&folder, &signing("key.pem", "expires = \"7d\"\n")).join("\n");
    assert!(!found.contains("mail may wait longer"), "{found}");
}

#[test]
fn days_without_a_key_are_told() {
    let folder = key_folder(0o600);
    let next = |from: &str| {
        signing("key.pem", &format!("from = \"{from}\"\n")).replace("\"s1\"", "\"s2\"")
    };
    let old = signing("key.pem", "until = \"2026-12-08\"\n");
    let found = found_in(&folder, &(old.clone() + &next("2026-12-10"))).join("\n");
    let gap = "from 2026-12-08 until 2026-12-10 no key of this kind signs for example.com";
    assert!(found.contains(gap), "{found}");
    let found = found_in(&folder, &(old + &next("2026-12-01"))).join("\n");
    assert!(!found.contains("no key of this kind"), "{found}");
    assert!(found.contains("signs with Ed25519 alone"), "{found}");
}

#[test]
fn a_way_out_that_leads_nowhere_is_refused() {
    let found = lines("[[unsubscribe]]\nways = [\"http://example.com/\"]\n").join("\n");
    assert!(found.contains("it does not begin with https:// or mailto:"), "{found}");
    let found = lines("[[unsubscribe]]\nways = []\n").join("\n");
    assert!(found.contains("there is no way out"), "{found}");
    let found = lines("[[unsubscribe]]\nways = [\"mailto:out@example.com\"]\n").join("\n");
    assert!(found.contains("no way is on the Web"), "{found}");
}
