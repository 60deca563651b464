//! Messages in the engine's numbers, and the engine's settings.

use std::collections::BTreeMap;

use postlane_engine::*;
use postlane_mail::{Envelope, Family, Mailbox, Place, Progress, QueueId, Span, Stream};
use postlane_spool::{Inserted, Recovered};

pub(crate) fn settings() -> Settings {
    Settings {
        sources: vec![Source { id: SourceId(0), family: Family::V4 }],
        pools: vec![Pool { id: PoolId(0), sources: vec![(SourceId(0), 1)] }],
        ceilings: Ceilings { connections: 5, rate: None, session_messages: 10 },
        learning: Learning::Off,
        keeping: Keeping::On,
        provider_ceilings: BTreeMap::new(),
        families_off: BTreeMap::new(),
        retry: RetrySchedule {
            first: Span::from_min(5),
            factor_percent: 200,
            longest: Span::from_h(4),
            jitter_percent: 20,
        },
        engagement: Engagement::DEFAULT,
        expires_after: [Span::from_h(24), Span::from_h(120), Span::from_h(48)],
        delay_notice_after: Some(Span::from_h(4)),
        transaction_recipients_max: 3,
        sessions_max: 20,
        session_idle: Span::from_s(5),
        session_depth: 2,
    }
}

/// A message that has become durable.
pub(crate) fn fresh(message: &Inserted) -> Submission {
    let recipients = 0..message.envelope.recipients.len() as u16;
    let recipients = recipients.map(|index| (index, Progress::default()));
    submission(message.id, message.place, &message.envelope, recipients)
}

/// A message that was there at the start.
pub(crate) fn recovered(message: &Recovered) -> Submission {
    let recipients = message.recipients.iter().copied();
    submission(message.id, message.place, &message.envelope, recipients)
}

fn submission(
    id: QueueId,
    place: Place,
    envelope: &Envelope,
    recipients: impl Iterator<Item = (u16, Progress)>,
) -> Submission {
    let recipients = recipients.map(|(index, progress)| {
        let mailbox = &envelope.recipients[usize::from(index)].mailbox;
        SubmittedRecipient { index, domain: domain(mailbox), progress }
    });
    Submission {
        id,
        place,
        stream: envelope.stream,
        flow: FlowId(0),
        engaged: envelope.engaged,
        pool: PoolId(0),
        awaits_verdict: false,
        together: if envelope.stream == Stream::Cold {
            Together::Never
        } else {
            Together::default()
        },
        recipients: recipients.collect(),
    }
}

/// `d7.example` is domain 7.
fn domain(mailbox: &Mailbox) -> DomainId {
    let number = mailbox.host_text().trim_start_matches('d').trim_end_matches(".example");
    DomainId(number.parse().expect("domains are numbered"))
}
