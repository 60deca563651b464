//! Numbers for what the engine need not read: the world hands them out and can say what
//! they stand for. Only equality means anything.

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident($number:ty);)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub $number);
    )*};
}

names! {
    /// A recipient's domain or address literal.
    DomainId(u32);
    /// A provider: receivers that share limits.
    ProviderId(u32);
    /// A set of MX hosts with the same routing and policy: a session to one of them can carry
    /// any message for any of them.
    ExchangeId(u32);
    /// One MX host or smart host, by name.
    HostId(u32);
    /// An address we send from, with its EHLO name.
    SourceId(u16);
    /// A set of sources.
    PoolId(u16);
    /// Whose mail of which mailing: tenant and campaign. Flows of a stream take turns.
    FlowId(u32);
    /// A section of an operator's: ceilings for some hosts, a pool, a tenant or a domain, inside
    /// lanes.
    SectionId(u16);
    /// One session, from the wish to open it until it is closed. Never used again.
    SlotId(u64);
    /// One try of one message on one session. Never used again.
    AttemptId(u64);
}

impl SourceId {
    /// Whichever of our sources: that of a lane they share.
    pub const ANY: Self = Self(u16::MAX);
}

/// A number that the world can forget one day, since what it stands for comes and goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Name {
    /// A recipient's domain.
    Domain(DomainId),
    /// A set of MX hosts, and with it those of them that belong to no other set.
    Exchange(ExchangeId),
    /// A provider.
    Provider(ProviderId),
    /// A tenant's campaign.
    Flow(FlowId),
}
