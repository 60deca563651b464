//! What is known of tests without looking at the disk.

use std::collections::BTreeMap;

use postlane_mail::{Instant, Label, Span};

use super::shelf::{Card, Found};
use super::token::TestId;

/// A test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Test {
    /// Which.
    pub id: TestId,
    /// Whose it is; none for nobody's.
    pub tenant: Label,
    /// Who made it.
    pub by: String,
    /// When.
    pub made: Instant,
    /// Until when its address takes mail.
    pub until: Instant,
    /// The test whose last message its first one is compared with.
    pub again: Option<TestId>,
    /// Its messages, from 1.
    pub messages: Vec<MessageStanding>,
}

/// How a message of a test stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageStanding {
    /// It is on its way to the disk.
    Coming,
    /// It is durable, and has no report yet.
    Kept,
    /// It has a report.
    Reported,
    /// It could not be kept, or not be looked at.
    Failed,
}

/// Why something could not be done with tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoTest {
    /// No domain is set.
    #[error(
        "there is no test domain: write `domain` in [tester], and `tests = true` in a [[listener]]"
    )]
    Off,
    /// There is none of that name, or it is another tenant's.
    #[error("there is no such test; /v1/tests lists those there are")]
    Unknown,
    /// As many are kept as may be.
    #[error("as many tests are kept as may be (tester.tests); they go by themselves after a while")]
    TooMany,
    /// It could not be written.
    #[error("the test could not be written to disk; the log says why")]
    Disk,
    /// The message has no report, or there is no such message.
    #[error("there is no report of that message")]
    NoReport,
    /// It is longer or shorter than may be.
    #[error("an address takes mail for 5 minutes at least and 30 days at most")]
    Expiry,
}

/// All tests.
#[derive(Debug, Default)]
pub(super) struct Book {
    tests: BTreeMap<TestId, Test>,
    octets: BTreeMap<TestId, u64>,
}

impl Book {
    pub(super) fn of(found: Vec<Found>) -> Self {
        let mut book = Self::default();
        for Found { id, card, messages, octets } in found {
            let mut test = Test::of(id, &card);
            let last = messages.last().map_or(0, |(number, _)| *number);
            test.messages = vec![MessageStanding::Failed; last as usize];
            for (number, has_report) in messages {
                let standing = match has_report {
                    true => MessageStanding::Reported,
                    false => MessageStanding::Kept,
                };
                test.set(number, standing);
            }
            book.octets.insert(id, octets);
            book.tests.insert(id, test);
        }
        book
    }

    pub(super) fn len(&self) -> usize {
        self.tests.len()
    }

    /// Octets on the disk.
    pub(super) fn octets(&self) -> u64 {
        self.octets.values().sum()
    }

    pub(super) fn add(&mut self, test: Test) {
        self.tests.insert(test.id, test);
    }

    pub(super) fn find(&self, id: TestId) -> Option<&Test> {
        self.tests.get(&id)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Test> {
        self.tests.values()
    }

    /// The number of one more message, if it may have one more.
    pub(super) fn next_message(&mut self, id: TestId, messages_max: u32) -> Option<u32> {
        let test = self.tests.get_mut(&id)?;
        let number = u32::try_from(test.messages.len()).ok()? + 1;
        (number <= messages_max).then(|| test.messages.push(MessageStanding::Coming))?;
        Some(number)
    }

    /// Says how a message stands now, and what it takes of the disk beside.
    pub(super) fn set(&mut self, id: TestId, number: u32, standing: MessageStanding, octets: u64) {
        // It may have been forgotten meanwhile.
        if let Some(test) = self.tests.get_mut(&id) {
            test.set(number, standing);
            *self.octets.entry(id).or_default() += octets;
        }
    }

    /// Forgets a message that is not to be kept. Its number is free again where it was the last.
    pub(super) fn take_back(&mut self, id: TestId, number: u32) {
        let Some(test) = self.tests.get_mut(&id) else { return };
        if test.messages.len() == number as usize {
            test.messages.pop();
        } else {
            test.set(number, MessageStanding::Failed);
        }
    }

    pub(super) fn remove(&mut self, id: TestId) {
        self.tests.remove(&id);
        self.octets.remove(&id);
    }

    /// Tests that are to be forgotten.
    pub(super) fn old(&self, now: Instant, keep_for: Span) -> Vec<TestId> {
        let is_old = |test: &&Test| test.until + keep_for <= now;
        self.tests.values().filter(is_old).map(|test| test.id).collect()
    }
}

impl Test {
    pub(super) fn of(id: TestId, card: &Card) -> Self {
        Self {
            id,
            tenant: Label::parse(&card.tenant).unwrap_or(Label::NONE),
            by: card.by.clone(),
            made: Instant(card.made_us),
            until: card.until(),
            again: card.again.as_deref().and_then(TestId::parse),
            messages: Vec::new(),
        }
    }

    fn set(&mut self, number: u32, standing: MessageStanding) {
        let place = (number as usize).checked_sub(1);
        if let Some(message) = place.and_then(|place| self.messages.get_mut(place)) {
            *message = standing;
        }
    }

    /// The last message that has a report.
    pub fn last_reported(&self) -> Option<u32> {
        self.reported().last()
    }

    /// Messages that have a report, by number.
    pub fn reported(&self) -> impl Iterator<Item = u32> {
        let all = (1_u32..).zip(&self.messages);
        all.filter(|(_, standing)| **standing == MessageStanding::Reported).map(|(n, _)| n)
    }

    /// Whether a message has come that has no report yet.
    pub fn is_being_looked_at(&self) -> bool {
        let waits =
            |one: &MessageStanding| matches!(one, MessageStanding::Coming | MessageStanding::Kept);
        self.messages.iter().any(waits)
    }
}
