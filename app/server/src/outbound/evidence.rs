//! What an attempt leaves behind: carried through the engine, never opened there.

use std::sync::Arc;

use bytes::Bytes;
use postlane_engine::SourceId;
use postlane_mail::{Code, Envelope, Instant, LastReply, Reply, Stage, Status};
use postlane_net::outbound::{End, SessionFacts};
use postlane_replies::Diagnosis;
use postlane_smtp::client::{Outcome, RecipientOutcome, SessionEnd, Transcript, Unable};
use smallvec::SmallVec;

use crate::outbound::routing::NextHop;

/// What happened on the wire, and who was left out; nothing, where no wire was involved.
#[derive(Debug, Clone, Default)]
pub(crate) struct Evidence(pub(crate) Option<Box<Attempted>>, pub(crate) Option<Box<Unsent>>);

/// Recipients of an attempt that we did not write to ourselves, and why.
#[derive(Debug, Clone)]
pub(crate) struct Unsent {
    /// Where it was at hand.
    pub(crate) envelope: Option<Arc<Envelope>>,
    /// By recipient, in words of ours.
    pub(crate) replies: SmallVec<[(u16, LastReply); 1]>,
}

impl Evidence {
    /// What was last said to a recipient, or by us of it.
    pub(crate) fn last_reply(&self, index: u16) -> Option<LastReply> {
        match self.unsent(index) {
            Some(reply) => Some(reply.clone()),
            None => self.0.as_ref()?.last_reply(index),
        }
    }

    /// What happened on the wire for a recipient that was written to.
    pub(crate) fn attempted(&self, index: u16) -> Option<&Attempted> {
        self.0.as_deref().filter(|_| self.unsent(index).is_none())
    }

    /// Who the message is from and for, where it was at hand.
    pub(crate) fn envelope(&self) -> Option<&Envelope> {
        let attempted = self.0.as_ref().and_then(|attempted| attempted.envelope.as_deref());
        attempted.or_else(|| self.1.as_ref()?.envelope.as_deref())
    }

    /// Whether there is none.
    pub(crate) fn is_none(&self) -> bool {
        self.0.is_none() && self.1.is_none()
    }

    fn unsent(&self, index: u16) -> Option<&LastReply> {
        let replies = &self.1.as_ref()?.replies;
        replies.iter().find(|(of, _)| *of == index).map(|(_, reply)| reply)
    }
}

/// An attempt, or a session that did not come about.
#[derive(Debug, Clone)]
pub(crate) struct Attempted {
    pub(crate) envelope: Option<Arc<Envelope>>,
    /// The message's header section, 16 KiB at most.
    pub(crate) headers: Bytes,
    /// Its `Message-ID`; empty where nobody keeps it.
    pub(crate) message_id: Box<str>,
    /// Octets of the message; 0 where none was sent.
    pub(crate) octets: u64,
    pub(crate) outcomes: SmallVec<[RecipientOutcome; 1]>,
    pub(crate) dsn_relayed: bool,
    pub(crate) session: Arc<SessionFacts>,
    pub(crate) hop: Arc<NextHop>,
    pub(crate) source: SourceId,
    pub(crate) transcript: Transcript,
    pub(crate) began: Instant,
    pub(crate) ended: Instant,
    /// What those refusals mean, each with the number of its recipient.
    pub(crate) diagnoses: SmallVec<[(u16, Diagnosis); 1]>,
    /// How the session ended, where it did not come about.
    pub(crate) end: Option<End>,
    /// What it means that the host would not have us, if it said so.
    pub(crate) turned_away: Option<Diagnosis>,
}

impl Attempted {
    /// What it means that a recipient was refused.
    pub(crate) fn diagnosis(&self, index: u16) -> Option<&Diagnosis> {
        self.diagnoses.iter().find(|(of, _)| *of == index).map(|(_, diagnosis)| diagnosis)
    }

