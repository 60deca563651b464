//! Tests of mail, as an operator has set them up.

use postlane_mail::{Domain, Rate, Span};

use crate::config::Config;

/// What an operator has said of tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TesterSetup {
    /// The domain of test addresses; none where there are no tests.
    pub domain: Option<Domain>,
    /// What links begin with.
    pub link: String,
    /// Octets of one message.
    pub message_octets: usize,
    /// Messages to one address.
    pub messages: u32,
    /// Messages of one client.
    pub per_client: Rate,
    /// How long an address takes mail where nothing is said.
    pub expires: Span,
    /// How long reports are kept after that.
    pub keep_for: Span,
    /// Tests that are kept.
    pub tests: usize,
    /// Octets on the disk.
    pub octets_max: u64,
}

impl TesterSetup {
    pub(super) fn of(config: &Config) -> Self {
        let settings = &config.tester;
        let link = settings.link.as_deref().map(|link| link.trim_end_matches('/').to_owned());
        Self {
            domain: settings.domain.clone(),
            link: link.unwrap_or_else(|| format!("http://{}", config.http.address)),
            message_octets: settings.message_size.in_memory(),
            messages: settings.messages,
            per_client: settings.per_client,
            expires: settings.expires,
            keep_for: settings.keep_for,
            tests: settings.tests as usize,
            octets_max: settings.size.0,
        }
    }
}
