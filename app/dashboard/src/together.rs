//! What many people look at in the same second is looked at once.
//!
//! A page that is open on twenty screens asks no more than one that is open on one, for those who may
//! see the same.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use postlane_api::Problem;
use postlane_mail::Label;
use postlane_registry::Role;
use tokio::sync::OnceCell;

use crate::patch::Patch;
use crate::session::Visit;

/// So old may be what somebody else has seen: less than the span between two looks of one page.
const KEPT: Duration = Duration::from_millis(900);

/// Pages that are kept at a time; more are looked at by each for themselves. Chosen, not measured: a
/// lane's page takes some 100 KiB.
const PAGES_MAX: usize = 64;

/// Which page, as whom: what may be seen follows from role and tenant alone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Page {
    address: String,
    role: Role,
    tenant: Label,
}

/// What was seen of pages a moment ago.
#[derive(Default)]
pub(crate) struct Together(Mutex<BTreeMap<Page, Seen>>);

#[derive(Clone)]
struct Seen {
    at: Instant,
    parts: Arc<OnceCell<Result<Arc<[Patch]>, Problem>>>,
}

impl Page {
    /// The page at an address with its query, as somebody sees it.
    pub(crate) fn of(address: String, visit: &Visit) -> Self {
        Self { address, role: visit.role(), tenant: visit.person().tenant.clone() }
    }
}

impl Together {
    /// What was seen less than a second ago, or is being looked at by somebody else; else one looks.
    pub(crate) async fn look<F>(
        &self,
        page: Page,
        now: Instant,
        look: F,
    ) -> Result<Arc<[Patch]>, Problem>
    where
        F: Future<Output = Result<Vec<Patch>, Problem>>,
    {
        let looked = async { look.await.map(Arc::from) };
        match self.seen(page, now) {
            // Whoever began to look may have gone: then the next one does.
            Some(seen) => seen.parts.get_or_init(|| looked).await.clone(),
            None => looked.await,
        }
    }

    /// The place of a page; none where there is no room.
    fn seen(&self, page: Page, now: Instant) -> Option<Seen> {
        let mut pages = self.0.lock();
        let is_young = |seen: &Seen| now.saturating_duration_since(seen.at) < KEPT;
        if let Some(seen) = pages.get(&page).filter(|seen| is_young(seen)) {
            return Some(seen.clone());
        }
        pages.retain(|_, seen| is_young(seen));
        if pages.len() >= PAGES_MAX {
            return None;
        }
        let seen = Seen { at: now, parts: Arc::default() };
        pages.insert(page, seen.clone());
        Some(seen)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn page(address: &str, role: Role) -> Page {
        Page { address: address.to_owned(), role, tenant: Label::NONE }
    }

    fn html(seen: &[Patch]) -> &str {
        &seen[0].html
    }

    #[tokio::test]
    async fn many_who_look_at_once_ask_once_and_the_next_second_asks_again() {
        let (together, asked) = (Together::default(), Cell::new(0));
        let look = || async {
            asked.set(asked.get() + 1);
            tokio::task::yield_now().await;
            Ok(vec![Patch { part: "head".to_owned(), html: asked.get().to_string() }])
        };
        let begun = Instant::now();
        let all = (0..20).map(|_| together.look(page("/a", Role::Viewer), begun, look()));
        for seen in futures_util::future::join_all(all).await {
            assert_eq!(html(&seen.unwrap()), "1");
        }
        assert_eq!(asked.get(), 1);
        let seen = together.look(page("/a", Role::Viewer), begun + KEPT, look()).await.unwrap();
        assert_eq!((html(&seen), asked.get()), ("2", 2));
    }

    #[tokio::test]
    async fn who_may_see_something_else_looks_for_themselves() {
        let (together, now) = (Together::default(), Instant::now());
        let drawn = |html: &'static str| async move {
            Ok(vec![Patch { part: "head".to_owned(), html: html.to_owned() }])
        };
        let bound = Page { tenant: Label::parse("acme").unwrap(), ..page("/a", Role::Viewer) };
        let pages = [
            (page("/a", Role::Viewer), "a viewer's"),
            (page("/a", Role::Operator), "an operator's"),
            (page("/b", Role::Viewer), "another page"),
            (bound, "a tenant's"),
        ];
        for (page, says) in pages.clone() {
            assert_eq!(html(&together.look(page, now, drawn(says)).await.unwrap()), says);
        }
        for (page, says) in pages {
            assert_eq!(html(&together.look(page, now, drawn("anew")).await.unwrap()), says);
        }
    }

    #[tokio::test]
    async fn pages_beyond_the_limit_are_drawn_and_not_kept() {
        let (together, now) = (Together::default(), Instant::now());
        let nothing = || async { Ok(Vec::new()) };
        for n in 0..PAGES_MAX * 2 {
            together.look(page(&format!("/{n}"), Role::Viewer), now, nothing()).await.unwrap();
        }
        assert_eq!(together.0.lock().len(), PAGES_MAX);
        together.look(page("/later", Role::Viewer), now + KEPT, nothing()).await.unwrap();
        assert_eq!(together.0.lock().len(), 1);
    }
}
