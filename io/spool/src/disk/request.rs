//! A message or changes on the way to the disk, and whoever waits for a 250.

use std::sync::Arc;

use postlane_mail::{Envelope, Place, QueueId};

use crate::error::StoreError;
use crate::format::Record;
use crate::store::{Changes, Inserted, Insertion, Seq, Urgency};
use crate::ticket::Promise;

/// Something to be written, encoded and summed up on the thread that wants it.
pub(super) enum Request {
    /// New mail.
    Message { record: Record, news: News, promise: Promise },
    /// Changes of the engine's, and the messages they bring.
    Changes { record: Record, seq: Seq, urgency: Urgency, news: Vec<News> },
    /// What is copied from an older segment. Nobody waits for it.
    Own { record: Record },
    /// Changes that cannot be written at all: the engine's own fault, and no way to go on.
    Refused(StoreError),
}

/// What is to be told of a message when it is durable.
pub(super) struct News {
    id: QueueId,
    envelope: Arc<Envelope>,
    tag: u64,
}

impl Request {
    /// The octets are in the record: the pieces they came in are let go here.
    pub(super) fn message(record: Record, insertion: Insertion, promise: Promise) -> Self {
        Self::Message { record, news: News::of(insertion), promise }
    }

    pub(super) fn changes(record: Record, changes: Changes) -> Self {
        let Changes { seq, urgency, insertions, .. } = changes;
        let news = insertions.into_iter().map(News::of).collect();
        Self::Changes { record, seq, urgency, news }
    }

    pub(super) fn record(&self) -> Option<&Record> {
        match self {
            Self::Message { record, .. } | Self::Changes { record, .. } | Self::Own { record } => {
                Some(record)
            }
            Self::Refused(_) => None,
        }
    }

    pub(super) fn octets(&self) -> u64 {
        self.record().map_or(0, |record| record.body.len() as u64)
    }

    pub(super) fn is_urgent(&self) -> bool {
        match self {
            Self::Message { .. } => true,
            Self::Changes { urgency, news, .. } => *urgency == Urgency::Now || !news.is_empty(),
            Self::Own { .. } | Self::Refused(_) => false,
        }
    }

    pub(super) fn is_mail(&self) -> bool {
        matches!(self, Self::Message { .. })
    }

    pub(super) fn answer(self, error: &StoreError) {
        if let Self::Message { promise, .. } = self {
            promise.keep(Err(error.clone()));
        }
    }
}

impl News {
    fn of(insertion: Insertion) -> Self {
        Self { id: insertion.id, envelope: insertion.envelope, tag: insertion.tag }
    }

    pub(super) fn at(self, place: Place) -> Inserted {
        Inserted { id: self.id, place, envelope: self.envelope, tag: self.tag }
    }
}
