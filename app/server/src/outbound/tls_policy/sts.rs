//! Policies of MTA-STS: fetched, kept over restarts, and renewed before they end (RFC 8461 §3.3,
//! §5.1, §10.2).

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::{StreamExt as _, stream};
use parking_lot::Mutex;
use postlane_checks::mta_sts::{
    Announced, KeptPolicy, Step, StsFetchFault, StsMode, StsPolicy, StsRecord,
};
use postlane_checks::{Kind, Known, Name, Question, Record};
use postlane_mail::{Domain, Instant, Span};
use postlane_net::dns::Resolver;
use postlane_net::enquiry::Enquiry;
use postlane_registry::{KeptStsPolicy, Registry};

use super::tally::{Tallies, Went};
use crate::ground::clock::Clock;
use crate::telling::journal::{Journal, alarm};

/// Policies of recipients' domains.
pub(super) struct StsPolicies {
    pub(super) clock: Clock,
    pub(super) registry: Registry,
    pub(super) journal: Journal,
    pub(super) tallies: Tallies,
    pub(super) kept: Mutex<BTreeMap<Domain, KeptPolicy>>,
    /// When it last failed to fetch a domain's policy.
    pub(super) failed: Mutex<BTreeMap<Domain, Instant>>,
}

/// Policies that are kept. Chosen, not measured: with the names of a few hosts it is 50 MB.
const POLICIES_MAX: usize = 100_000;

/// Domains of which it is remembered that their policy could not be fetched. Chosen, not measured.
const FAILED_MAX: usize = 10_000;

/// A policy that could not be fetched is not asked for again before this. RFC 8461 §3.3 wants it
/// limited, and suggests five minutes.
const AGAIN_AFTER: Span = Span::from_min(5);

/// Policies that are fetched at a time when many are to be renewed. Chosen, not measured.
const AT_A_TIME: usize = 8;

impl StsPolicies {
    /// Takes in what was kept before the server started.
    pub(super) fn load(&self) {
        let found = match self.registry.wait(|db| db.sts_policies()) {
            Ok(found) => found,
            Err(why) => {
                return alarm(&format!(
                    "{why}. MTA-STS policies that were known before are fetched anew; until then \
                     their domains' mail goes as if there were none"
                ));
            }
        };
        let mut kept = self.kept.lock();
        for KeptStsPolicy { domain, id, fetched, policy } in found.into_iter().take(POLICIES_MAX) {
            if let (Ok(domain), Ok(policy)) =
                (Domain::parse(&domain), StsPolicy::parse(policy.as_bytes()))
            {
                kept.insert(domain, KeptPolicy { policy, id: id.into(), fetched });
            }
        }
    }

    /// The policy that mail to a domain goes by; none where there is none. A policy that asks for
    /// nothing any more is none.
    pub(super) async fn of(
        self: &Arc<Self>,
        domain: &Domain,
        resolver: &Resolver,
        web: Option<&Arc<Enquiry>>,
    ) -> Option<StsPolicy> {
        let name = Name::from(domain);
        let announced = announced(&name, resolver).await;
        let now = self.clock.now();
        let kept = self.kept.lock().get(domain).cloned();
        match (Step::next(&announced, kept.as_ref(), now), announced) {
            (Step::NoPolicy, _) => return None,
            (Step::Fetch, Announced::Policy(id)) => {
                if let Some(web) = web {
                    self.renew(domain, &id, web).await;
                }
            }
            _ => {
                let due = kept.filter(|kept| kept.is_to_be_renewed(now));
                if let (Some(due), Some(web)) = (due, web) {
                    // Its mail need not wait for that.
                    let (this, domain, web) = (self.clone(), domain.clone(), web.clone());
                    tokio::spawn(async move { this.renew(&domain, &due.id, &web).await });
                }
            }
        }
        let kept = self.kept.lock();
        let policy = KeptPolicy::in_force(kept.get(domain), self.clock.now())?;
        (policy.mode != StsMode::None).then(|| policy.clone())
    }

