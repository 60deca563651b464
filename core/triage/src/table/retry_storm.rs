//! Retry storm: more attempts than twice what is accepted, most of them retries, while the
//! queue grows older.

use crate::class::Class;
use crate::evidence::Measure;
use crate::group::Group;
use crate::statistic::ramp;
use crate::subject::{Subject, Trend};
use crate::weight::Weights;

pub(super) fn weigh(subject: &Subject<'_>, weights: &mut Weights) {
    let figures = &subject.figures;
    let Some(pressure) = figures.attempts_per_accepted() else { return };
    let retries = figures.retry_share();
    let named = [Group::Policy, Group::Identity, Group::Block, Group::Infra, Group::Greylisting]
        .map(|group| subject.share(group));
    let open = (1.0 - named.into_iter().sum::<f64>()).clamp(0.0, 1.0);
    let pressed = ramp(pressure, 1.5, 4.0) * ramp(retries.value(), 0.4, 0.7);
    let pressed = pressed * (1.0 - subject.nothing_taken()) * subject.trouble();
    let storm = pressed * open;
    let measure =
        Measure { name: "attempts_per_accepted", value: pressure, of: figures.attempts() };
    let says = format!(
        "{pressure:.1} attempts are made for each recipient accepted, {retries} of them retries"
    );
    weights.lay(Class::RetryStorm, 6.5 * storm, measure, says.clone());
    weights.lay(Class::Throttle, -1.5 * pressed, measure, says);

    let (nats, measure, says) = match subject.backlog {
        Trend::Unseen => return,
        Trend::Rising(from, to) => {
            let measure = Measure { name: "queue_age_s", value: to.as_s() as f64, of: 2 };
            (4.5, measure, format!("what waits grows older: {from}, then {to}"))
        }
        Trend::Steady(from, to) => {
            let measure = Measure { name: "queue_age_s", value: to.as_s() as f64, of: 2 };
            (-4.0, measure, format!("what waits does not grow older: {from}, then {to}"))
        }
    };
    weights.lay(Class::RetryStorm, nats * storm, measure, says);
}
