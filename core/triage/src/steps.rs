//! What a person does about a verdict, step by step.

use postlane_replies::Label;

use crate::class::Class;
use crate::picture::Ptr;
use crate::subject::Subject;

mod written;

use written::written;

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its name, the same in every verdict, so that it can be checked off: `rest`.
    pub id: &'static str,
    /// What to do.
    pub says: String,
}

/// What stands for the provider in a step; whoever prints it knows the name.
pub(crate) const PROVIDER: &str = "{provider}";
/// What stands for the source that is worse.
const SOURCE: &str = "{source}";

/// The steps of a class, in order. `{provider}` stands for the provider's id.
pub(crate) fn of(class: Class, subject: &Subject<'_>, label: Option<Label>) -> Vec<Step> {
    let mut steps: Vec<Step> = written(class).iter().map(Step::of).collect();
    if class == Class::Infra {
        steps = infra(subject, label);
    }
    if class == Class::Identity {
        steps.insert(0, Step { id: "record", says: identity(label).to_owned() });
    }
    let source = subject.worst.as_ref().filter(|_| subject.sources > 1);
    for step in &mut steps {
        let name = source.map_or("SOURCE", |worst| &worst.source);
        step.says = step.says.replace(SOURCE, name);
    }
    steps
}

impl Step {
    fn of((id, says): &(&'static str, &str)) -> Self {
        Self { id, says: (*says).to_owned() }
    }
}

fn infra(subject: &Subject<'_>, label: Option<Label>) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut step = |id, says: String| steps.push(Step { id, says });
    for source in subject.seen.iter().filter(|source| source.ehlo.len() > 1) {
        step("ehlo", format!("Give {} one fixed EHLO name, the one its PTR gives.", source.source));
    }
    let bad_ptr = |ptr| matches!(ptr, Ptr::Missing | Ptr::Unconfirmed);
    for source in subject.seen.iter().filter(|source| bad_ptr(source.ptr)) {
        step(
            "ptr",
            format!(
                "Have the owner of {}'s address set a PTR to a name of your own domain, and publish A or AAAA for it.",
                source.source
            ),
        );
    }
    let says = match label {
        Some(Label::TlsRequired | Label::TlsFailed) => {
            "Look at the TLS settings of the route and at the certificate the host shows."
        }
        Some(Label::AuthRequired) => "Check user name and password of the route.",
        Some(Label::RelayDenied) => "Check the route: this host does not take mail for the domain.",
        Some(Label::HeloInvalid) => {
            "Set the EHLO name of each source to its full host name, and publish A or AAAA for it."
        }
        _ => {
            "Set the PTR of each source to a name of your own domain that leads back to it, and greet with that name."
        }
    };
    step("mend", says.to_owned());
    step("verify", "Ask from outside: dig -x ADDRESS, then dig NAME; both must agree.".to_owned());
    step(
        "release",
        format!("Let one message go and look at its reply: postlane lanes show {PROVIDER}"),
    );
    steps
}

const fn identity(label: Option<Label>) -> &'static str {
    match label {
        Some(Label::AuthSpf) => {
            "Add the sources to the SPF record of the envelope sender's domain, within ten lookups."
        }
        Some(Label::AuthDkim) => {
            "Sign with DKIM; check that selector._domainkey holds the public key and nothing changes the message behind the signature."
        }
        Some(Label::AuthDmarc) => {
            "Align: make the d= of DKIM or the envelope sender's domain that of From, and publish a record at _dmarc."
        }
        Some(Label::SenderRejected) => {
            "Give the envelope sender's domain an MX or A record, and use an address that takes bounces."
        }
        _ => {
            "Publish SPF for the sources, sign with DKIM aligned to From, and publish a DMARC record."
        }
    }
}