    /// Renews all policies whose time has come, and forgets those that have ended.
    pub(super) async fn renew_all(self: &Arc<Self>, web: &Arc<Enquiry>) {
        let now = self.clock.now();
        let mut ended = Vec::new();
        let mut due = Vec::new();
        self.kept.lock().retain(|domain, kept| {
            if !kept.is_fresh(now) {
                ended.push(domain.clone());
            } else if kept.is_to_be_renewed(now) {
                due.push((domain.clone(), kept.id.clone()));
            }
            kept.is_fresh(now)
        });
        for domain in ended {
            // One that stays there too long is not gone by either.
            let _ = self.registry.ask(move |db| db.forget_sts_policy(domain.as_str()), |_| ());
        }
        let renewed = stream::iter(due).for_each_concurrent(AT_A_TIME, async |(domain, id)| {
            self.renew(&domain, &id, web).await;
        });
        renewed.await;
    }

    /// Fetches a policy and keeps it in the place of the one before, which stays if that fails.
    async fn renew(&self, domain: &Domain, id: &str, web: &Enquiry) {
        let began = self.clock.now();
        let lately = |at: &Instant| began.since(*at) < AGAIN_AFTER;
        if self.failed.lock().get(domain).is_some_and(lately) {
            return;
        }
        let Some(page) = StsPolicy::page_of(&Name::from(domain)) else { return };
        let mut known = Known::new();
        known.fetch(&page);
        web.complete(&mut known).await;
        let Some(answer) = known.fetch(&page) else { return };
        match StsPolicy::of_answer(answer) {
            Ok(policy) => self.keep(domain, KeptPolicy { policy, id: id.into(), fetched: began }),
            Err(fault) => self.note(domain, began, &fault),
        }
    }

    fn keep(&self, domain: &Domain, new: KeptPolicy) {
        self.failed.lock().remove(domain);
        let row = KeptStsPolicy {
            domain: domain.to_string(),
            id: new.id.to_string(),
            fetched: new.fetched,
            policy: new.policy.to_string(),
        };
        let mode = new.policy.mode.as_str();
        {
            let mut kept = self.kept.lock();
            if kept.len() >= POLICIES_MAX && !kept.contains_key(domain) {
                return;
            }
            kept.insert(domain.clone(), new);
        }
        let fields = [("domain", domain.as_str()), ("mode", mode), ("id", &row.id)];
        self.journal.event(row.fetched, "sts-policy", &fields);
        let unkept = |done: Result<(), _>| {
            if let Err(why) = done {
                alarm(&format!("{why}. An MTA-STS policy will be forgotten at the next restart"));
            }
        };
        // Too busy: what is not written now is written when it is fetched the next time.
        let _ = self.registry.ask(move |db| db.keep_sts_policy(&row), unkept);
    }

    fn note(&self, domain: &Domain, now: Instant, fault: &StsFetchFault) {
        {
            let mut failed = self.failed.lock();
            failed.retain(|_, at| now.since(*at) < AGAIN_AFTER);
            if failed.len() < FAILED_MAX {
                failed.insert(domain.clone(), now);
            }
        }
        let says = fault.to_string();
        let fields = [("domain", domain.as_str()), ("text", says.as_str())];
        self.journal.event(now, "sts-policy-failed", &fields);
        let in_force = KeptPolicy::in_force(self.kept.lock().get(domain), now).cloned();
        self.tallies.count(now, Went::unfetched(domain, in_force.as_ref(), fault));
    }
}

/// What the DNS says of a domain's policy. What cannot be found out says nothing.
async fn announced(name: &Name, resolver: &Resolver) -> Announced {
    let Some(name) = StsRecord::name_of(name) else { return Announced::Nothing };
    let answer = resolver.answer(&Question { name, kind: Kind::Txt }).await;
    let texts = answer.records().iter().filter_map(|record| match record {
        Record::Txt(text) => Some(&**text),
        _ => None,
    });
    StsRecord::of(texts).map_or(Announced::Nothing, |record| Announced::Policy(record.id))
}
