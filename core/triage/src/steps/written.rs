//! The steps of each class, as they are written.
//!
//! `{provider}` stands for the provider's id, `{source}` for the source that is worse.

use crate::class::Class;

/// The steps of a class, each with its name.
pub(super) const fn written(class: Class) -> &'static [(&'static str, &'static str)] {
    match class {
        Class::Healthy => HEALTHY,
        Class::TooLittle => TOO_LITTLE,
        Class::Throttle => THROTTLE,
        Class::Policy => POLICY,
        Class::PoolIp => POOL_IP,
        Class::RetryStorm => RETRY_STORM,
        Class::Identity => IDENTITY,
        Class::Recipients => RECIPIENTS,
        Class::Block => BLOCK,
        Class::Infra => INFRA,
        Class::Outage => OUTAGE,
        Class::Greylisting => GREYLISTING,
    }
}

const HEALTHY: &[(&str, &str)] = &[("nothing", "Nothing needs to be done.")];

const TOO_LITTLE: &[(&str, &str)] = &[(
    "wait",
    "Wait until more has been sent, or look at a longer span: postlane diagnose --since 7d",
)];

const THROTTLE: &[(&str, &str)] = &[
    ("leave", "Do not flush the queue: the lane rests and asks again by itself."),
    (
        "spread",
        "Spread bulk mail over more hours; hold it back meanwhile: postlane lanes hold-new {provider} --stream engaged,cold",
    ),
    ("others", "Look for other machines and programs that send by the same address."),
    (
        "restart",
        "When the lane is open again, restart by a plan of days: postlane lanes restart-plan start {provider}",
    ),
];

const POLICY: &[(&str, &str)] = &[
    (
        "stop",
        "Stop bulk mail to this provider: postlane lanes hold-new {provider} --stream engaged,cold",
    ),
    (
        "identity",
        "Check every source and sending domain: PTR and back, EHLO name, SPF, DKIM aligned with From, DMARC.",
    ),
    ("lists", "Look up sources, domains and links at the large block lists."),
    (
        "content",
        "Send one hand-written message: if it passes, the content of the mailing is the cause.",
    ),
    (
        "write",
        "Write to the provider's postmaster with the evidence: postlane evidence --provider {provider} --out DIR",
    ),
];

const POOL_IP: &[(&str, &str)] = &[
    (
        "exclude",
        "Leave the source out for this provider: postlane lanes exclude {provider} {source}",
    ),
    (
        "owner",
        "Find out whose mail it carried: a tenant, a campaign, or another customer of its owner.",
    ),
    (
        "evidence",
        "Send the evidence to whoever owns the address (ESP or hoster): postlane evidence --provider {provider} --for esp --out DIR",
    ),
    ("back", "Take it in again when a canary passes: postlane lanes include {provider} {source}"),
];

const RETRY_STORM: &[(&str, &str)] = &[
    (
        "hold",
        "Hold new bulk mail until the queue has drained: postlane lanes hold-new {provider} --stream engaged,cold",
    ),
    ("flush", "Do not flush and do not restart other senders: every retry costs budget."),
    ("old", "Remove what nobody waits for any more: postlane queue list --provider {provider}"),
    (
        "cause",
        "Ask again when it has drained: what was refused first is the cause, the storm its echo.",
    ),
];

const IDENTITY: &[(&str, &str)] = &[
    ("hold", "Hold the stream of the domains that are named until it is mended."),
    (
        "verify",
        "Send one message to a mailbox of your own at this provider and read its Authentication-Results.",
    ),
    ("release", "Release the stream when the record is seen everywhere (its TTL)."),
];

const RECIPIENTS: &[(&str, &str)] = &[
    ("stop", "Stop the campaign or list that sent them."),
    (
        "clean",
        "Remove every address that was answered \"no such user\", and those that have not read anything for 90 days.",
    ),
    (
        "origin",
        "Find out how the list was gathered; confirm new addresses by a mail (double opt-in).",
    ),
    (
        "ehlo",
        "Check that each source greets with one fixed name: some providers say the same of both.",
    ),
    (
        "restart",
        "Begin again with recipients who read your mail: postlane lanes restart-plan start {provider}",
    ),
];

const BLOCK: &[(&str, &str)] = &[
    ("case", "Open the link or the list's page in the reply and read what it says of the address."),
    ("cause", "Remove the cause first: a stolen password, an open form, trap hits, a missing PTR."),
    ("stop", "Send by another clean source meanwhile: postlane lanes exclude {provider} {source}"),
    (
        "evidence",
        "Fill in the provider's form with the evidence: postlane evidence --provider {provider} --out DIR",
    ),
    ("back", "When it is lifted, begin with little: postlane lanes restart-plan start {provider}"),
];

const INFRA: &[(&str, &str)] = &[];

const OUTAGE: &[(&str, &str)] = &[
    ("nothing", "Nothing: the mail waits and goes out by itself."),
    (
        "look",
        "If it lasts longer than a few hours, look at the provider's status page and at your own network.",
    ),
];

const GREYLISTING: &[(&str, &str)] = &[
    ("nothing", "Nothing: the second attempt passes."),
    ("one", "Keep a message on one source; a new address begins to wait anew."),
];
