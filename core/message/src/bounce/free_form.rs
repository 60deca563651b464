//! Bounces in words for people only.
//!
//! Programs differ in words, not in shape: an address on a line of its own, below it why, then
//! what came back. So there is one reader for all of them, with a list of the lines at which
//! programs begin to quote the returned message.

use std::collections::BTreeSet;

use super::bounced::{BounceKind, Bounced};
use super::original::ReturnedMail;
use super::recipient_line::{Named, Rank};
use super::reply::status_in;
use super::section::{Mentions, Said, host_in, quoted_in, words_in};
use super::status_part::RECIPIENTS_MAX;
use crate::date::MailDate;
use crate::dsn::Action;

/// Lines that are read. Chosen, not measured: a thousand recipients with ten lines each.
const LINES_MAX: usize = 10_000;

/// A bounce in words, and what its header says.
#[derive(Debug)]
pub(super) struct Words<'a> {
    /// The text, without what came back.
    pub(super) text: &'a str,
    /// Recipients that the header names (`X-Failed-Recipients`).
    pub(super) failed: Vec<String>,
    /// Addresses that are no recipients: the bounce's own.
    pub(super) own: Vec<String>,
    /// What came back.
    pub(super) mail: &'a ReturnedMail,
    /// Failed, or delayed.
    pub(super) action: Action,
}

/// The text before what came back, and the rest.
pub(super) fn parted(text: &str) -> (&str, &str) {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if at > 0 && (begins_return(line.trim()) || is_trace(line)) {
            return text.split_at(at);
        }
        at += line.len();
    }
    (text, "")
}

impl Words<'_> {
    /// The recipients that the words are about.
    pub(super) fn read(&self) -> Vec<Bounced> {
        let lines: Vec<&str> = self.text.lines().take(LINES_MAX).collect();
        let recipients = self.recipients(&lines);
        let arrival = lines.iter().take(20).find_map(|line| {
            let (_, date) = line.split_once("message was received at ")?;
            MailDate::parse(date.trim())
        });
        let alone = recipients.len() == 1;
        let mentions = Mentions::of(&lines);
        // Some say why before they say of whom.
        let first = recipients.first().map_or(0, |first| first.at);
        let before = lines.get(..first).and_then(quoted_in);
        let mut all = Vec::new();
        for (i, one) in recipients.iter().enumerate() {
            let next = recipients.get(i + 1).map_or(lines.len(), |next| next.at.max(one.at));
            let (mentions, before) = (&mentions, before.as_ref());
            let place = Place { lines: &lines, mentions, before, at: one.at, next, alone };
            let mut bounced = self.bounced(one.address.clone(), place.said(one));
            let section = place.section();
            bounced.remote_mta = host_in(section).or_else(|| host_in(&lines).filter(|_| alone));
            bounced.arrival = arrival;
            all.push(bounced);
        }
        all
    }

    fn bounced(&self, recipient: Option<String>, said: Option<Said>) -> Bounced {
        let mut bounced = Bounced::new(BounceKind::FreeForm);
        bounced.recipient = recipient;
        bounced.action = Some(self.action);
        if let Some(said) = said {
            bounced.code = said.reply.map(|reply| reply.code);
            bounced.status = said.status;
            bounced.diagnostic = Some(said.text);
        }
        bounced
    }

    /// The recipients, in the order of the lines that name them.
    fn recipients<'l>(&self, lines: &[&'l str]) -> Vec<About<'l>> {
        let named = lines.iter().enumerate();
        let named = named.filter_map(|(at, line)| Some((at, Named::of(line)?)));
        let named: Vec<(usize, Named<'l>)> = named.collect();
        if !self.failed.is_empty() {
            let start = lines.iter().position(|line| line.trim_end().ends_with("failed:"));
            let start = start.unwrap_or(0);
            let mut found: Vec<About<'_>> =
                self.failed.iter().map(|address| About::named(address, &named, start)).collect();
            found.sort_by_key(|about| about.at);
            return found;
        }
        let mut best = self.surest(&named, &self.own);
        if best.is_empty() && self.mail.to.is_none() {
            best = self.surest(&named, &[]);
        }
        let mut found: Vec<About<'_>> = Vec::new();
        let mut known = BTreeSet::new();
        for (at, named) in best {
            if known.insert(named.address.to_ascii_lowercase()) && found.len() < RECIPIENTS_MAX {
                let address = Some(named.address.to_owned());
                // What the other host said stands above what the writer makes of it.
                let said = |at: &usize| named.rank == Rank::Replied && is_said(lines, *at);
                let at = at.checked_sub(1).filter(said).unwrap_or(at);
                found.push(About { address, at, before: named.before, rest: named.rest });
            }
        }
        if found.is_empty() {
            found.push(About { address: self.mail.to.clone(), at: 0, before: "", rest: "" });
        }
        found
    }

    fn is_transcript(&self) -> bool {
        self.text.contains("Transcript of session follows")
    }

    /// The named addresses of the surest rank there is, but for those.
    fn surest<'l>(&self, named: &[(usize, Named<'l>)], but: &[String]) -> Vec<(usize, Named<'l>)> {
        let is_other = |address: &str| but.iter().any(|own| own.eq_ignore_ascii_case(address));
        let senders = &self.mail.senders;
        let is_sender = |address: &str| senders.iter().any(|own| own.eq_ignore_ascii_case(address));
        let left = named.iter().filter(|(_, named)| {
            !is_other(named.address) && (but.is_empty() || !is_sender(named.address))
        });
        let left: Vec<_> = left.filter(|(_, named)| named.rank < Rank::There).cloned().collect();
        let surest = left.iter().map(|(_, named)| named.rank).min();
        // A transcript names some recipients in commands and others in replies only.
        let most = surest.filter(|rank| *rank != Rank::Keyed || !self.is_transcript());
        let most = most.unwrap_or(Rank::Replied);
        left.into_iter().filter(|(_, named)| named.rank <= most).collect()
    }
}

