//! What is known, and what would have to be.

use std::collections::{BTreeMap, BTreeSet};

use postlane_mail::Span;

use super::authority::{Authority, Served};
use super::{Answer, Kind, Name};
use crate::blocklist::Keys;
use crate::exchanger::{Greeting, Mailbox, Taken};
use crate::web::{Fetched, Page};

/// A question for the DNS.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Question {
    /// Of which name.
    pub name: Name,
    /// Which records.
    pub kind: Kind,
}

/// The answers so far, and the questions that came up without one: to the DNS, to single name
/// servers, to web servers, and to mail exchangers.
#[derive(Debug, Clone, Default)]
pub struct Known {
    dns: Heard<Question, Answer>,
    /// How long it took to find out, where that was measured.
    took: BTreeMap<Question, Span>,
    authorities: Heard<Authority, Served>,
    pages: Heard<Page, Fetched>,
    greetings: Heard<Name, Greeting>,
    mailboxes: Heard<Mailbox, Taken>,
    /// How long a page took, where that was measured.
    pages_took: BTreeMap<Page, Span>,
    keys: Keys,
}

/// Questions of one sort.
#[derive(Debug, Clone)]
struct Heard<Q, A> {
    answers: BTreeMap<Q, A>,
    missing: BTreeSet<Q>,
}

impl<Q, A> Default for Heard<Q, A> {
    fn default() -> Self {
        Self { answers: BTreeMap::new(), missing: BTreeSet::new() }
    }
}

impl<Q: Ord + Clone, A> Heard<Q, A> {
    fn ask(&mut self, question: &Q) -> Option<&A> {
        let answer = self.answers.get(question);
        if answer.is_none() {
            self.missing.insert(question.clone());
        }
        answer
    }

    fn learn(&mut self, question: Q, answer: A) {
        self.missing.remove(&question);
        self.answers.insert(question, answer);
    }
}

impl Known {
    /// Nothing is known.
    pub fn new() -> Self {
        Self::default()
    }

    /// Keys that questions to block lists may be asked with.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Has block lists asked with these keys.
    pub fn use_keys(&mut self, keys: Keys) {
        self.keys = keys;
    }

    /// The answer; without one the question is noted as missing.
    pub fn ask(&mut self, question: &Question) -> Option<&Answer> {
        self.dns.ask(question)
    }

    /// Keeps an answer.
    pub fn learn(&mut self, question: Question, answer: Answer) {
        self.dns.learn(question, answer);
    }

    /// Keeps how long it took to find an answer.
    pub fn note_took(&mut self, question: Question, took: Span) {
        self.took.insert(question, took);
    }

    /// How long it took to find an answer, where that was measured.
    pub fn took(&self, question: &Question) -> Option<Span> {
        self.took.get(question).copied()
    }

    /// What came up since the last time, in order. Empty: whatever was run has come to its end,
    /// as far as the DNS goes.
    pub fn take_missing(&mut self) -> BTreeSet<Question> {
        std::mem::take(&mut self.dns.missing)
    }

    /// Everything that is known of the DNS, in order.
    pub fn answers(&self) -> impl Iterator<Item = (&Question, &Answer)> {
        self.dns.answers.iter()
    }

    /// What one name server itself says.
    pub fn ask_authority(&mut self, authority: &Authority) -> Option<&Served> {
        self.authorities.ask(authority)
    }

    /// Keeps what a name server said.
    pub fn learn_authority(&mut self, authority: Authority, served: Served) {
        self.authorities.learn(authority, served);
    }

    /// Name servers that are to be asked.
    pub fn take_missing_authorities(&mut self) -> BTreeSet<Authority> {
        std::mem::take(&mut self.authorities.missing)
    }

    /// Everything that single name servers said.
    pub fn authorities(&self) -> impl Iterator<Item = (&Authority, &Served)> {
        self.authorities.answers.iter()
    }

    /// What a web server has.
    pub fn fetch(&mut self, page: &Page) -> Option<&Fetched> {
        self.pages.ask(page)
    }

    /// Keeps what a web server had.
    pub fn learn_page(&mut self, page: Page, fetched: Fetched) {
        self.pages.learn(page, fetched);
    }

    /// Pages that are to be fetched.
    pub fn take_missing_pages(&mut self) -> BTreeSet<Page> {
        std::mem::take(&mut self.pages.missing)
    }

    /// Everything that web servers had.
    pub fn pages(&self) -> impl Iterator<Item = (&Page, &Fetched)> {
        self.pages.answers.iter()
    }

    /// How a mail exchanger greets.
    pub fn greet(&mut self, exchanger: &Name) -> Option<&Greeting> {
        self.greetings.ask(exchanger)
    }

    /// Keeps how a mail exchanger greeted.
    pub fn learn_greeting(&mut self, exchanger: Name, greeting: Greeting) {
        self.greetings.learn(exchanger, greeting);
    }

    /// Mail exchangers that are to be greeted.
    pub fn take_missing_greetings(&mut self) -> BTreeSet<Name> {
        std::mem::take(&mut self.greetings.missing)
    }

    /// Keeps how long it took to fetch a page.
    pub fn note_page_took(&mut self, page: Page, took: Span) {
        self.pages_took.insert(page, took);
    }

    /// How long it took to fetch a page, where that was measured.
    pub fn page_took(&self, page: &Page) -> Option<Span> {
        self.pages_took.get(page).copied()
    }

    /// Whether an exchanger takes mail for a mailbox.
    pub fn try_mailbox(&mut self, mailbox: &Mailbox) -> Option<&Taken> {
        self.mailboxes.ask(mailbox)
    }

    /// Keeps what an exchanger said of a mailbox.
    pub fn learn_mailbox(&mut self, mailbox: Mailbox, taken: Taken) {
        self.mailboxes.learn(mailbox, taken);
    }

    /// Mailboxes that exchangers are to be asked about.
    pub fn take_missing_mailboxes(&mut self) -> BTreeSet<Mailbox> {
        std::mem::take(&mut self.mailboxes.missing)
    }

    /// What exchangers said of mailboxes.
    pub fn mailboxes(&self) -> impl Iterator<Item = (&Mailbox, &Taken)> {
        self.mailboxes.answers.iter()
    }

    /// How mail exchangers greeted.
    pub fn greetings(&self) -> impl Iterator<Item = (&Name, &Greeting)> {
        self.greetings.answers.iter()
    }
}
