//! What a pack is made of.

use std::net::IpAddr;
use std::sync::Arc;

use postlane_mail::{Instant, Stage};
use postlane_replies::Label;

use super::addressee::Addressee;
use super::veil::Shown;
use crate::assessment::Assessment;
use crate::picture::{Change, Ptr};

/// What a pack is made of, wherever it was found: in the ledger or in another MTA's log.
#[derive(Debug, Clone, PartialEq)]
pub struct Dossier {
    /// The provider's name as people write it.
    pub provider_name: String,
    /// To whom it is written.
    pub addressee: Addressee,
    /// The first moment looked at.
    pub from: Instant,
    /// The first moment not looked at any more.
    pub to: Instant,
    /// When it is made.
    pub made: Instant,
    /// What is to be said of the provider.
    pub assessment: Assessment,
    /// Refusals of the span, in any order; from them the samples are chosen.
    pub refusals: Vec<Attempt>,
    /// The addresses we send from.
    pub sources: Vec<SourceProof>,
    /// What was changed already.
    pub changes: Vec<Change>,
    /// Where to write to.
    pub contacts: Vec<Contact>,
    /// How addresses are shown.
    pub shown: Shown,
}

/// A refused attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// When.
    pub at: Instant,
    /// The queue id, as the sending server wrote it; empty if unknown.
    pub queue_id: String,
    /// The `Message-ID` with its angle brackets; empty if unknown.
    pub message_id: String,
    /// The reverse-path; `<>` for the null one, empty if unknown.
    pub sender: String,
    /// The recipient's address.
    pub recipient: String,
    /// The source's name.
    pub source: Arc<str>,
    /// The address it was sent from.
    pub source_ip: Option<IpAddr>,
    /// The name given in EHLO.
    pub ehlo: String,
    /// The MX host's name.
    pub mx_host: String,
    /// Its address.
    pub mx_ip: Option<IpAddr>,
    /// The version of TLS; empty for plain text or unknown.
    pub tls: String,
    /// Which attempt it was, 1 the first; 0 if unknown.
    pub attempt: u32,
    /// What the reply answered.
    pub stage: Option<Stage>,
    /// The whole reply with its code, as it was said.
    pub reply: String,
    /// What it means.
    pub label: Label,
    /// The message's header section, where it was kept; never its body.
    pub headers: Option<String>,
}

/// A source as the DNS has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceProof {
    /// Its name.
    pub source: Arc<str>,
    /// Its address.
    pub address: Option<IpAddr>,
    /// The names it greeted with.
    pub ehlo: Vec<Arc<str>>,
    /// The names in its reverse DNS, when it was asked.
    pub names: Vec<String>,
    /// Whether one of them leads back.
    pub ptr: Ptr,
    /// When the DNS was asked, if it was.
    pub asked: Option<Instant>,
    /// Why it did not say, where it did not.
    pub why: String,
}

/// Where to write to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// The address of a page or form.
    pub url: String,
    /// Where that was read, and when.
    pub source: String,
}
