//! Fields that entries are counted by.

use std::fmt;

use compact_str::{CompactString, ToCompactString};

use crate::entry::Entry;

macro_rules! fields {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// A field that entries are counted by.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Field {
            $($(#[$doc])* $name,)*
        }

        impl Field {
            /// All of them.
            pub const ALL: [Self; [$($text),*].len()] = [$(Self::$name),*];

            /// The name, as in files, JSON and the command line.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

fields! {
    /// What happened.
    Kind = "kind",
    /// First attempts and later ones.
    Try = "try",
    /// The provider.
    Provider = "provider",
    /// The reply's code.
    Code = "code",
    /// What the reply means.
    Label = "label",
    /// The rule that said so.
    Rule = "rule",
    /// The source's name.
    Source = "source",
    /// The source's address.
    SourceIp = "source_ip",
    /// The stream.
    Stream = "stream",
    /// The tenant.
    Tenant = "tenant",
    /// The campaign.
    Campaign = "campaign",
    /// The recipient's domain.
    Domain = "domain",
    /// The MX host.
    MxHost = "mx_host",
    /// What the reply answered.
    Stage = "stage",
}

impl Field {
    /// Reads a field's name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.as_str() == text)
    }

    /// What the field says in `entry`; empty when it is not known.
    pub fn of(self, entry: &Entry) -> CompactString {
        let fixed = |text: Option<&'static str>| CompactString::const_new(text.unwrap_or_default());
        match self {
            Self::Kind => fixed(Some(entry.kind.as_str())),
            Self::Try => fixed(entry.tried().map(|of| of.as_str())),
            Self::Provider => entry.provider.clone(),
            Self::Code => {
                entry.code.map(|code| code.number().to_compact_string()).unwrap_or_default()
            }
            Self::Label => entry.label.clone(),
            Self::Rule => entry.rule.clone(),
            Self::Source => entry.source.clone(),
            Self::SourceIp => entry.source_ip.map(|ip| ip.to_compact_string()).unwrap_or_default(),
            Self::Stream => fixed(entry.stream.map(|stream| stream.as_str())),
            Self::Tenant => entry.tenant.clone(),
            Self::Campaign => entry.campaign.clone(),
            Self::Domain => entry.domain.clone(),
            Self::MxHost => entry.mx_host.clone(),
            Self::Stage => fixed(entry.stage.map(|stage| stage.as_str())),
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_read_back_from_its_name() {
        for field in Field::ALL {
            assert_eq!(Field::parse(field.as_str()), Some(field));
        }
    }
}
