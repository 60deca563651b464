//! Recipient quality: "policy violations", and mailboxes that do not exist.

use crate::class::Class;
use crate::evidence::Measure;
use crate::group::Group;
use crate::share::Share;
use crate::statistic::ramp;
use crate::subject::Subject;
use crate::weight::Weights;

pub(super) fn weigh(subject: &Subject<'_>, weights: &mut Weights) {
    let figures = &subject.figures;
    let (measure, says) = subject.told_share(Group::Recipients);
    let share = subject.share(Group::Recipients);
    weights.lay(Class::Recipients, 7.0 * subject.named(Group::Recipients) * share, measure, says);

    let missing = Share::new(figures.of_group(Group::NoMailbox), figures.attempts());
    let measure = Measure { name: "no_mailbox_share", value: missing.value(), of: missing.of };
    let nats = 7.0 * ramp(missing.shrunk(4.0), 0.02, 0.08);
    let says = format!("{missing} of {} attempts went to mailboxes that do not exist", missing.of);
    // Where much is refused for other reasons, a bad list is a remark and not the verdict.
    let rest = 1.0 - 0.6 * subject.trouble() * (1.0 - share);
    weights.lay(Class::Recipients, nats * rest, measure, says.clone());
    weights.lay(Class::Healthy, -nats, measure, says);
}
