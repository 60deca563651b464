//! Which entries of the log are meant.

use clap::Args;
use postlane_api::wire::LogQuery;

/// Which entries are meant: all that agree with everything given.
#[derive(Args)]
#[command(next_help_heading = "Which entries (several of one kind: separated by commas)")]
pub(super) struct Which {
    /// A provider: its id, a brand, or one of its domains (gmx, web.de)
    #[arg(long, value_name = "NAME")]
    provider: Option<String>,
    /// A reply code: 421, or 4xx for all of them
    #[arg(long, value_name = "CODE")]
    code: Option<String>,
    /// What the reply means: rate_limited, no_such_user …
    #[arg(long, value_name = "LABEL")]
    label: Option<String>,
    /// What happened: accepted, refused, delivered, deferred, bounced, expired, held, released,
    /// deleted, reported, returned, complaint, connect-failed, session-lost, lane, suppressed …
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// First attempts (fresh), or later ones (retry)
    #[arg(long = "try", value_name = "WHICH")]
    tries: Option<String>,
    /// An address that we sent from
    #[arg(long, value_name = "ADDR")]
    ip: Option<String>,
    /// A source's name
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// transactional, engaged or cold
    #[arg(long)]
    stream: Option<String>,
    /// Whose
    #[arg(long)]
    tenant: Option<String>,
    /// Of which mailing
    #[arg(long)]
    campaign: Option<String>,
    /// A recipient domain
    #[arg(long)]
    domain: Option<String>,
    /// A recipient's address, as it was handed in
    #[arg(long, value_name = "ADDRESS")]
    recipient: Option<String>,
    /// A queue id
    #[arg(long)]
    id: Option<String>,
    /// A Message-ID
    #[arg(long, value_name = "ID")]
    message_id: Option<String>,
    /// An MX host
    #[arg(long, value_name = "HOST")]
    mx: Option<String>,
    /// Words somewhere in the reply, the addresses, the Message-ID, the host or the particulars
    #[arg(long, value_name = "WORDS")]
    text: Option<String>,
    /// Not before: how long ago (24h, 30m, 7d), or a moment (2026-11-21T05:39:05Z)
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Before: how long ago, or a moment
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// A saved view to begin with; --views lists them
    #[arg(long, value_name = "NAME")]
    saved: Option<String>,
}

impl Which {
    /// As the API has it.
    pub(super) fn query(&self) -> LogQuery {
        LogQuery {
            view: self.saved.clone(),
            since: self.since.clone(),
            until: self.until.clone(),
            kind: self.kind.clone(),
            tries: self.tries.clone(),
            provider: self.provider.clone(),
            code: self.code.clone(),
            label: self.label.clone(),
            source: self.source.clone(),
            ip: self.ip.clone(),
            stream: self.stream.clone(),
            tenant: self.tenant.clone(),
            campaign: self.campaign.clone(),
            domain: self.domain.clone(),
            recipient: self.recipient.clone(),
            id: self.id.clone(),
            message_id: self.message_id.clone(),
            mx: self.mx.clone(),
            text: self.text.clone(),
            ..LogQuery::default()
        }
    }
}
