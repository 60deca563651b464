//! Tests, for whoever asks: made, listed, and read.

use std::sync::Arc;

use postlane_mail::{Label, Span};
use postlane_tester::{Comparison, Report, compare};

use super::Tester;
use super::book::{NoTest, Test};
use super::shelf::Card;
use super::token::{TestId, Tokens};
use crate::ground::secret;
use crate::handle::Handle;

/// A test that is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewTest {
    /// Whose; none for nobody's.
    pub tenant: Label,
    /// Who makes it.
    pub by: String,
    /// How long its address takes mail; none for as long as is usual.
    pub lasts: Option<Span>,
    /// An earlier test, whose last message the first one is compared with.
    pub again: Option<TestId>,
}

/// A test as it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The test.
    pub test: Test,
    /// The address that takes its mail.
    pub address: String,
    /// Where its report is read by whoever knows this.
    pub link: String,
    /// The path of that.
    pub path: String,
    /// Whether the address takes mail now.
    pub is_open: bool,
}

/// How long an address may take mail.
const LASTS: (Span, Span) = (Span::from_min(5), Span::from_h(720));

impl Tester {
    pub(crate) async fn make(self: &Arc<Self>, new: NewTest) -> Result<Told, NoTest> {
        let setup = self.live.borrow().tester.clone();
        let lasts = new.lasts.unwrap_or(setup.expires);
        if lasts < LASTS.0 || lasts > LASTS.1 {
            return Err(NoTest::Expiry);
        }
        if let Some(again) = new.again {
            self.of(again, &new.tenant)?;
        }
        let now = self.clock.now();
        let card = Card {
            tenant: new.tenant.to_string(),
            by: new.by,
            made_us: now.0,
            until_us: Tokens::whole_minute(now + lasts).0,
            again: new.again.map(|id| id.to_string()),
        };
        let id = TestId::of_chance(secret::random());
        if self.book.lock().len() >= setup.tests {
            return Err(NoTest::TooMany);
        }
        let (shelf, kept) = (self.shelf.clone(), card.clone());
        let begun = tokio::task::spawn_blocking(move || shelf.begin(id, &kept)).await;
        begun.map_err(|_| NoTest::Disk)?.map_err(|error| {
            let fields = [("test", &*id.to_string()), ("text", &*error.to_string())];
            self.journal.event(now, "test-lost", &fields);
            NoTest::Disk
        })?;
        let test = Test::of(id, &card);
        self.book.lock().add(test.clone());
        Ok(self.told(test))
    }

    fn told(&self, test: Test) -> Told {
        let path = format!("/t/{}", self.tokens.link(test.id));
        let most = self.live.borrow().tester.messages as usize;
        Told {
            address: self.tokens.address(test.id, test.until),
            link: format!("{}{path}", self.live.borrow().tester.link),
            is_open: self.clock.now() < test.until && test.messages.len() < most,
            path,
            test,
        }
    }

    /// A test that a tenant sees; everybody's for [`Label::NONE`].
    pub(crate) fn of(&self, id: TestId, tenant: &Label) -> Result<Test, NoTest> {
        let book = self.book.lock();
        let found = book.find(id).filter(|test| tenant.is_none() || test.tenant == *tenant);
        found.cloned().ok_or(NoTest::Unknown)
    }

    async fn report(&self, id: TestId, number: u32) -> Result<Report, NoTest> {
        let shelf = self.shelf.clone();
        let read = tokio::task::spawn_blocking(move || shelf.report(id, number)).await;
        read.ok().and_then(Result::ok).ok_or(NoTest::NoReport)
    }

    /// The report of a message, the last one's where none is named, and what has changed since the
    /// one before it.
    async fn compared(
        &self,
        test: &Test,
        number: Option<u32>,
    ) -> Result<(Report, Option<Comparison>), NoTest> {
        let number = number.or_else(|| test.last_reported()).ok_or(NoTest::NoReport)?;
        let report = self.report(test.id, number).await?;
        let before = test.reported().filter(|before| *before < number).last();
        let earlier = match (before, test.again) {
            (Some(before), _) => Some((test.id, before)),
            (None, Some(again)) => {
                let again = self.of(again, &test.tenant).ok();
                again.and_then(|again| Some((again.id, again.last_reported()?)))
            }
            (None, None) => None,
        };
        let earlier = match earlier {
            Some((id, number)) => self.report(id, number).await.ok(),
            None => None,
        };
        let comparison = earlier.map(|earlier| compare(&earlier, &report));
        Ok((report, comparison))
    }
}

impl Handle {
    fn tester(&self) -> Result<&Arc<Tester>, NoTest> {
        self.0.tester.as_ref().ok_or(NoTest::Off)
    }

    /// Makes a test: an address that takes mail for a while. It is durable when this says so.
    pub async fn new_test(&self, new: NewTest) -> Result<Told, NoTest> {
        self.tester()?.make(new).await
    }

    /// All tests that a tenant sees, the youngest first; all there are for [`Label::NONE`].
    pub fn tests(&self, tenant: &Label) -> Result<Vec<Told>, NoTest> {
        let tester = self.tester()?;
        let sees = |test: &&Test| tenant.is_none() || test.tenant == *tenant;
        let mut all: Vec<Test> = tester.book.lock().all().filter(sees).cloned().collect();
        all.sort_by_key(|test| std::cmp::Reverse(test.made));
        Ok(all.into_iter().map(|test| tester.told(test)).collect())
    }

    /// One test that a tenant sees.
    pub fn test(&self, id: TestId, tenant: &Label) -> Result<Told, NoTest> {
        let tester = self.tester()?;
        Ok(tester.told(tester.of(id, tenant)?))
    }

    /// The test that a link is to; it opens whatever tenant's it is.
    pub fn linked_test(&self, secret: &str) -> Result<Told, NoTest> {
        let tester = self.tester()?;
        let id = tester.tokens.read_link(secret).ok_or(NoTest::Unknown)?;
        Ok(tester.told(tester.of(id, &Label::NONE)?))
    }

    /// What was made of a message of a test, the last one where none is named, and what has changed
    /// since the one before.
    pub async fn report_of_test(
        &self,
        test: &Test,
        number: Option<u32>,
    ) -> Result<(Report, Option<Comparison>), NoTest> {
        self.tester()?.compared(test, number).await
    }

    /// How long reports are kept after an address has expired.
    pub fn tests_kept_for(&self) -> Span {
        self.0.live.borrow().tester.keep_for
    }
}
