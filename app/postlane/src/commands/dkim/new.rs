//! `postlane dkim new`: keys for a domain, and the records to publish.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::Ed25519KeyPair;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use postlane_checks::Name;
use postlane_checks::dkim::{KeyKind, Signer, Visible};
use postlane_mail::{Domain, Span};
use serde_json::json;

use crate::commands::check::Answers;
use crate::commands::queue::which::age;
use crate::exit::{Exit, Failure};
use crate::print;

/// Which keys, and where to.
#[derive(Args)]
pub(crate) struct New {
    /// The domain that signs, as it stands in From
    #[arg(value_name = "DOMAIN", value_parser = Domain::parse)]
    domain: Domain,
    /// The selector; the one of an Ed25519 key has `-ed` behind it [default: the month, s202611]
    #[arg(long, value_name = "S", value_parser = Domain::parse)]
    selector: Option<Domain>,
    /// Only an RSA key, of so many bits [default: RSA with 2048 bits and Ed25519]
    #[arg(long, value_name = "BITS", value_parser = ["2048", "3072", "4096"],
          default_missing_value = "2048", num_args = 0..=1, conflicts_with = "ed25519")]
    rsa: Option<String>,
    /// Only an Ed25519 key, which many receivers do not read
    #[arg(long)]
    ed25519: bool,
    /// The folder for the private keys
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Wait until the DNS has the keys, so long at most: 30m, 2h [default: an hour]
    #[arg(long, value_name = "AGE", value_parser = age, num_args = 0..=1,
          default_missing_value = "1h")]
    wait: Option<Span>,
    #[command(flatten)]
    answers: Answers,
}

/// A key that was made.
struct Made {
    signer: Signer,
    file: PathBuf,
}

/// How often the DNS is asked while somebody waits. Chosen, not measured: it says for how long that
/// there is nothing may be believed, and that is a minute at least nearly everywhere.
const ASK_EVERY: Duration = Duration::from_secs(5);

pub(super) fn run(new: &New, json: bool) -> Result<Exit, Failure> {
    let made = make(new)?;
    let mut found = look(new, &made);
    if !json {
        made.iter().try_for_each(show)?;
    }
    if let Some(most) = new.wait {
        found = wait(new, &made, found, most);
    }
    if json {
        for (made, found) in made.iter().zip(&found) {
            tell(made, found)?;
        }
    }
    if is_there(&found) {
        return Ok(Exit::Yes);
    }
    let domain = &new.domain;
    print::note(&format!(
        "The DNS does not have these keys yet. Publish them before mail is signed by them; \
         `postlane dkim check {domain} --config FILE` says when receivers find them."
    ));
    for (made, found) in made.iter().zip(&found).filter(|(_, found)| **found != Visible::Yes) {
        let name = made.signer.key_name().map(|name| name.to_string()).unwrap_or_default();
        print::note(&format!("{name}: {found}"));
    }
    Ok(if new.wait.is_some() { Exit::No } else { Exit::Yes })
}

fn is_there(found: &[Visible]) -> bool {
    found.iter().all(|found| *found == Visible::Yes)
}

/// What the DNS has of the keys.
fn look(new: &New, made: &[Made]) -> Vec<Visible> {
    let found = new.answers.run(|known| {
        let found: Vec<_> = made.iter().map(|made| made.signer.published(known)).collect();
        found.into_iter().collect::<Option<Vec<Visible>>>()
    });
    found.unwrap_or_else(|_| vec![Visible::Missing; made.len()])
}

/// Asks again and again until all of them are there, or the time is over.
fn wait(new: &New, made: &[Made], found: Vec<Visible>, most: Span) -> Vec<Visible> {
    let (began, mut found) = (Instant::now(), found);
    if !is_there(&found) {
        print::note("waiting until the DNS has the keys; publish the records now");
    }
    while !is_there(&found) && began.elapsed() < most.to_std() {
        thread::sleep(ASK_EVERY.min(most.to_std()));
        found = look(new, made);
    }
    if is_there(&found) {
        print::note("the DNS has the keys: write the lines into the configuration, and reload");
    }
    found
}

