//! Block lists and domains, for whoever wants to know how they are seen.

use std::sync::Arc;

use postlane_checks::blocklist::Subject;
use postlane_checks::watch::Board;
use postlane_mail::{Instant, Label};
use postlane_registry::{ListingFilter, ListingSpan, RegistryError};

use super::Handle;
use crate::identity::watch::Which;
use crate::setup::WatchSetup;

/// What is known of block lists.
#[derive(Debug, Clone)]
pub struct ListsSeen {
    /// Who is watched, and how.
    pub setup: Arc<WatchSetup>,
    /// Each subject on each list.
    pub board: Arc<Board>,
    /// When lists were asked last; none since the start.
    pub at: Option<Instant>,
}

impl Handle {
    /// What is known of block lists, as of the last look.
    pub fn lists_seen(&self) -> ListsSeen {
        let seen = self.0.watch.seen();
        ListsSeen { setup: self.0.live.borrow().watch.clone(), board: seen.board, at: seen.at }
    }

    /// Questions that a list was asked today (UTC).
    pub fn asked_today(&self, list: &str) -> u32 {
        self.0.watch.asked_today(self.now(), list)
    }

    /// Asks all lists about everybody now, as far as the limits allow, and waits for it.
    pub async fn ask_lists_now(&self) -> Result<ListsSeen, RegistryError> {
        self.look_at_lists(Which::All).await?;
        Ok(self.lists_seen())
    }

    /// Who was on which list from when to when, the youngest first, as far as a tenant sees it;
    /// all of it for [`Label::NONE`].
    pub async fn listings(
        &self,
        filter: ListingFilter,
        most: u32,
        tenant: &Label,
    ) -> Result<Vec<ListingSpan>, RegistryError> {
        let setup = self.0.live.borrow().watch.clone();
        let most_read = if tenant.is_none() { most } else { postlane_registry::LISTINGS_MAX };
        let mut found = self.registry(move |db| db.listings(&filter, most_read)).await?;
        found.retain(|span| {
            tenant.is_none()
                || Subject::read(&span.subject).is_some_and(|of| setup.is_seen(&of, tenant))
        });
        found.truncate(usize::try_from(most).unwrap_or(usize::MAX));
        Ok(found)
    }
}
