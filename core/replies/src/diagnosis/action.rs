//! What to do about a reply.

use crate::diagnosis::{Persistence, Scope, Signal};
use crate::label::Label;

/// Declares the actions with their names and what they say to people.
macro_rules! actions {
    ($($(#[$says:meta])* $action:ident = $name:literal, $people:literal;)*) => {
        /// What is advised. Knowledge advises; the engine, the lanes and the operator act.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Action {
            $($(#[$says])* $action,)*
        }

        impl Action {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$action,)*];

            /// Its name in JSON.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$action => $name,)*
                }
            }

            /// What Postlane does then, in one sentence.
            pub const fn says(self) -> &'static str {
                match self {
                    $(Self::$action => $people,)*
                }
            }
        }
    };
}

actions! {
    /// Nothing is left to do.
    Done = "done", "Nothing is left to do.";
    /// Pace the lane.
    SlowLane = "slow_lane", "The message waits and is tried again within the lane's budget; where the reply names a time, the whole lane waits that long.";
    /// Hold fewer connections.
    FewerConnections = "fewer_connections", "The message waits and is tried again; the lane keeps to its ceiling of connections.";
    /// Close this connection and open another.
    Reconnect = "reconnect", "The message goes again at once on another connection, and it costs no attempt.";
    /// Send the rest of the recipients in further transactions.
    SplitRecipients = "split_recipients", "The recipients that were left over go in a further transaction at once.";
    /// Try this message later from the same source.
    RetrySameSource = "retry_same_source", "This message is tried again later from the same address; nothing else waits for it.";
    /// Try this recipient later.
    RetryRecipient = "retry_recipient", "This recipient is tried again later; the lane does not slow.";
    /// Try the message later.
    Retry = "retry", "The message is tried again later, by the ordinary schedule.";
    /// Try another host, then wait.
    TryOtherHost = "try_other_host", "Another host of the provider is tried where there is one; else the message waits and is tried again.";
    /// Stop using this source here.
    StopSource = "stop_source", "The message waits, half an hour at least before each attempt, until the address is put right or another source is used.";
    /// Stop sending for this domain here.
    StopSendingDomain = "stop_sending_domain", "The sending domain is the trouble, not the rate: other mail of it will fare no better here until its records or its name are put right.";
    /// Hold the route.
    HoldRoute = "hold_route", "The message waits, half an hour at least before each attempt, until the route is put right.";
    /// Give this recipient up and send nothing more there.
    SuppressRecipient = "suppress_recipient", "The recipient is given up, and no further mail is sent there until somebody says otherwise.";
    /// Give this recipient up and hold mail for the domain.
    HoldRecipientDomain = "hold_recipient_domain", "The recipient is given up, and further mail for the domain waits before it is tried again.";
    /// Give this recipient up for this sender.
    FailRecipient = "fail_recipient", "The recipient is given up for this message; other mail is not touched.";
    /// Give the message up.
    FailMessage = "fail_message", "The message is given up and its sender is told.";
}

impl Action {
    /// What to do about a reply that means this.
    pub fn of(label: Label, signal: Signal, scope: Scope, persistence: Persistence) -> Self {
        let is_permanent = persistence == Persistence::Permanent;
        match (signal, scope) {
            (Signal::Accepted, _) => Self::Done,
            (Signal::None, _) => Self::SplitRecipients,
            (Signal::Rate, _) => Self::SlowLane,
            (Signal::Conn, _) => Self::FewerConnections,
            (Signal::PerConn, _) => Self::Reconnect,
            (Signal::Greylist, _) => Self::RetrySameSource,
            (Signal::Mailbox, _) => Self::RetryRecipient,
            (Signal::Outage, _) => Self::TryOtherHost,
            (Signal::Policy, Scope::Source) => Self::StopSource,
            (Signal::Policy, Scope::SendingDomain) => Self::StopSendingDomain,
            (Signal::Policy, _) => Self::HoldRoute,
            (Signal::Perm, _) if is_permanent && label.suppresses() => Self::SuppressRecipient,
            (Signal::Perm, _) if is_permanent && label.holds_recipient_domain() => {
                Self::HoldRecipientDomain
            }
            (_, Scope::Recipient) if is_permanent => Self::FailRecipient,
            _ if is_permanent => Self::FailMessage,
            (_, Scope::Recipient) => Self::RetryRecipient,
            _ => Self::Retry,
        }
    }
}