/// A recipient, and the line that it is named in.
#[derive(Debug)]
struct About<'l> {
    address: Option<String>,
    at: usize,
    before: &'l str,
    rest: &'l str,
}

impl<'l> About<'l> {
    /// A recipient that the header names: where the words do, too, else at a line from which
    /// they speak of failures.
    fn named(address: &str, named: &[(usize, Named<'l>)], start: usize) -> Self {
        let same = named.iter().filter(|(_, named)| named.address.eq_ignore_ascii_case(address));
        let first = same.min_by_key(|(at, named)| (named.rank, *at));
        let address = Some(address.to_owned());
        match first {
            Some((at, named)) => Self { address, at: *at, before: named.before, rest: named.rest },
            None => Self { address, at: start, before: "", rest: "" },
        }
    }
}

/// Where a recipient's section lies in the words.
#[derive(Debug)]
struct Place<'a> {
    lines: &'a [&'a str],
    mentions: &'a Mentions,
    /// What is quoted before anybody is named.
    before: Option<&'a Said>,
    at: usize,
    next: usize,
    /// Whether there is no other recipient, so that all words are about this one.
    alone: bool,
}

impl<'a> Place<'a> {
    fn section(&self) -> &'a [&'a str] {
        self.lines.get(self.at..self.next).unwrap_or_default()
    }

    /// What is said about the recipient: in its section, else wherever it is named, else anywhere.
    fn said(&self, about: &About<'_>) -> Option<Said> {
        let section = self.section();
        let quoted = quoted_in(section)
            .or_else(|| self.mentions.quoted(about.address.as_deref()?, self.lines))
            .or_else(|| self.alone.then(|| quoted_in(self.lines)).flatten())
            .or_else(|| self.before.cloned());
        let below = section.get(1..).unwrap_or_default();
        let above = self.lines.get(..self.at).unwrap_or_default();
        let mut said = quoted.or_else(|| words_in(about.before, about.rest, below, above))?;
        if said.status.is_none() {
            let near = status_in(&section.join("\n"));
            let class =
                said.reply.map(|reply| u8::try_from(reply.code.number() / 100).unwrap_or(0));
            said.status = near.filter(|status| class.is_none_or(|class| class == status.class));
        }
        Some(said)
    }
}

/// Whether a line of a transcript quotes the other host.
fn is_said(lines: &[&str], at: usize) -> bool {
    lines.get(at).is_some_and(|line| line.trim_start().starts_with("<<<"))
}

/// Whether programs begin to quote the returned message with such a line.
fn begins_return(line: &str) -> bool {
    if line.len() > 200 {
        return false;
    }
    let lower = line.to_ascii_lowercase();
    RETURN_LINES.iter().any(|begin| lower.contains(begin))
        || lower.trim_matches(|c: char| !c.is_alphanumeric()) == "original message"
}

/// Whether a line is the first of a message's own header.
fn is_trace(line: &str) -> bool {
    let line = line.trim_start_matches(['>', ' ']);
    let marks = ["Received:", "Return-Path:", "Return-path:", "DKIM-Signature:"];
    marks.iter().any(|mark| line.starts_with(mark))
}

/// What stands in lines at which programs begin to quote, in lower case.
const RETURN_LINES: &[&str] = &[
    "this line is a copy of the message",
    "is a copy of the message",
    "is a copy of your message",
    "is a copy of the original message",
    "copy of the message header",
    "enclosed is a copy",
    "original message follows",
    "original message header",
    "----- original message",
    "-----original message",
    "------original message",
    "original mail follows",
    "original headers follow",
    "header of the original message",
    "headers of the original message",
    "message headers follow",
    "message header follows",
    "message text follows",
    "message header --",
    "unsent message follows",
    "unsent message below",
    "returned message ---",
    "returned message follows",
    "returned mail follows",
    "undelivered message follows",
    "begin original message",
    "first lines of the message",
    "lines of your message follow",
    "your original message follows",
    "your message follows",
    "the body of the message is",
    "the rejected message follows",
    "ursprüngliche nachricht",
    "message d'origine",
    "mensaje original",
    "messaggio originale",
    "元のメッセージ",
    "原始邮件",
    "原始郵件",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_back_is_parted_from_the_words() {
        let text = "Sorry.\n\n--- Below this line is a copy of the message.\n\nTo: a@b.c\n";
        assert_eq!(parted(text).0, "Sorry.\n\n");
        assert_eq!(parted("Sorry.\nReceived: from x\n").1, "Received: from x\n");
        assert_eq!(parted("Sorry.\n"), ("Sorry.\n", ""));
    }
}
