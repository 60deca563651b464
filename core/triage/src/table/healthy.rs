//! Healthy: next to nothing is refused.

use crate::class::Class;
use crate::evidence::Measure;
use crate::group::Group;
use crate::statistic::{ramp, wilson};
use crate::subject::Subject;
use crate::weight::Weights;

pub(super) fn weigh(subject: &Subject<'_>, weights: &mut Weights) {
    let figures = &subject.figures;
    let share = figures.trouble_share();
    let named = [Group::Identity, Group::Block, Group::Infra].map(|group| subject.named(group));
    let trouble = named.into_iter().fold(subject.trouble(), f64::max);
    let measure = Measure { name: "trouble_share", value: share.value(), of: share.of };
    let (_, high) = wilson(share);
    let enough = figures.attempts() as f64 / (figures.attempts() as f64 + 5.0);
    weights.lay(
        Class::Healthy,
        6.0 * (1.0 - trouble) * enough,
        measure,
        format!(
            "{share} of {} attempts were refused by something held against us (at most {:.1} % with 95 in 100)",
            share.of,
            high * 100.0
        ),
    );
    if trouble > 0.0 {
        let says = format!("{share} of {} attempts were refused", share.of);
        weights.lay(Class::Healthy, -4.0 * trouble, measure, says);
    }
    let expired = ramp(figures.expired as f64 / (figures.attempts() as f64 + 20.0), 0.01, 0.1);
    let measure = Measure { name: "expired", value: figures.expired as f64, of: share.of };
    let says = format!("{} recipients had waited as long as they may", figures.expired);
    weights.lay(Class::Healthy, -3.0 * expired, measure, says);
}
