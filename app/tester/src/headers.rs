//! The header section, field by field: who put it there, whether it can be believed, and what
//! found fault with it.

use postlane_checks::dkim::Outcome as Dkim;
use postlane_checks::{Arrived, Authentication, Outcome, Report as Looked};
use serde::{Deserialize, Serialize};

/// Fields of a header that are told. Chosen, not measured: real mail has some fifty.
const FIELDS_MAX: usize = 300;

/// Characters of one field that are told.
const FIELD_CHARS_MAX: usize = 4_000;

/// A field of the header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeaderField {
    /// Its name as it is written.
    pub name: String,
    /// Its value as it is written, folds and all; what is beyond UTF-8 replaced.
    pub value: String,
    /// Who adds such a field.
    pub added_by: AddedBy,
    /// Whether a good signature covers it: what is not covered could have been changed by anybody.
    pub signed: bool,
    /// What it is for, in one sentence; empty for fields that are nobody's in particular.
    pub explained: String,
    /// Checks that found something about it, with their results.
    pub findings: Vec<String>,
}

/// Who adds a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AddedBy {
    /// Whoever wrote the message, or the program that did it for them.
    Author,
    /// A host on the way. Those above the last one that you trust can be made up.
    Host,
    /// Whoever signs.
    Signer,
    /// A host that has judged the message. Only your own receiver's counts.
    Judge,
}

/// What is known of a field's name: who adds it, what it is for, and which checks look at it.
struct Lore {
    name: &'static str,
    by: AddedBy,
    says: &'static str,
    checks: &'static [&'static str],
}

const fn lore(
    name: &'static str,
    by: AddedBy,
    says: &'static str,
    checks: &'static [&'static str],
) -> Lore {
    Lore { name, by, says, checks }
}

use AddedBy::{Author, Host, Judge, Signer};

const LORE: [Lore; 24] = [
    lore(
        "Date",
        Author,
        "When it was written.",
        &["FMT-01", "FMT-02", "FMT-03", "FMT-04", "FMT-05"],
    ),
    lore(
        "From",
        Author,
        "Who wrote it: what readers see, and whose domain DMARC asks for its policy.",
        &[
            "FMT-06", "FMT-07", "FMT-08", "FMT-09", "IDN-01", "IDN-05", "IDN-09", "IDN-11",
            "DMARC-04",
        ],
    ),
    lore("Sender", Author, "Who sent it, where that is not who wrote it.", &["IDN-07", "FMT-12"]),
    lore("Reply-To", Author, "Where answers go.", &["FMT-26", "IDN-08", "FMT-12"]),
    lore("To", Author, "Whom it is for.", &["FMT-15", "FMT-12"]),
    lore("Cc", Author, "Who else gets it.", &["FMT-15", "FMT-12"]),
    lore("Bcc", Author, "Who gets it unseen: it should not be here.", &["FMT-30", "FMT-12"]),
    lore("Subject", Author, "What it is about.", &["FMT-14", "CNT-13", "FMT-12"]),
    lore("Message-ID", Author, "Its one name in the world.", &["FMT-13"]),
    lore("In-Reply-To", Author, "Which message it answers.", &["FMT-12"]),
    lore("References", Author, "The messages before it.", &["FMT-12"]),
    lore("MIME-Version", Author, "That it has parts.", &["FMT-20"]),
    lore("Content-Type", Author, "Of what kind it is.", &["FMT-21", "FMT-23"]),
    lore("Content-Transfer-Encoding", Author, "How its octets are written.", &["FMT-22"]),
    lore("Received", Host, "One host on its way; the topmost came last.", &["FMT-25"]),
    lore(
        "Return-Path",
        Host,
        "The reverse-path; only the last host writes it.",
        &["FMT-30", "IDN-03"],
    ),
    lore("Delivered-To", Host, "Whom a host delivered it to.", &["FMT-30"]),
    lore(
        "DKIM-Signature",
        Signer,
        "A signature: who vouches for the message.",
        &["DKIM-01", "DKIM-02", "DKIM-04", "DKIM-09", "DKIM-11", "DKIM-12", "DKIM-14"],
    ),
    lore("ARC-Seal", Signer, "A forwarder vouches for what it saw.", &["ARC-01"]),
    lore("ARC-Message-Signature", Signer, "A forwarder signs what it passed on.", &["ARC-01"]),
    lore("Authentication-Results", Judge, "What a host made of it.", &["FMT-30"]),
    lore(
        "List-Unsubscribe",
        Author,
        "The way out of the list.",
        &["BULK-01", "BULK-02", "BULK-04"],
    ),
    lore("List-Unsubscribe-Post", Author, "That one click is enough.", &["BULK-03", "BULK-04"]),
    lore("List-Id", Author, "Which list it is of.", &["BULK-17"]),
];

/// The header of a message, as it is told.
pub(crate) fn annotated(
    arrived: &Arrived<'_>,
    authentication: &Authentication,
    looked: &Looked,
) -> Vec<HeaderField> {
    let good = authentication.dkim.iter().filter(|one| one.outcome == Dkim::Pass);
    let covered: Vec<&str> = good
        .filter_map(|one| one.signature.as_ref())
        .flat_map(|signature| signature.fields.iter().map(|name| &**name))
        .collect();
    let told = arrived.message.fields().iter().take(FIELDS_MAX).map(|field| {
        let name = String::from_utf8_lossy(field.name).into_owned();
        let lore = LORE.iter().find(|lore| lore.name.eq_ignore_ascii_case(&name));
        let value = String::from_utf8_lossy(field.value);
        let value: String = value.trim().chars().take(FIELD_CHARS_MAX).collect();
        HeaderField {
            signed: covered.iter().any(|signed| signed.eq_ignore_ascii_case(&name)),
            added_by: lore.map_or(Author, |lore| lore.by),
            explained: lore.map(|lore| lore.says.to_owned()).unwrap_or_default(),
            findings: lore.map(|lore| faults(lore.checks, looked)).unwrap_or_default(),
            name,
            value,
        }
    });
    told.collect()
}

fn faults(checks: &[&str], looked: &Looked) -> Vec<String> {
    let worth = |outcome| matches!(outcome, Outcome::Warn | Outcome::Fail | Outcome::Error);
    let found = looked.findings.iter().filter(|one| checks.contains(&one.id) && worth(one.outcome));
    found.map(|one| format!("{} {}", one.outcome.as_str(), one.id)).collect()
}
