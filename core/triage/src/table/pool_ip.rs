//! Pool IP: one source is refused where its neighbours are not.

use crate::class::Class;
use crate::evidence::Measure;
use crate::group::Group;
use crate::statistic::ramp;
use crate::subject::Subject;
use crate::weight::Weights;

pub(super) fn weigh(subject: &Subject<'_>, weights: &mut Weights) {
    let Some(worst) = &subject.worst else { return };
    let worse = subject.one_worse();
    let compared = worst.compared;
    let measure = Measure { name: "z", value: compared.z, of: compared.one.of };
    let says = format!(
        "{} is refused {} of the time, its neighbours {} (z {:.1}, waves allowed for)",
        worst.source, compared.one, compared.rest, compared.z
    );
    // A list, a missing record or a host that is down names the cause better than a comparison.
    let named = [Group::Block, Group::Infra, Group::Identity, Group::Outage, Group::Greylisting]
        .map(|group| subject.share(group));
    let unnamed = (1.0 - named.into_iter().sum::<f64>()).clamp(0.0, 1.0);
    let refusals = compared.one.some as f64;
    let seen = refusals / (refusals + 2.0);
    weights.lay(Class::PoolIp, 9.0 * worse * unnamed * seen, measure, says.clone());
    for class in [Class::Throttle, Class::Policy, Class::Recipients] {
        weights.lay(class, -2.5 * worse * seen, measure, says.clone());
    }

    let busier = ramp(worst.busier, 1.5, 4.0);
    let measure = Measure { name: "busier", value: worst.busier, of: compared.one.of };
    let says = format!(
        "{} sends {:.1} times as much as its neighbours do: a limit for each address would meet it first",
        worst.source, worst.busier
    );
    let rate = subject.share(Group::Rate);
    weights.lay(Class::PoolIp, -6.0 * worse * busier * rate, measure, says);
}
