//! A message's whole story, put together from everything that was written about it, its lanes and
//! its hosts.

use std::collections::BTreeSet;

use compact_str::CompactString;
use postlane_ledger::{Entry, Filter, Kind, Ledger, LedgerError, Written};
use postlane_mail::{Domain, Instant, QueueId, Span};
use postlane_replies::{Label, Meanings, Providers};

use crate::wire::{LogEntry, Step, Traced, TracedMessage, bracketed};

/// Why there is no story.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NoTrace {
    /// What was asked for is neither.
    #[error(
        "{0:?} is no queue id, no Message-ID and no address: a queue id has 13 letters and digits, \
         the others have an @"
    )]
    Unreadable(String),
    /// Nothing was written about it, or it was thrown away since.
    #[error(
        "nothing is known of {0}: it never came here, or it is older than what is kept \
         (ledger.keep_for, ledger.size)"
    )]
    Unknown(String),
    /// The ledger cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Entries about one message, at most: a message with a thousand recipients has thousands.
const ABOUT_ONE: usize = 5_000;

/// Entries about its lanes and hosts, at most.
const AROUND: usize = 200;

/// What happened to the lane shortly before and after belongs to the story, too. Chosen, not
/// measured.
const NEAR: Span = Span::from_min(1);

/// Entries about a recipient that are looked through for messages.
const ABOUT_RECIPIENT: usize = 2_000;

/// The story of a message by its queue id or `Message-ID`, or of the last `messages_max` messages
/// to a recipient.
pub fn trace(ledger: &Ledger, what: &str, messages_max: usize) -> Result<Traced, NoTrace> {
    let what = what.trim();
    let (by, ids, more) = if let Ok(id) = QueueId::parse(what) {
        ("id", vec![id], false)
    } else if what.contains('@') {
        let of = Filter { message_ids: vec![bracketed(what).into()], ..Filter::default() };
        let (ids, more) = messages(ledger, &of, messages_max)?;
        if ids.is_empty() {
            let of = Filter { recipients: vec![what.into()], ..Filter::default() };
            let (ids, more) = messages(ledger, &of, messages_max)?;
            ("recipient", ids, more)
        } else {
            ("message-id", ids, more)
        }
    } else {
        return Err(NoTrace::Unreadable(what.to_owned()));
    };
    let meanings = Meanings::built_in();
    let stories = ids.iter().map(|id| story(ledger, &meanings, *id));
    let messages: Vec<TracedMessage> =
        stories.filter_map(Result::transpose).collect::<Result<_, _>>()?;
    if messages.is_empty() {
        return Err(NoTrace::Unknown(what.to_owned()));
    }
    Ok(Traced { by: by.to_owned(), messages, more })
}

/// The messages that entries are about, the youngest first.
fn messages(
    ledger: &Ledger,
    filter: &Filter,
    most: usize,
) -> Result<(Vec<QueueId>, bool), LedgerError> {
    let page = ledger.latest(filter, ABOUT_RECIPIENT, None)?;
    let mut ids: Vec<QueueId> = Vec::new();
    for id in page.entries.iter().filter_map(|written| written.entry.id) {
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    ids.sort_by_key(|id| std::cmp::Reverse(id.moment()));
    let more = ids.len() > most || page.next.is_some();
    ids.truncate(most);
    Ok((ids, more))
}

fn story(
    ledger: &Ledger,
    meanings: &Meanings,
    id: QueueId,
) -> Result<Option<TracedMessage>, LedgerError> {
    let of_it = Filter { ids: vec![id], ..Filter::default() };
    let page = ledger.latest(&of_it, ABOUT_ONE, None)?;
    let mut entries = page.entries;
    let told = |of: fn(&Entry) -> &CompactString| {
        let mut all = entries.iter().map(|written| of(&written.entry));
        all.find(|text| !text.is_empty()).cloned().unwrap_or_default()
    };
    let (message_id, sender) = (told(|e| &e.message_id), told(|e| &e.sender));
    let of_message = entries.len();
    if !message_id.is_empty() {
        // What came back may know the message by its Message-ID alone.
        let kinds = vec![Kind::Returned, Kind::Complaint];
        let back = Filter { kinds, message_ids: vec![message_id.clone()], ..Filter::default() };
        let back = ledger.latest(&back, AROUND, None)?.entries;
        entries.extend(back.into_iter().filter(|written| written.entry.id.is_none()));
    }
    let (around, more_around) = around(ledger, &entries)?;
    let mut steps: Vec<(Written, bool)> = entries.into_iter().map(|e| (e, false)).collect();
    steps.extend(around.into_iter().map(|e| (e, true)));
    steps.sort_by_key(|(written, _)| (written.entry.at, written.seq));
    let story = steps
        .into_iter()
        .map(|(written, around)| step(ledger, meanings, written, around))
        .collect::<Result<_, _>>()?;
    Ok((of_message > 0).then(|| TracedMessage {
        id: id.to_string(),
        message_id: message_id.into(),
        sender: sender.into(),
        story,
        more: page.next.is_some() || more_around,
        waits: Vec::new(),
    }))
}

/// What happened meanwhile to the lanes and the hosts that it went by.
fn around(ledger: &Ledger, entries: &[Written]) -> Result<(Vec<Written>, bool), LedgerError> {
    let moments = entries.iter().map(|written| written.entry.at);
    let (Some(first), Some(last)) = (moments.clone().min(), moments.max()) else {
        return Ok((Vec::new(), false));
    };
    let mut providers: BTreeSet<CompactString> =
        entries.iter().map(|written| written.entry.provider.clone()).collect();
    if providers.iter().all(|provider| provider.is_empty()) {
        // Never tried: whose hosts it is for, as far as its domain tells.
        let domains = entries.iter().filter_map(|e| Domain::parse(&e.entry.domain).ok());
        let known = Providers::built_in();
        providers.extend(domains.map(|domain| known.find(&[], &domain).as_str().into()));
    }
    let sources: BTreeSet<&CompactString> =
        entries.iter().map(|written| &written.entry.source).collect();
    let providers: Vec<_> = providers.into_iter().filter(|provider| !provider.is_empty()).collect();
    if providers.is_empty() {
        return Ok((Vec::new(), false));
    }
    let filter = Filter {
        from: Some(Instant(first.0.saturating_sub(NEAR.0))),
        to: Some(last + NEAR),
        kinds: vec![Kind::Lane, Kind::ConnectFailed, Kind::SessionLost],
        providers,
        ..Filter::default()
    };
    let page = ledger.latest(&filter, AROUND, None)?;
    // Of a message that is tried by one source, the others' troubles are not its own. Without an
    // attempt yet any may be why.
    let tried = sources.iter().any(|source| !source.is_empty());
    let concerns = |written: &Written| {
        let source = &written.entry.source;
        !tried || source.is_empty() || sources.contains(source)
    };
    Ok((page.entries.into_iter().filter(concerns).collect(), page.next.is_some()))
}

fn step(
    ledger: &Ledger,
    meanings: &Meanings,
    written: Written,
    around: bool,
) -> Result<Step, LedgerError> {
    let sample = if around { None } else { ledger.sample(written.seq)? };
    let sample = sample.unwrap_or_default();
    let refused = written.entry.kind != Kind::Delivered;
    let label = Label::parse(&written.entry.label).filter(|_| refused);
    let means = label.map(|label| meanings.of(label).means.to_string());
    Ok(Step {
        entry: LogEntry::from(written),
        around,
        means: means.unwrap_or_default(),
        transcript: sample.transcript.into(),
        headers: sample.headers.into(),
    })
}
