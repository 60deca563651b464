//! Greylisting: first attempts are deferred, and the same mail is taken a little later.

use crate::class::Class;
use crate::evidence::Measure;
use crate::group::Group;
use crate::share::Share;
use crate::statistic::ramp;
use crate::subject::Subject;
use crate::weight::Weights;

pub(super) fn weigh(subject: &Subject<'_>, weights: &mut Weights) {
    let trouble = subject.trouble();
    let share = subject.share(Group::Greylisting);
    let (measure, says) = subject.told_share(Group::Greylisting);
    weights.lay(Class::Greylisting, 7.0 * trouble * share, measure, says);

    let figures = &subject.figures;
    let fresh = figures.fresh.trouble_share();
    let retried = Share::new(figures.retried.accepted, figures.retried.attempts());
    // Silent greylisting: no word says so, but every first attempt fails and the second passes.
    let open = share + subject.share(Group::Unnamed) + 0.5 * subject.share(Group::Outage);
    let pattern = ramp(fresh.shrunk(2.0), 0.6, 0.9) * ramp(retried.shrunk(2.0), 0.5, 0.85);
    let measure = Measure { name: "retry_accepted_share", value: retried.value(), of: retried.of };
    let says = format!("{fresh} of first attempts are deferred, and {retried} of retries accepted");
    weights.lay(Class::Greylisting, 7.0 * pattern * open.min(1.0), measure, says.clone());
    weights.lay(Class::Throttle, -2.0 * pattern, measure, says);
}
