//! Block: a list, a case page, or a code that says one (S3140, NOWL).

use crate::class::Class;
use crate::evidence::Measure;
use crate::group::Group;
use crate::subject::Subject;
use crate::weight::Weights;

pub(super) fn weigh(subject: &Subject<'_>, weights: &mut Weights) {
    let share = subject.share(Group::Block);
    let (measure, says) = subject.told_share(Group::Block);
    let named = subject.named(Group::Block);
    weights.lay(Class::Block, 8.0 * named * share, measure, says);

    let listing = subject.samples.iter().filter(|sample| Group::of(sample.label) == Group::Block);
    let proof = listing.filter_map(|sample| {
        let url =
            sample.case_url.as_ref().map(|url| format!("the replies link to the case: {url}"));
        let list = sample.lists.first().map(|list| format!("the replies name the list: {list}"));
        let code = sample.codes.first().map(|code| format!("the replies carry the code {code}"));
        url.or(list).or(code)
    });
    if let Some(says) = proof.min() {
        let measure = Measure { name: "share_of_refusals", value: share, of: measure.of };
        weights.lay(Class::Block, 1.5 * named * share, measure, says);
    }
    if subject.sources > 1
        && share > 0.1
        && let Some(worst) = &subject.worst
        && worst.compared.z > 3.0
    {
        let measure = Measure { name: "z", value: worst.compared.z, of: worst.compared.one.of };
        let says = format!("it meets {} alone: the other sources are not on it", worst.source);
        weights.lay(Class::Block, 0.5 * named, measure, says);
    }
}
