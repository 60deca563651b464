//! What became of listings is told: in the log, to who listens, in the ledger, which webhooks are
//! told from, and as an incident where providers refuse mail by the list.

use std::sync::Arc;

use postlane_checks::Outcome;
use postlane_checks::blocklist::{Lists, Subject, Weight};
use postlane_checks::watch::{Board, ListedAs, Turn};
use postlane_ledger::{Entry, Kind};
use postlane_mail::{Instant, Label};
use postlane_triage::{IncidentChange, Incidents, ListedSubject};

use crate::handle::Handle;
use crate::setup::{Setup, WatchSetup};
use crate::telling::events::Event;
use crate::telling::journal::Line;
use crate::trouble::incidents::step_of;

/// What became of a listing.
pub(super) struct Told {
    pub(super) at: Instant,
    pub(super) list: Box<str>,
    pub(super) subject: Subject,
    pub(super) turn: Turn,
}

impl Told {
    fn words(&self) -> (Kind, &'static str, &ListedAs) {
        match &self.turn {
            Turn::Listed(listed) => (Kind::Listed, "listed", listed),
            Turn::Altered(listed) => (Kind::Listed, "altered", listed),
            Turn::Delisted(listed) => (Kind::Delisted, "delisted", listed),
        }
    }

    fn says(&self) -> String {
        let (_, what, listed) = self.words();
        let Self { subject, list, .. } = self;
        match what {
            "delisted" => format!("{subject} is off {list}"),
            _ => format!("{subject} is on {list} ({}): {}", listed.answers, listed.means),
        }
    }

    fn entry(&self, tenant: &Label) -> Entry {
        let (kind, what, _) = self.words();
        let mut entry = Entry::new(kind, self.at);
        entry.tenant = tenant.as_str().into();
        entry.label = (&*self.list).into();
        entry.command = what.into();
        match &self.subject {
            Subject::Address(address) => entry.source = address.to_string().into(),
            Subject::Domain(name) => entry.domain = name.as_str().into(),
        }
        entry.detail = self.says().into();
        entry
    }

    fn event(&self, tenant: &Label) -> Event {
        let (kind, ..) = self.words();
        let mut event = Event::new(self.at, kind.as_str(), None);
        event.tenant = tenant.to_string();
        event.detail = self.says();
        event
    }

    fn line(&self, tenant: &Label) -> String {
        let (kind, what, _) = self.words();
        let mut line = Line::new(self.at, kind.as_str());
        line.field("list", &self.list);
        line.field("subject", &self.subject.to_string());
        if !tenant.is_none() {
            line.field("tenant", tenant.as_str());
        }
        line.field("command", what);
        line.field("text", &self.says());
        line.end()
    }
}

impl Handle {
    /// Tells what became of listings.
    pub(super) fn tell_of_listings(&self, setup: &Setup, told: Vec<Told>) {
        for one in told {
            let tenant = setup.watch.tenant_of(&one.subject);
            self.0.history.record(setup, || one.entry(&tenant));
            self.0.events.tell(|| one.event(&tenant));
            self.0.intake.journal.write(one.line(&tenant));
        }
    }

    /// Opens and closes incidents of listings. What cannot be written is written with the next look.
    pub(super) async fn look_for_listed(&self, setup: &WatchSetup, board: &Board) {
        let listed = listed(setup, board);
        self.look_for_facts(|incidents, now| incidents.look_at_listings(now, &listed)).await;
    }

    /// Takes in facts of one sort.
    pub(super) async fn look_for_facts(
        &self,
        look: impl FnOnce(&mut Incidents, Instant) -> Vec<IncidentChange>,
    ) {
        let Ok(mut held) = self.incidents_held().await else { return };
        let (mut next, now) = (held.clone(), self.now());
        let changes = look(&mut next, now);
        let steps = changes.iter().filter_map(|change| step_of(*change, &next, now)).collect();
        let _ = self.keep_incidents(&mut held, next, steps).await;
        drop(held);
        self.tell_of_incidents().await;
    }
}

/// Who is on a list by which providers refuse mail.
fn listed(setup: &WatchSetup, board: &Board) -> Vec<ListedSubject> {
    let one = |(id, subject, listed): (&str, &Subject, &ListedAs)| {
        let list = Lists::built_in().named(id)?;
        let is_grave = list.weight >= Weight::High && listed.outcome == Outcome::Fail;
        is_grave.then(|| ListedSubject {
            list: Arc::from(id),
            name: list.name.clone(),
            subject: subject.to_string().into(),
            tenant: setup.tenant_of(subject),
            since: listed.since,
            means: listed.means.clone(),
            delist: list.delist.clone(),
        })
    };
    let cells = board.cells();
    cells.filter_map(|(list, subject, cell)| one((list, subject, cell.listed()?))).collect()
}
