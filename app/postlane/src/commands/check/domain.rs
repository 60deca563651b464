//! `postlane check domain`: every check of what a domain publishes, the gates of each provider
//! first.

use std::net::IpAddr;

use clap::Args;
use postlane_checks::spf::{Branch, Published, Survey};
use postlane_checks::{KeysSeen, Name, Report, SendingDomain, check_domain, domain_checks};
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
    /// Call the domain's mail exchangers (do they encrypt, with which certificate, do postmaster and
    /// abuse take mail) and its web page (does it say who runs it)
    #[arg(long)]
    probe: bool,
    /// Try this address to unsubscribe at, of a message to a recipient made for tests: that
    /// recipient is taken off the list
    #[arg(long, value_name = "URL")]
    unsubscribe: Vec<String>,
    /// The name of the SPF record that the domain's own was written out from
    #[arg(long, value_name = "NAME")]
    spf_source: Option<String>,
    /// Look as if it were that moment (RFC 3339) [default: now]
    #[arg(long, value_name = "TIME")]
    now: Option<jiff::Timestamp>,
    /// Show what passes, too
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    callers: Callers,
    #[command(flatten)]
    answers: Answers,
}

pub(super) fn run(check: &CheckDomain, json: bool) -> Result<Exit, Failure> {
    let asked = check.asked()?;
    let found = check.answers.run_with(&check.callers, |known| check_domain(known, &asked))?;
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
            unsubscribe: self.unsubscribe.iter().map(|url| url.as_str().into()).collect(),
            spf_source: self.spf_source.as_deref().map(record_name).transpose()?,
            keys_seen: KeysSeen::default(),
        })
    }
}

/// A domain as people write it: in their letters, or in those of the DNS.
fn domain(text: &str) -> Result<Name, Failure> {
    let name = postlane_mail::Domain::parse(text);
    name.map(|name| Name::from(&name))
        .map_err(|e| Failure::usage(format!("\"{}\" is no domain: {e}", print::printable(text))))
}

/// A name that no host need have, as `_spf-source.example.com`.
fn record_name(text: &str) -> Result<Name, Failure> {
    Name::parse(text)
        .map_err(|e| Failure::usage(format!("{} is no name: {e}", print::printable(text))))
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
