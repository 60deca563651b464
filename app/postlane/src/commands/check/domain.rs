//! `postlane check domain`: every check of what a domain publishes, the gates of each provider
//! first.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::Args;
use postlane_checks::spf::{Branch, Published, Survey};
use postlane_checks::{Name, Report, SendingDomain, check_domain, domain_checks};
use postlane_inspection::{COMMON_SELECTORS, domain_as_json};
use postlane_mail::Instant;

use super::report::{exit, show};
use super::{Answers, Callers};
use crate::exit::{Exit, Failure};
use crate::print;

/// Which domain, and what is known about how it sends.
#[derive(Args)]
pub(crate) struct CheckDomain {
    /// The domain of From
    name: String,
    /// The domain of the return-path, where it is another one
    #[arg(long, value_name = "NAME")]
    return_path: Option<String>,
    /// A selector that signs for it; without any, those that many have are tried
    #[arg(long, value_name = "NAME")]
    selector: Vec<String>,
    /// An address that sends for it
    #[arg(long, value_name = "ADDR")]
    ip: Vec<IpAddr>,
    /// When the domain was registered (RFC 3339), as RDAP has it
    #[arg(long, value_name = "TIME")]
    registered: Option<jiff::Timestamp>,
    /// Call the domain's mail exchangers and see whether they encrypt, and with which certificate
    #[arg(long)]
    probe: bool,
    /// Look as if it were that moment (RFC 3339) [default: now]
    #[arg(long, value_name = "TIME")]
    now: Option<jiff::Timestamp>,
    /// Show what passes, too
    #[arg(long)]
    all: bool,
    /// Call a host at another address than its own
    #[arg(long, value_name = "HOST:PORT=ADDR:PORT")]
    map: Vec<String>,
    /// Believe the certificate authorities in this file (PEM), too
    #[arg(long, value_name = "FILE")]
    extra_root: Vec<PathBuf>,
    #[command(flatten)]
    answers: Answers,
}

pub(super) fn run(check: &CheckDomain, json: bool) -> Result<Exit, Failure> {
    let asked = check.asked()?;
    let callers = Callers { map: &check.map, extra_roots: &check.extra_root };
    let found = check.answers.run_with(&callers, |known| check_domain(known, &asked))?;
    let report = Report::new(domain_checks(), found.findings.clone());
    if json {
        print::json(&domain_as_json(&asked, &found, &report));
    } else {
        print::line(&print::printable(&format!("{}", asked.name)));
        print::line("");
        show(&report, check.all);
        show_record(&found.spf);
    }
    Ok(exit(&report))
}

impl CheckDomain {
    fn asked(&self) -> Result<SendingDomain, Failure> {
        let name = domain(&self.name)?;
        let return_path = self.return_path.as_deref().map_or_else(|| Ok(name.clone()), domain)?;
        let is_guessed = self.selector.is_empty();
        let selectors: Vec<Box<str>> = if is_guessed {
            COMMON_SELECTORS.iter().map(|selector| (*selector).into()).collect()
        } else {
            self.selector.iter().map(|selector| selector.as_str().into()).collect()
        };
        let instant = |at: jiff::Timestamp| {
            Instant::from_unix_s(u64::try_from(at.as_second()).unwrap_or_default())
        };
        Ok(SendingDomain {
            name,
            return_path,
            selectors,
            selectors_are_guessed: is_guessed,
            addresses: self.ip.clone(),
            now: instant(self.now.unwrap_or_else(jiff::Timestamp::now)),
            registered: self.registered.map(instant),
            may_call: self.probe,
        })
    }
}

/// A domain as people write it: in their letters, or in those of the DNS.
fn domain(text: &str) -> Result<Name, Failure> {
    let name = postlane_mail::Domain::parse(text);
    name.map(|name| Name::from(&name))
        .map_err(|e| Failure::usage(format!("{} is no domain: {e}", print::printable(text))))
}

/// The record with everything below it.
fn show_record(survey: &Survey) {
    if !matches!(survey.top.published, Published::One { .. }) {
        return;
    }
    print::line("");
    print::line(&format!("SPF: {} of 10 lookups at worst", survey.lookups));
    branch(&survey.top, 1);
}

/// Records of a tree that are shown.
const SHOWN_DEPTH: usize = 20;

fn branch(at: &Branch, depth: usize) {
    let indent = "  ".repeat(depth.min(SHOWN_DEPTH));
    let says = match &at.published {
        Published::One { text, .. } => text.to_string(),
        Published::Nothing => "(no record)".to_owned(),
        Published::Many(texts) => format!("({} records)", texts.len()),
        Published::Open(failure) => format!("({failure})"),
        Published::Loop => "(leads back to itself)".to_owned(),
        Published::Cut => "(not looked at: too much)".to_owned(),
    };
    print::line(&print::printable(&format!("{indent}{}: {says}", at.domain)));
    for below in &at.below {
        branch(below, depth + 1);
    }
}
