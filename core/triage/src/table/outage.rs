//! Outage: connections time out or 421 comes without a word on policy, for everybody.

use crate::class::Class;
use crate::evidence::Measure;
use crate::group::Group;
use crate::subject::Subject;
use crate::weight::Weights;

pub(super) fn weigh(subject: &Subject<'_>, weights: &mut Weights) {
    let trouble = subject.trouble();
    let share = subject.share(Group::Outage);
    let (measure, says) = subject.told_share(Group::Outage);
    weights.lay(Class::Outage, 7.0 * trouble * share, measure, says);

    let unreached = subject.figures.unreached();
    let attempts = subject.figures.attempts();
    let reach = unreached as f64 / (attempts as f64 + 2.0);
    let measure = Measure { name: "unreached", value: unreached as f64, of: attempts };
    let says = format!("{unreached} of {attempts} attempts found no host that talks");
    weights.lay(Class::Outage, 2.0 * trouble * reach * share, measure, says);

    let judged = [Group::Rate, Group::Policy, Group::Block, Group::Identity];
    let judging = judged.map(|group| subject.share(group)).into_iter().sum::<f64>();
    if judging > 0.0 && share > 0.0 {
        let measure = Measure { name: "share_of_refusals", value: judging, of: attempts };
        let says = "some replies judge us, and a host that is down judges nobody".to_owned();
        weights.lay(Class::Outage, -3.0 * trouble * judging * share, measure, says);
    }
    let Some(fine) = subject.fine_elsewhere() else { return };
    if fine < 0.5 && subject.elsewhere.share_of(Group::Outage).value() > 0.5 {
        let there = subject.elsewhere.trouble_share();
        let measure = Measure { name: "trouble_elsewhere", value: there.value(), of: there.of };
        let says = format!(
            "other providers cannot be reached either ({there}): the fault may be with our own network"
        );
        weights.lay(Class::Outage, -5.0 * trouble * share, measure, says.clone());
        weights.lay(Class::Infra, 7.0 * trouble * share, measure, says);
    }
}
