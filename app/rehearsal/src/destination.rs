//! The one destination of a scenario's mail, as the engine numbers it.

use postlane_engine::{DomainId, ExchangeId, ProviderId};

/// The scenario has one provider.
pub(crate) const PROVIDER: ProviderId = ProviderId(0);

/// All mail of a scenario goes to one domain.
pub(crate) const DOMAIN: DomainId = DomainId(0);

/// All its hosts are one set.
pub(crate) const EXCHANGE: ExchangeId = ExchangeId(0);