fn make(new: &New) -> Result<Vec<Made>, Failure> {
    let month = jiff::Timestamp::now().strftime("s%Y%m").to_string();
    let selector = new.selector.as_ref().map_or(month, ToString::to_string);
    fs::create_dir_all(&new.out)
        .map_err(|e| Failure::usage(format!("cannot make {}: {e}", new.out.display())))?;
    let mut made = Vec::new();
    if !new.ed25519 {
        let size = match new.rsa.as_deref() {
            Some("4096") => KeySize::Rsa4096,
            Some("3072") => KeySize::Rsa3072,
            _ => KeySize::Rsa2048,
        };
        let key = KeyPair::generate(size).map_err(|_| failed())?;
        let der = key.as_der().map_err(|_| failed())?;
        made.push(keep(new, &selector, der.as_ref())?);
    }
    if new.rsa.is_none() {
        let key = Ed25519KeyPair::generate().map_err(|_| failed())?;
        // The older form, which everybody reads.
        let der: Pkcs8V1Der<'_> = key.as_der().map_err(|_| failed())?;
        let selector = if new.ed25519 { selector } else { selector + "-ed" };
        made.push(keep(new, &selector, der.as_ref())?);
    }
    Ok(made)
}

fn failed() -> Failure {
    Failure::new(Exit::Undetermined, "the cryptographic library could not make a key")
}

/// Writes a key that nobody else can read; one that is there stays.
fn keep(new: &New, selector: &str, der: &[u8]) -> Result<Made, Failure> {
    let text = STANDARD.encode(der);
    let mut pem = String::from("-----BEGIN PRIVATE KEY-----\n");
    for line in text.as_bytes().chunks(64) {
        pem.push_str(&String::from_utf8_lossy(line));
        pem.push('\n');
    }
    pem.push_str("-----END PRIVATE KEY-----\n");
    let name = |text: &str| Name::parse(text).map_err(|e| Failure::usage(e.to_string()));
    let signer = Signer::new(name(new.domain.as_str())?, name(selector)?, &pem)
        .map_err(|e| Failure::usage(e.to_string()))?;
    if signer.key_name().is_none() {
        return Err(Failure::usage(Visible::NoName.to_string()));
    }
    let file = new.out.join(format!("{selector}.{}.pem", new.domain));
    write(&file, &pem).map_err(|e| {
        Failure::usage(format!("cannot write {}: {e}; a key that is there stays", file.display()))
    })?;
    Ok(Made { signer, file })
}

fn write(file: &Path, pem: &str) -> std::io::Result<()> {
    let mut to = File::options().write(true).create_new(true).mode(0o600).open(file)?;
    to.write_all(pem.as_bytes())?;
    to.sync_all()
}

/// Where the key is published, and what.
fn record(made: &Made) -> Result<(String, String), Failure> {
    let name = made.signer.key_name().map(|name| name.to_string()).unwrap_or_default();
    Ok((name, made.signer.record().map_err(|e| Failure::usage(e.to_string()))?))
}

/// Octets of one string in a TXT record: 255 at most (RFC 1035 §3.3.14).
const STRING_OCTETS: usize = 250;

/// As a zone file has it.
fn in_zone(name: &str, record: &str) -> String {
    let strings = record.as_bytes().chunks(STRING_OCTETS);
    let strings = strings.map(|piece| format!("\"{}\"", String::from_utf8_lossy(piece)));
    let strings: Vec<String> = strings.collect();
    match &strings[..] {
        [one] => format!("{name}. 3600 IN TXT {one}"),
        several => format!("{name}. 3600 IN TXT (\n    {} )", several.join("\n    ")),
    }
}

fn setting(made: &Made) -> String {
    format!(
        "[[dkim]]\ndomain = \"{}\"\nselector = \"{}\"\nkey_file = \"{}\"",
        made.signer.domain(),
        made.signer.selector(),
        made.file.display()
    )
}

fn show(made: &Made) -> Result<(), Failure> {
    let (name, record) = record(made)?;
    let kind = match made.signer.kind() {
        KeyKind::Rsa => format!("RSA with {} bits", made.signer.bits()),
        KeyKind::Ed25519 => "Ed25519".to_owned(),
    };
    print::line(&format!("# {kind}, the private key in {}", made.file.display()));
    print::line("# Publish, in a zone file:");
    print::line(&in_zone(&name, &record));
    print::line(&format!("# or in a form, as one TXT record at {name}:"));
    print::line(&record);
    let own = name.replace("._domainkey.", ".").replace('.', "-");
    print::line("# or, where somebody else keeps the zone, have them write once:");
    print::line(&format!("# {name}. CNAME {own}.dkim.DOMAIN-OF-YOURS."));
    print::line("# and publish the record there. Then write into the configuration:");
    print::line(&setting(made));
    print::line("");
    Ok(())
}

fn tell(made: &Made, found: &Visible) -> Result<(), Failure> {
    let (name, record) = record(made)?;
    print::json(&json!({
        "name": name,
        "domain": made.signer.domain().as_str(),
        "selector": made.signer.selector().as_str(),
        "key_file": made.file.display().to_string(),
        "bits": made.signer.bits(),
        "record": record,
        "zone": in_zone(&name, &record),
        "setting": setting(made),
        "published": *found == Visible::Yes,
    }));
    Ok(())
}
