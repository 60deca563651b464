//! A scenario's mail, as the engine is told of it when it is durable.

use std::collections::BTreeMap;

use postlane_engine::{FlowId, Passes, Submission, SubmittedRecipient, Together};
use postlane_mail::{Label, Place, Progress, QueueIdSource, Shard};
use postlane_receivers::{Arrival, Ms, Scenario};
use smallvec::smallvec;

use super::clock::Clock;
use super::settings::POOL;
use crate::destination::DOMAIN;
use crate::run::MessageNo;
use crate::said::Said;

/// Where mail is accepted: gives it a name and a flow.
#[derive(Debug)]
pub(super) struct Post {
    ids: QueueIdSource,
    /// Each tenant's campaigns.
    flows: BTreeMap<(Label, Label), FlowId>,
    /// Flows below this have been told of.
    told: u32,
    /// When mail that is wanted to the end expires: not in this run.
    never: Ms,
}

impl Post {
    pub(super) fn of(scenario: &Scenario) -> Self {
        let never = scenario.meta.horizon + Ms::DAY;
        Self { ids: QueueIdSource::new(Shard(0), None), flows: BTreeMap::new(), told: 0, never }
    }

    /// A message that has just been accepted.
    pub(super) fn submission(
        &mut self,
        clock: Clock,
        now: Ms,
        message: MessageNo,
        arrival: &Arrival,
    ) -> Submission {
        let expires = clock.at(arrival.max_age.map_or(self.never, |age| arrival.at + age));
        Submission {
            id: self.ids.next(clock.at(now)),
            place: Place { segment: 0, ordinal: message.0 },
            stream: arrival.stream,
            flow: self.flow(arrival),
            engaged: None,
            pool: POOL,
            awaits_verdict: false,
            together: Together::Never,
            recipients: smallvec![SubmittedRecipient {
                index: 0,
                domain: DOMAIN,
                progress: Progress { expires, ..Progress::default() },
            }],
        }
    }

    /// Which gates the mail of flows passes that nobody was told of yet.
    pub(super) fn news(&mut self, said: &Said) -> Option<Vec<Passes>> {
        let flows = u32::try_from(self.flows.len()).unwrap_or(u32::MAX);
        let told = std::mem::replace(&mut self.told, flows);
        (told < flows && !said.tenants.is_empty()).then(|| self.known(said))
    }

    /// Which gates each flow's mail passes.
    pub(super) fn known(&self, said: &Said) -> Vec<Passes> {
        let passes = |((tenant, _), flow): (&(Label, Label), &FlowId)| {
            Passes::Flow(*flow, said.of_tenant(tenant))
        };
        self.flows.iter().map(passes).collect()
    }

    fn flow(&mut self, arrival: &Arrival) -> FlowId {
        let next = FlowId(u32::try_from(self.flows.len()).unwrap_or(u32::MAX));
        let whose = (arrival.tenant.clone(), arrival.campaign.clone());
        *self.flows.entry(whose).or_insert(next)
    }
}

/// The message kept at a place.
pub(super) fn message_at(place: Place) -> MessageNo {
    MessageNo(place.ordinal)
}
