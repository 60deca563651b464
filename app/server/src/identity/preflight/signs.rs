//! A restart plan's sign that header samples are clean: told by what preflight has seen.

use std::collections::BTreeMap;

use postlane_checks::Standing;
use postlane_lanes::{Sign, Told};
use postlane_mail::{Instant, Span};

use super::PreflightRow;
use crate::config::settings::PreflightPolicy;
use crate::handle::{Commanded, Handle, LaneAction};
use crate::lanes::LaneName;
use crate::telling::history::PREFLIGHT;

/// What was seen so long ago says nothing of today. Chosen, not measured.
const SEEN_WITHIN: Span = Span::from_h(24);

/// What preflight has said of plans, of their present days.
#[derive(Debug, Default)]
pub(super) struct Signs(BTreeMap<LaneName, Sign>);

impl Signs {
    /// What is to be said of a plan whose sign is as it `is`, if anything: where nobody has said
    /// anything today; where preflight has, and sees something else now; and where somebody called
    /// clean what is not. Who overrules preflight is not overruled.
    fn next(&mut self, plan: &LaneName, is: Sign, seen: Sign) -> Option<Sign> {
        if is == Sign::Unknown {
            self.0.remove(plan);
        }
        let ours = self.0.get(plan).copied();
        let says = match (is, ours) {
            _ if seen == Sign::Unknown || seen == is => false,
            (Sign::Unknown, _) => true,
            (is, Some(ours)) => ours == is,
            (Sign::Clean, None) => seen == Sign::Bad,
            (Sign::Bad, None) => false,
        };
        says.then(|| {
            self.0.insert(plan.clone(), seen);
            seen
        })
    }
}

/// What was seen of the mail of a plan: clean where some was looked at and nothing is missing.
fn seen<'r>(now: Instant, rows: impl Iterator<Item = &'r PreflightRow>) -> Sign {
    let mut sign = Sign::Unknown;
    for row in rows.filter(|row| row.policy != PreflightPolicy::Off) {
        let sight = row.sight.as_ref().filter(|sight| now.since(sight.at) < SEEN_WITHIN);
        match sight.map(|sight| sight.standing) {
            Some(Standing::Blocked) => return Sign::Bad,
            Some(Standing::Ready | Standing::AtRisk) => sign = Sign::Clean,
            Some(Standing::Undetermined) | None => {}
        }
    }
    sign
}

impl Handle {
    /// Tells each restart plan what was seen of its mail.
    pub(super) async fn sign_plans(&self, signs: &mut Signs) {
        let plans = self.look(|engine, now| engine.ordered_views(now, None)).await;
        // A server that is closing has no plans.
        let Ok(plans) = plans else { return };
        let (now, rows) = (self.0.clock.now(), self.0.preflight.rows());
        for plan in plans {
            let Some(restart) = plan.restart.filter(|restart| !restart.is_finished()) else {
                continue;
            };
            let name = LaneName::of(plan.scope, &self.0.names, &self.0.live.borrow());
            let of_plan = |row: &&PreflightRow| match &name.source {
                Some(_) => row.subject.goes_by(&name),
                None => *row.subject.provider == *name.provider,
            };
            let seen = seen(now, rows.iter().filter(of_plan));
            let Some(sign) = signs.next(&name, restart.signs_now().headers, seen) else { continue };
            let commanded = Commanded {
                provider: name.provider.to_string(),
                source: name.source.as_deref().map(str::to_owned),
                action: LaneAction::Tell(Told::Headers, sign),
                says: format!("sign headers {}", sign.as_str()),
                by: PREFLIGHT.to_owned(),
                why: "as seen on messages that were about to leave".to_owned(),
            };
            // It is told again at the next round.
            let _ = self.command_lane(commanded).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn preflight_says_what_it_sees_and_people_have_the_last_word() {
        use Sign::{Bad, Clean, Unknown};
        let plan = LaneName { provider: "google".into(), source: None };
        let mut signs = Signs::default();
        assert_eq!(signs.next(&plan, Unknown, Unknown), None);
        assert_eq!(signs.next(&plan, Unknown, Clean), Some(Clean));
        assert_eq!(signs.next(&plan, Clean, Clean), None);
        assert_eq!(signs.next(&plan, Clean, Bad), Some(Bad));
        assert_eq!(signs.next(&plan, Clean, Bad), None, "somebody has overruled it");
        assert_eq!(signs.next(&plan, Unknown, Bad), Some(Bad), "the day has turned");
        let mut signs = Signs::default();
        assert_eq!(signs.next(&plan, Bad, Clean), None, "somebody has said so");
        assert_eq!(signs.next(&plan, Clean, Bad), Some(Bad));
        assert_eq!(signs.next(&plan, Bad, Clean), Some(Clean));
    }
}
