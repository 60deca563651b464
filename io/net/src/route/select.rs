//! Which hosts of an MX set are worth looking up.

use postlane_mail::Domain;

use crate::dns::{Exchange, Mx};

use super::assemble::{Skipped, Why};

/// What an MX set says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Selection {
    /// The domain takes no mail (RFC 7505 §3).
    NullMx,
    /// These hosts, lowest preference first and in order of name among equals, and those that
    /// are no hosts at all.
    Hosts(Vec<(u16, Domain)>, Vec<Skipped>),
}

/// Sorts an MX set out and keeps the best `hosts_max`. A host that is named twice counts once,
/// with the better preference.
pub(super) fn select(records: &[Mx], hosts_max: usize) -> Selection {
    if let [Mx { exchange: Exchange::Root, .. }] = records {
        return Selection::NullMx;
    }
    let mut sorted: Vec<&Mx> = records.iter().collect();
    sorted.sort();
    let (mut hosts, mut skipped): (Vec<(u16, Domain)>, _) = (Vec::new(), Vec::new());
    for Mx { preference, exchange } in sorted {
        let mut skip = |host: &str, why| {
            skipped.push(Skipped { host: host.into(), preference: *preference, why });
        };
        match exchange {
            Exchange::Host(host) if hosts.iter().any(|(_, known)| known == host) => {}
            Exchange::Host(host) if is_address(host) => skip(host.as_str(), Why::NoHostName),
            Exchange::Host(host) if hosts.len() >= hosts_max => skip(host.as_str(), Why::TooMany),
            Exchange::Host(host) => hosts.push((*preference, host.clone())),
            // RFC 7505 §3: a null MX beside others means nothing.
            Exchange::Root => skip(".", Why::NoHostName),
            Exchange::Unusable(text) => skip(text, Why::NoHostName),
        }
    }
    Selection::Hosts(hosts, skipped)
}

/// An IPv4 address where a name belongs: RFC 1035 §3.3.9 wants a host. To look it up would be
/// to ask for a top-level domain of digits, and there is none.
fn is_address(host: &Domain) -> bool {
    let last = host.as_str().rsplit('.').next();
    last.is_some_and(|label| label.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mx(preference: u16, exchange: &str) -> Mx {
        let exchange = match exchange {
            "." => Exchange::Root,
            name => {
                Domain::parse(name).map_or_else(|_| Exchange::Unusable(name.into()), Exchange::Host)
            }
        };
        Mx { preference, exchange }
    }

    fn selected(records: &[Mx], hosts_max: usize) -> String {
        match select(records, hosts_max) {
            Selection::NullMx => "null".to_owned(),
            Selection::Hosts(hosts, skipped) => {
                let hosts = hosts.iter().map(|(preference, host)| format!("{preference} {host}"));
                let skipped = skipped.iter().map(|s| format!("-{} {:?}", s.host, s.why));
                hosts.chain(skipped).collect::<Vec<_>>().join(", ")
            }
        }
    }

    #[test]
    fn hosts_come_lowest_preference_first() {
        let records = [mx(20, "c.test"), mx(10, "b.test"), mx(5, "d.test"), mx(10, "a.test")];
        assert_eq!(selected(&records, 9), "5 d.test, 10 a.test, 10 b.test, 20 c.test");
    }

    #[test]
    fn a_lone_root_takes_no_mail_whatever_its_preference() {
        assert_eq!(selected(&[mx(0, ".")], 9), "null");
        assert_eq!(selected(&[mx(10, ".")], 9), "null");
    }

    #[test]
    fn a_root_beside_others_means_nothing() {
        assert_eq!(selected(&[mx(0, "."), mx(10, "a.test")], 9), "10 a.test, -. NoHostName");
    }

    #[test]
    fn addresses_and_other_texts_are_no_hosts() {
        let records = [mx(5, "192.0.2.1"), mx(10, "a.test"), mx(20, "a b.test")];
        let expected = "10 a.test, -192.0.2.1 NoHostName, -a b.test NoHostName";
        assert_eq!(selected(&records, 9), expected);
    }

    #[test]
    fn a_host_named_twice_counts_once_with_the_better_preference() {
        assert_eq!(selected(&[mx(20, "a.test"), mx(10, "A.test")], 9), "10 a.test");
    }

    #[test]
    fn the_best_hosts_are_kept_of_too_many() {
        let records = [mx(3, "c.test"), mx(1, "a.test"), mx(2, "b.test")];
        assert_eq!(selected(&records, 2), "1 a.test, 2 b.test, -c.test TooMany");
    }
}
