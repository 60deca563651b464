//! Policy or identity: all is deferred by every source, first attempts too, at the lowest rate.

use crate::class::Class;
use crate::evidence::Measure;
use crate::group::Group;
use crate::subject::Subject;
use crate::weight::Weights;

pub(super) fn weigh(subject: &Subject<'_>, weights: &mut Weights) {
    let figures = &subject.figures;
    let trouble = subject.trouble();
    let policy = subject.share(Group::Policy);
    let (measure, says) = subject.told_share(Group::Policy);
    weights.lay(Class::Policy, 7.0 * subject.named(Group::Policy) * policy, measure, says);

    let fresh = figures.fresh.trouble_share();
    let measure = Measure { name: "fresh_trouble_share", value: fresh.value(), of: fresh.of };
    // What names another cause is believed: then "all is refused" is no sign of an unnamed rule.
    let open = subject.share(Group::Rate) + subject.share(Group::Unnamed) + policy;
    weights.lay(
        Class::Policy,
        trouble * open * subject.nothing_taken() * (2.5 + 4.0 * subject.at_lowest_rate()),
        measure,
        format!(
            "{fresh} of {} first attempts were refused and nothing was taken, at {:.1} attempts a minute from each source",
            fresh.of,
            subject.per_minute()
        ),
    );
    let Some(fine) = subject.fine_elsewhere() else { return };
    let elsewhere = subject.elsewhere.trouble_share();
    let measure = Measure { name: "trouble_elsewhere", value: elsewhere.value(), of: elsewhere.of };
    let says = if fine > 0.5 {
        format!("other providers take the same sources' mail ({elsewhere} refused): trust is local")
    } else {
        format!("other providers refuse the same sources' mail, too ({elsewhere})")
    };
    weights.lay(Class::Policy, trouble * policy.max(open * 0.5) * (fine - 0.5), measure, says);
}
