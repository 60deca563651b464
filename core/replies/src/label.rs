//! What a reply can mean: the labels.
//!
//! A label says what happened, whatever the code: `mailbox_full` is said by 452 as by 552.
//! Whom it concerns, how lasting it is and what a lane hears of it follow from the label, the
//! code's class and the stage ([`Scope`](crate::Scope), [`Persistence`](crate::Persistence),
//! [`Signal`](crate::Signal)).

use std::fmt;

/// Declares the labels, each with its name and its family.
macro_rules! labels {
    ($($(#[$says:meta])* $label:ident = $name:literal, $family:ident;)*) => {
        /// What a reply means.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Label {
            $($(#[$says])* $label,)*
        }

        impl Label {
            /// All of them, family by family.
            pub const ALL: &[Self] = &[$(Self::$label,)*];

            /// Its name in rules, settings, JSON and logs.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$label => $name,)*
                }
            }

            /// Its kin.
            pub const fn family(self) -> Family {
                match self {
                    $(Self::$label => Family::$family,)*
                }
            }
        }
    };
}

labels! {
    /// Done.
    Accepted = "accepted", Ok;
    /// Too many messages, bytes or recipients in a time; nothing is said of a bad name.
    RateLimited = "rate_limited", Throttle;
    /// Too many connections at once, or too often.
    ConnectionLimit = "connection_limit", Throttle;
    /// This connection has had its share of messages.
    MessagesPerConnection = "messages_per_connection", Throttle;
    /// This transaction has its share of recipients; others go in the next.
    RecipientsPerMessage = "recipients_per_message", Throttle;
    /// This mailbox gets its mail too fast.
    RecipientRateLimited = "recipient_rate_limited", Throttle;
    /// The account we submit by has used up its allowance.
    QuotaSender = "quota_sender", Throttle;
    /// Too many errors in this session.
    TooManyErrors = "too_many_errors", Throttle;
    /// Too many recipients that do not exist.
    TooManyInvalidRcpts = "too_many_invalid_rcpts", ListQuality;
    /// First contact: come again.
    Greylisted = "greylisted", Greylist;
    /// The host is asking elsewhere whether the address exists.
    VerificationInProgress = "verification_in_progress", Greylist;
    /// The address we send from has a bad name, or none, at this provider.
    ReputationIp = "reputation_ip", Reputation;
    /// The domain we send for has a bad name at this provider.
    ReputationDomain = "reputation_domain", Reputation;
    /// The address we send from is on a list: a public one, a vendor's or the receiver's own.
    Blocklisted = "blocklisted", Blocklist;
    /// A domain in envelope, HELO or text is on a list.
    DomainBlocklisted = "domain_blocklisted", Blocklist;
    /// The text looks like spam.
    ContentSpam = "content_spam", Content;
    /// Virus, phishing, or an attachment nobody may send.
    ContentMalware = "content_malware", Content;
    /// Refused by a rule that is not named.
    Policy = "policy", Policy;
    /// Refused by the recipient's own rule, or their organisation's.
    RecipientPolicy = "recipient_policy", RecipientPolicy;
    /// SPF fails, or its record is broken.
    AuthSpf = "auth_spf", Auth;
    /// DKIM is missing, or fails.
    AuthDkim = "auth_dkim", Auth;
    /// DMARC fails, or is missing.
    AuthDmarc = "auth_dmarc", Auth;
    /// Neither SPF nor DKIM holds, where one must.
    Unauthenticated = "unauthenticated", Auth;
    /// The host wants SMTP AUTH, or refused ours.
    AuthRequired = "auth_required", AuthSmtp;
    /// The reverse DNS of our address is missing, generic, or does not lead back.
    PtrMissing = "ptr_missing", Identity;
    /// Our EHLO name is not one.
    HeloInvalid = "helo_invalid", Identity;
    /// The sender's address or domain is not valid, not found, or not ours.
    SenderRejected = "sender_rejected", Identity;
    /// No such mailbox, or no valid address.
    NoSuchUser = "no_such_user", RecipientInvalid;
    /// The mailbox is closed, suspended or archived.
    MailboxDisabled = "mailbox_disabled", RecipientInvalid;
    /// The mailbox is busy, or closed for now.
    MailboxTempUnavailable = "mailbox_temp_unavailable", RecipientTemp;
    /// The mailbox is over its quota.
    MailboxFull = "mailbox_full", RecipientFull;
    /// The mailbox has moved.
    MailboxMoved = "mailbox_moved", RecipientInvalid;
    /// The host does not take mail for this domain, or not from us.
    RelayDenied = "relay_denied", Routing;
    /// The recipient's domain is not known to the host, or the DNS failed it.
    DomainNotFound = "domain_not_found", Routing;
    /// The domain takes no mail at all.
    NotAcceptingMail = "not_accepting_mail", Routing;
    /// The message goes in circles.
    Loop = "loop", Routing;
    /// The host is busy, down, or being mended.
    ServerUnavailable = "server_unavailable", ServerTemp;
    /// Something broke over there.
    SystemError = "system_error", ServerTemp;
    /// Their disk is full.
    SystemStorageFull = "system_storage_full", ServerTemp;
    /// The licence of their filter has run out, or their inbound is off.
    License = "license", ServerTemp;
    /// Something took too long.
    Timeout = "timeout", Network;
    /// A connection failed behind the host that speaks.
    NetworkError = "network_error", Network;
    /// A relay behind us gave up.
    Expired = "expired", Network;
    /// The host wants TLS.
    TlsRequired = "tls_required", Tls;
    /// TLS failed.
    TlsFailed = "tls_failed", Tls;
    /// The message, its header or its attachments are too large or too many.
    MessageTooLarge = "message_too_large", Size;
    /// The message breaks the rules of its format.
    MalformedMessage = "malformed_message", ContentFormat;
    /// The host did not understand a command, or not there.
    Syntax = "syntax", Protocol;
    /// Nothing that helps is said.
    Unknown = "unknown", Unknown;
}

/// Declares the families with their names.
macro_rules! families {
    ($($family:ident = $name:literal;)*) => {
        /// Labels that are kin.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "the names are those of the labels in them")]
        pub enum Family {
            $($family,)*
        }

        impl Family {
            /// Its name in JSON and on reference pages.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$family => $name,)*
                }
            }
        }
    };
}

