//! What a record is for, by where it stands and what it says.

/// Which records mail has, in the order in which they are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sort {
    Spf,
    Dkim,
    Dmarc,
    Mx,
    MtaSts,
    TlsRpt,
    Dane,
    Bimi,
    NameServer,
    Address,
    Other,
}

impl Sort {
    /// Those that every domain that sends is looked for.
    pub(super) const SOUGHT: [Self; 7] =
        [Self::Spf, Self::Dkim, Self::Dmarc, Self::Mx, Self::MtaSts, Self::TlsRpt, Self::Bimi];

    /// Of what is published at a name, of a type.
    pub(super) fn of(name: &str, kind: &str) -> Self {
        let first = name.split('.').next().unwrap_or_default();
        match (kind, first) {
            ("TXT", _) if name.contains("._domainkey.") => Self::Dkim,
            ("TXT", "_dmarc") => Self::Dmarc,
            ("TXT", "_mta-sts") => Self::MtaSts,
            ("TXT", "_smtp") => Self::TlsRpt,
            ("TXT", _) if name.contains("._bimi.") => Self::Bimi,
            ("TXT", label) if !label.starts_with('_') => Self::Spf,
            ("MX", _) => Self::Mx,
            ("TLSA", _) => Self::Dane,
            ("NS", _) => Self::NameServer,
            ("A" | "AAAA" | "PTR" | "CNAME", _) => Self::Address,
            _ => Self::Other,
        }
    }

    /// As people say it.
    pub(super) fn says(self) -> &'static str {
        match self {
            Self::Spf => "SPF",
            Self::Dkim => "DKIM",
            Self::Dmarc => "DMARC",
            Self::Mx => "MX",
            Self::MtaSts => "MTA-STS",
            Self::TlsRpt => "TLS-RPT",
            Self::Dane => "DANE",
            Self::Bimi => "BIMI",
            Self::NameServer => "Name servers",
            Self::Address => "Address",
            Self::Other => "Other",
        }
    }

    /// What follows where there is none.
    pub(super) fn absent(self) -> &'static str {
        match self {
            Self::Spf => "not published: nobody can tell which hosts may send",
            Self::Dkim => "no key is published at the selectors that are known",
            Self::Dmarc => "not published: nobody stands up for the name in From",
            Self::Mx => "not published: answers and bounces cannot come back",
            Self::MtaSts => "not published: mail to this domain may come in the clear",
            Self::TlsRpt => "not published: nobody reports when encryption fails",
            Self::Bimi => "not published: no logo is shown",
            _ => "not published",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_called_by_what_they_are_for() {
        for (name, kind, sort) in [
            ("example.com", "TXT", Sort::Spf),
            ("s1._domainkey.example.com", "TXT", Sort::Dkim),
            ("_dmarc.example.com", "TXT", Sort::Dmarc),
            ("_mta-sts.example.com", "TXT", Sort::MtaSts),
            ("_smtp._tls.example.com", "TXT", Sort::TlsRpt),
            ("default._bimi.example.com", "TXT", Sort::Bimi),
            ("_25._tcp.mail.example.com", "TLSA", Sort::Dane),
            ("example.com", "MX", Sort::Mx),
            ("mail.example.com", "AAAA", Sort::Address),
            ("_acme-challenge.example.com", "TXT", Sort::Other),
        ] {
            assert_eq!(Sort::of(name, kind), sort, "{name} {kind}");
        }
    }
}
