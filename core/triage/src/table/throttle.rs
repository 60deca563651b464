//! Throttle: some is taken, the rest is answered with rate words, and all sources fare alike.

use crate::class::Class;
use crate::evidence::Measure;
use crate::group::Group;
use crate::subject::Subject;
use crate::weight::Weights;

pub(super) fn weigh(subject: &Subject<'_>, weights: &mut Weights) {
    let figures = &subject.figures;
    let trouble = subject.trouble();
    let rate = subject.share(Group::Rate);
    let (measure, says) = subject.told_share(Group::Rate);
    weights.lay(Class::Throttle, 6.0 * trouble * rate, measure, says);

    let accepted = figures.accepted();
    let share = crate::share::Share::new(accepted, figures.attempts());
    let measure = Measure { name: "accepted_share", value: share.value(), of: share.of };
    let some = accepted as f64 / (accepted as f64 + 3.0) * (1.0 - subject.nothing_taken());
    let open = rate + subject.share(Group::Unnamed);
    weights.lay(
        Class::Throttle,
        2.5 * trouble * some * open,
        measure,
        format!("{accepted} of {} attempts were accepted meanwhile", share.of),
    );
    if subject.worst.is_some() && subject.one_worse() < 0.2 {
        let z = subject.worst.as_ref().map_or(0.0, |worst| worst.compared.z);
        let measure = Measure { name: "z", value: z, of: share.of };
        let says = format!("all {} sources fare alike (z {z:.1})", subject.sources);
        weights.lay(Class::Throttle, 0.5 * trouble * open, measure, says);
    }
    let none = subject.nothing_taken();
    let measure =
        Measure { name: "attempts_per_minute", value: subject.per_minute(), of: share.of };
    weights.lay(
        Class::Throttle,
        -4.0 * trouble * none * subject.at_lowest_rate(),
        measure,
        format!(
            "nothing is taken even at {:.1} attempts a minute, and a rate limit lets the first ones through",
            subject.per_minute()
        ),
    );
}
