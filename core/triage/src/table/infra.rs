//! Our own server: reverse DNS, a greeting that changes, TLS, login, route.

use crate::class::Class;
use crate::evidence::Measure;
use crate::group::Group;
use crate::picture::Ptr;
use crate::subject::Subject;
use crate::weight::Weights;

pub(super) fn weigh(subject: &Subject<'_>, weights: &mut Weights) {
    let share = subject.share(Group::Infra);
    let (measure, says) = subject.told_share(Group::Infra);
    weights.lay(Class::Infra, 8.0 * subject.named(Group::Infra) * share, measure, says);

    let trouble = subject.trouble();
    // What names another cause is believed before what we find at ourselves.
    let open = share + subject.share(Group::Policy) + subject.share(Group::Unnamed);
    let of = subject.figures.attempts();
    if let Some((domains, says)) = subject.lacked(&["DNS-"]) {
        let measure =
            Measure { name: "preflight_infra", value: domains as f64, of: domains as u64 };
        weights.lay(Class::Infra, 3.5 * trouble * open, measure, says);
    }
    for source in &subject.seen {
        if source.ehlo.len() > 1 {
            let measure = Measure { name: "ehlo_names", value: source.ehlo.len() as f64, of };
            let says = format!(
                "{} greets with {} names: {}",
                source.source,
                source.ehlo.len(),
                source.ehlo.iter().take(3).map(AsRef::as_ref).collect::<Vec<&str>>().join(", ")
            );
            weights.lay(Class::Infra, 4.0 * trouble * open, measure, says);
        }
        let (nats, says) = match source.ptr {
            Ptr::Missing => (3.5, "has no name in the reverse DNS"),
            Ptr::Unconfirmed => (3.5, "has a name in the reverse DNS that does not lead back"),
            Ptr::Confirmed => (-share, "has a name in the reverse DNS that leads back"),
            Ptr::Unasked | Ptr::Undetermined => continue,
        };
        let measure = Measure { name: "ptr", value: f64::from(u8::from(nats < 0.0)), of };
        weights.lay(
            Class::Infra,
            nats * trouble * open,
            measure,
            format!("{} {says}", source.source),
        );
    }
}
