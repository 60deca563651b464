//! The decision table: each row lays what it sees into the scale of its class.
//!
//! A row may lay into the scales of other classes, too, where what it sees rules them out. The
//! weights are chosen, and then held against simulated pictures (docs/design/017).

mod block;
mod greylisting;
mod healthy;
mod identity;
mod infra;
mod outage;
mod policy;
mod pool_ip;
mod recipients;
mod retry_storm;
mod throttle;

use crate::subject::Subject;
use crate::weight::Weights;

/// What all rows see.
pub(crate) fn weigh(subject: &Subject<'_>) -> Weights {
    let mut weights = Weights::default();
    for row in [
        healthy::weigh,
        throttle::weigh,
        policy::weigh,
        pool_ip::weigh,
        retry_storm::weigh,
        identity::weigh,
        recipients::weigh,
        block::weigh,
        infra::weigh,
        outage::weigh,
        greylisting::weigh,
    ] {
        row(subject, &mut weights);
    }
    weights
}
