//! One message on its way to a host, and what became of it.

use std::sync::Arc;

use bytes::Bytes;
use postlane_mail::{
    Envelope, Instant, Mailbox, Notify, Recipient, Reply, ReturnContent, ReversePath, Span, Stage,
};
use smallvec::SmallVec;

use super::decimal::Decimal;
use super::session::SessionEnd;
use super::transcript::Transcript;
use crate::capability::Capabilities;
use crate::xtext;

/// A message to be handed over.
#[derive(Debug, Clone)]
pub struct Transaction {
    /// Handed back in [`Finished`].
    pub id: u64,
    /// Who it is from and for.
    pub envelope: Arc<Envelope>,
    /// The reverse-path to say, where it is not the envelope's (VERP).
    pub reverse_path: Option<ReversePath>,
    /// Which of the envelope's recipients.
    pub recipients: SmallVec<[u16; 4]>,
    /// The message in pieces, to be joined, as it is to arrive: dots are put in here. Pieces may
    /// be cut anywhere, and are not copied.
    pub message: SmallVec<[Bytes; 2]>,
    /// Whether its body has octets above 127.
    pub eight_bit_body: bool,
    /// Whether its header section has octets above 127 (RFC 6532).
    pub eight_bit_header: bool,
}

/// What became of a transaction.
#[derive(Debug, Clone)]
pub struct Finished {
    /// The transaction's.
    pub id: u64,
    /// One for each of its recipients, in its order.
    pub recipients: SmallVec<[RecipientOutcome; 1]>,
    /// Whether the host has been told what the sender wants to hear (RFC 3461).
    pub dsn_relayed: bool,
    /// When MAIL was said, or would have been.
    pub began: Instant,
    /// How long it took from there.
    pub took: Span,
    /// What was said about it, and how the session was opened.
    pub transcript: Transcript,
}

/// What became of one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecipientOutcome {
    /// Its number in the envelope.
    pub index: u16,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The host has taken the message for it.
    Accepted(Reply),
    /// The host has not.
    Refused {
        /// What it answered: MAIL and DATA concern all recipients.
        stage: Stage,
        /// Verbatim.
        reply: Reply,
    },
    /// The message was sent to its end and no answer came: it may have been taken.
    Unknown,
    /// The host took the recipient, and the session ended amid the message: it has not arrived,
    /// and may itself be what ended it.
    Interrupted,
    /// The session ended, or the message, before its turn had come. How the session ended says
    /// why.
    NotTried,
    /// The connection broke, or the host fell silent or said what is no answer, at this message's own
    /// commands, and nothing was said of the recipient. It has not arrived; a message of which this is
    /// said again and again may itself be what ends its sessions, as firewalls do that.
    CutOff(SessionEnd),
    /// This host cannot take it; another may.
    Unable(Unable),
    /// It is larger than the host takes, in octets.
    TooLarge {
        /// The most it takes.
        most: u64,
    },
}

/// What a host lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unable {
    /// 8BITMIME, for the body (RFC 6152).
    EightBitBody,
    /// SMTPUTF8, for the addresses (RFC 6531).
    Utf8Addresses,
    /// SMTPUTF8, for the header section (RFC 6532).
    Utf8Headers,
    /// CHUNKING, for a CR or LF that stands alone: by DATA some hosts would take it for the end of
    /// a line, and what follows for commands.
    BareNewlines,
}

impl Transaction {
    /// Octets of the message.
    pub fn octets(&self) -> u64 {
        self.message.iter().map(|piece| piece.len() as u64).sum()
    }

    /// Why this host cannot take it, if it cannot.
    pub(super) fn unfit(&self, host: &Capabilities) -> Option<Outcome> {
        if !host.smtputf8 && self.has_utf8_addresses() {
            return Some(Outcome::Unable(Unable::Utf8Addresses));
        }
        if !host.smtputf8 && self.eight_bit_header && self.envelope.smtputf8 {
            return Some(Outcome::Unable(Unable::Utf8Headers));
        }
        if !host.eight_bit && self.eight_bit() {
            return Some(Outcome::Unable(Unable::EightBitBody));
        }
        let most = host.size.flatten().filter(|most| self.octets() > *most)?;
        Some(Outcome::TooLarge { most })
    }

