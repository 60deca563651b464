//! Identity: the replies name SPF, DKIM, DMARC or the sender's address, or our own mail was seen to
//! lack what of these the provider asks for.

use crate::class::Class;
use crate::evidence::Measure;
use crate::group::Group;
use crate::subject::Subject;
use crate::weight::Weights;

pub(super) fn weigh(subject: &Subject<'_>, weights: &mut Weights) {
    let share = subject.share(Group::Identity);
    let (measure, says) = subject.told_share(Group::Identity);
    let named = subject.named(Group::Identity);
    weights.lay(Class::Identity, 8.0 * named * share, measure, says);
    if let Some((domains, says)) = subject.lacked(&["IDN-", "SPF-", "DKIM-", "DMARC-"]) {
        // What names another cause is believed before what we find at ourselves.
        let open = share + subject.share(Group::Policy) + subject.share(Group::Unnamed);
        let measure =
            Measure { name: "preflight_identity", value: domains as f64, of: domains as u64 };
        weights.lay(Class::Identity, 4.5 * named.max(subject.trouble()) * open, measure, says);
    }
    let there = subject.elsewhere.of_group(Group::Identity);
    let measure = Measure {
        name: "identity_elsewhere",
        value: there as f64,
        of: subject.elsewhere.attempts(),
    };
    match subject.fine_elsewhere() {
        Some(_) if there > 0 => {
            let says = format!("other providers say the same of this mail ({there} times)");
            weights.lay(Class::Identity, named * share, measure, says);
        }
        Some(fine) if fine > 0.5 => {
            let says = "no other provider says so: it asks more of senders than they do, or looks at another record";
            weights.lay(Class::Identity, -0.3 * named * share, measure, says.to_owned());
        }
        _ => {}
    }
}