families! {
    Ok = "ok";
    Throttle = "throttle";
    ListQuality = "list-quality";
    Greylist = "greylist";
    Reputation = "reputation";
    Blocklist = "blocklist";
    Content = "content";
    Policy = "policy";
    RecipientPolicy = "recipient-policy";
    Auth = "auth";
    AuthSmtp = "auth-smtp";
    Identity = "identity";
    RecipientInvalid = "recipient-invalid";
    RecipientTemp = "recipient-temp";
    RecipientFull = "recipient-full";
    Routing = "routing";
    ServerTemp = "server-temp";
    Network = "network";
    Tls = "tls";
    Size = "size";
    ContentFormat = "content-format";
    Protocol = "protocol";
    Unknown = "unknown";
}

impl Label {
    /// The label with this name, letter by letter.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|label| label.name() == name)
    }

    /// Whether it says something of one recipient alone. Such a thing cannot be said before a
    /// recipient was named, so no rule with such a label holds at connect or EHLO.
    pub const fn is_of_recipient(self) -> bool {
        matches!(
            self,
            Self::NoSuchUser
                | Self::MailboxDisabled
                | Self::MailboxMoved
                | Self::MailboxFull
                | Self::MailboxTempUnavailable
                | Self::RecipientPolicy
                | Self::RecipientRateLimited
                | Self::VerificationInProgress
        )
    }

    /// Whether mail to this recipient should not be tried again, in this message or another.
    pub const fn suppresses(self) -> bool {
        matches!(self, Self::NoSuchUser | Self::MailboxDisabled | Self::MailboxMoved)
    }

    /// Whether mail to this recipient's whole domain should wait.
    pub const fn holds_recipient_domain(self) -> bool {
        matches!(self, Self::NotAcceptingMail | Self::DomainNotFound)
    }

    /// Whether it says something of one recipient, or of the domain of one.
    pub const fn is_of_recipient_or_domain(self) -> bool {
        self.is_of_recipient() || self.holds_recipient_domain()
    }

    /// Whether it is trouble of the lane, of the source or of the sending domain: nobody's mailbox.
    pub const fn is_of_lane(self) -> bool {
        matches!(
            self,
            Self::RateLimited
                | Self::ConnectionLimit
                | Self::MessagesPerConnection
                | Self::ReputationIp
                | Self::ReputationDomain
                | Self::Blocklisted
                | Self::DomainBlocklisted
                | Self::PtrMissing
                | Self::HeloInvalid
                | Self::TooManyInvalidRcpts
                | Self::ServerUnavailable
                | Self::TlsRequired
                | Self::TlsFailed
        )
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_label_is_found_by_its_name_and_by_no_other() {
        for label in Label::ALL {
            assert_eq!(Label::parse(label.name()), Some(*label));
        }
        assert_eq!(Label::ALL.len(), 49);
        assert_eq!(Label::parse("Rate_Limited"), None);
    }

    #[test]
    fn what_suppresses_a_recipient_is_of_that_recipient_alone() {
        for label in Label::ALL {
            assert!(!label.suppresses() || label.is_of_recipient());
            assert!(!(label.suppresses() && label.holds_recipient_domain()));
        }
    }
}