    /// The recipient in this place of ours.
    pub(super) fn recipient(&self, place: usize) -> Option<&Recipient> {
        let index = self.recipients.get(place)?;
        self.envelope.recipients.get(usize::from(*index))
    }

    /// Whether any octet is above 127. A header section that is not declared as SMTPUTF8 is
    /// carried like a body: it came so, and leaves so.
    fn eight_bit(&self) -> bool {
        self.eight_bit_body || self.eight_bit_header
    }

    fn path(&self) -> &ReversePath {
        self.reverse_path.as_ref().unwrap_or(&self.envelope.reverse_path)
    }

    fn has_utf8_addresses(&self) -> bool {
        let recipients = (0..self.recipients.len()).filter_map(|place| self.recipient(place));
        let mut mailboxes = self.path().mailbox().into_iter().chain(recipients.map(|r| &r.mailbox));
        mailboxes.any(Mailbox::needs_smtputf8)
    }

    /// Writes the MAIL command.
    pub(super) fn write_mail(&self, host: &Capabilities, out: &mut Vec<u8>) {
        push(out, &["MAIL FROM:<", self.path().as_str(), ">"]);
        if host.size.is_some() {
            push(out, &[" SIZE=", Decimal::of(self.octets()).as_str()]);
        }
        // Said only where it is needed: hosts of another kind behind this one may lack it.
        if host.eight_bit && self.eight_bit() {
            push(out, &[" BODY=8BITMIME"]);
        }
        let utf8 = self.has_utf8_addresses() || self.envelope.smtputf8 && self.eight_bit();
        if host.smtputf8 && utf8 {
            push(out, &[" SMTPUTF8"]);
        }
        if host.dsn {
            match self.envelope.ret {
                Some(ReturnContent::Full) => push(out, &[" RET=FULL"]),
                Some(ReturnContent::Headers) => push(out, &[" RET=HDRS"]),
                None => {}
            }
            if let Some(envid) = self.envelope.envid.as_deref().filter(|text| is_word(text)) {
                push(out, &[" ENVID=", envid]);
            }
        }
        out.extend_from_slice(b"\r\n");
    }

    /// Writes a RCPT command.
    pub(super) fn write_rcpt(&self, recipient: &Recipient, host: &Capabilities, out: &mut Vec<u8>) {
        push(out, &["RCPT TO:<", recipient.mailbox.as_str(), ">"]);
        if host.dsn {
            match recipient.notify {
                Notify::Default => {}
                Notify::Never => push(out, &[" NOTIFY=NEVER"]),
                Notify::On { success, failure, delay } => {
                    let words = [(success, "SUCCESS"), (failure, "FAILURE"), (delay, "DELAY")];
                    let said = words.into_iter().filter(|(on, _)| *on);
                    for (i, (_, word)) in said.enumerate() {
                        push(out, &[if i == 0 { " NOTIFY=" } else { "," }, word]);
                    }
                }
            }
            match recipient.orcpt.as_deref().filter(|text| is_word(text)) {
                Some(orcpt) => push(out, &[" ORCPT=", orcpt]),
                // RFC 3461 §5.2.1: where something is asked for and no original address is given,
                // the one we were given is the original.
                None if recipient.notify != Notify::Default
                    && !recipient.mailbox.needs_smtputf8() =>
                {
                    push(out, &[" ORCPT=rfc822;"]);
                    xtext::encode(recipient.mailbox.as_str(), out);
                }
                None => {}
            }
        }
        out.extend_from_slice(b"\r\n");
    }
}

/// Whether a parameter's value can stand in a command without becoming more than a value.
fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic())
}

fn push(out: &mut Vec<u8>, texts: &[&str]) {
    texts.iter().for_each(|text| out.extend_from_slice(text.as_bytes()));
}