    /// What was last said to a recipient.
    pub(crate) fn last_reply(&self, index: u16) -> Option<LastReply> {
        let outcome = self.outcomes.iter().find(|o| o.index == index).map(|o| &o.outcome)?;
        let said = |stage, reply: &Reply| LastReply {
            stage,
            reply: reply.clone(),
            host: self.hop.name.to_string().into(),
            at: self.ended,
        };
        let ours = |text: &str| {
            let code = Code::new(451).expect("451 lies between 200 and 599");
            let reply = Reply::new(code, text);
            LastReply { stage: Stage::Dot, reply, host: "".into(), at: self.ended }
        };
        match outcome {
            Outcome::Accepted(reply) => Some(said(Stage::Dot, reply)),
            Outcome::Refused { stage, reply } => Some(said(*stage, reply)),
            Outcome::Unknown => Some(ours(
                "4.4.2 the connection was lost after the end of the message: it may have arrived",
            )),
            Outcome::Interrupted => {
                Some(ours("4.4.2 the connection was lost in the middle of the message"))
            }
            Outcome::TooLarge { most } => Some(ours(&format!(
                "5.3.4 the message is larger than the {most} octets that {} takes",
                self.hop.name
            ))),
            Outcome::Unable(unable) => {
                let (status, lacks) = lacking(*unable);
                Some(ours(&format!("{status} {} {lacks}", self.hop.name)))
            }
            Outcome::CutOff(end) => {
                let (stage, says) = self.says_of(end);
                Some(LastReply { stage, ..ours(&says) })
            }
            Outcome::NotTried => None,
        }
    }

    /// Why a session did not come about, as a reply.
    pub(crate) fn failure(&self) -> Option<LastReply> {
        let (stage, text) = match self.end.as_ref()? {
            End::NotConnected(error) => (Stage::Connect, format!("4.4.1 {error}")),
            End::Session(SessionEnd::TurnedAway { stage, reply }) => {
                return Some(LastReply {
                    stage: *stage,
                    reply: reply.clone(),
                    host: self.hop.name.to_string().into(),
                    at: self.ended,
                });
            }
            End::Session(end) => self.says_of(end),
        };
        let code = Code::new(451).expect("451 lies between 200 and 599");
        let text = format!("{text} ({} at {})", self.hop.name, self.session.remote);
        Some(LastReply { stage, reply: Reply::new(code, text), host: "".into(), at: self.ended })
    }

    /// How a session ended, and at what, in words of ours.
    fn says_of(&self, end: &SessionEnd) -> (Stage, String) {
        match end {
            SessionEnd::TurnedAway { stage, reply } => (*stage, reply.text().to_string()),
            SessionEnd::Lost(stage) => (*stage, "4.4.2 connection lost".to_owned()),
            SessionEnd::TimedOut(stage) => (*stage, "4.4.2 no answer in time".to_owned()),
            SessionEnd::TlsFailed(why) => {
                let demand = self.hop.policy.demand.says(&self.hop.name);
                let demand = demand.map(|says| format!("{says}: ")).unwrap_or_default();
                (Stage::StartTls, format!("4.7.5 {demand}{why}"))
            }
            SessionEnd::TlsMissing => {
                let demand = self.hop.policy.demand.says_of_missing(&self.hop.name);
                let demand = demand.unwrap_or_else(|| "TLS is required".to_owned());
                (Stage::StartTls, format!("4.7.4 {demand}, and it was not offered"))
            }
            SessionEnd::AuthMissing => {
                (Stage::Auth, "4.7.4 no way to authenticate that we know was offered".to_owned())
            }
            SessionEnd::Misbehaved(what) => {
                (Stage::Connect, format!("4.5.0 the host does not speak SMTP: {what}"))
            }
            SessionEnd::Loop => {
                (Stage::Connect, "4.4.6 mail would come back to this relay".to_owned())
            }
            SessionEnd::Quit => {
                (Stage::Connect, "4.4.2 the session was closed by this relay".to_owned())
            }
        }
    }
}

/// What a host lacks for a message, with its status (RFC 3463 §3.7, RFC 6531 §3.5, §4.3).
pub(crate) fn lacking(unable: Unable) -> (Status, &'static str) {
    match unable {
        Unable::EightBitBody => (Status::new(5, 6, 3), "takes no 8-bit bodies, and this is one"),
        Unable::BareNewlines => {
            (Status::new(5, 6, 3), "takes no bare CR or LF, and the message has one")
        }
        Unable::Utf8Addresses => {
            (Status::new(5, 6, 7), "takes only addresses in ASCII, and the envelope has others")
        }
        Unable::Utf8Headers => {
            (Status::new(5, 6, 9), "takes only headers in ASCII, and the message has others")
        }
    }
}
