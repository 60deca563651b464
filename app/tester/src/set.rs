//! Which checks make the test: 54 tests and four advisories, in the order of the report, and why
//! each matters to receivers.

/// A check of the set, and why it matters.
pub(crate) struct Member {
    pub(crate) id: &'static str,
    pub(crate) why: &'static str,
}

const fn member(id: &'static str, why: &'static str) -> Member {
    Member { id, why }
}

/// How many tests there are; the rest of the set advises.
pub const TESTS: usize = 54;

/// Checks of the set that are worth knowing and never a fault.
pub const ADVISORIES: [&str; 4] = ["FMT-14", "FMT-27", "CNT-04", "DNS-08"];

/// All of them, in the order of the report.
pub(crate) const SET: [Member; TESTS + ADVISORIES.len()] = [
    member(
        "FMT-01",
        "A message without a Date looks like a bot's; some receivers add one, and that breaks the signature.",
    ),
    member("FMT-02", "GMX and WEB.DE refuse mail whose Date they cannot read."),
    member("FMT-03", "A Date far off tells of a wrong clock; mail from the future is put off."),
    member("FMT-06", "With two authors nobody knows whose policy holds: receivers refuse."),
    member("FMT-07", "DMARC needs exactly one author's domain."),
    member(
        "FMT-11",
        "Raw octets beyond ASCII in the header are refused, or changed on the way, and signatures break.",
    ),
    member(
        "FMT-12",
        "A second Subject, To or Message-ID is refused: readers and filters would see different mail.",
    ),
    member(
        "FMT-13",
        "Gmail refuses mail without a valid Message-ID; tickets with a postmaster need it.",
    ),
    member("FMT-14", "Readers decide by the subject; an empty one looks like spam."),
    member("FMT-15", "Mail that is addressed to nobody looks like spam."),
    member("FMT-16", "Longer lines are broken by hosts on the way, and the signature with them."),
    member("FMT-17", "A bare CR or LF can smuggle a second message; many hosts refuse it."),
    member("FMT-20", "Readers that go by the standard do not decode MIME without it."),
    member("FMT-21", "Broken parts hide malware from scanners: filters are strict."),
    member(
        "FMT-22",
        "What is said to be 7 bits and is not is recoded on the way, and the signature breaks.",
    ),
    member(
        "FMT-24",
        "Mail that is HTML alone is scored by filters, and cannot be read by everybody.",
    ),
    member("FMT-27", "Gmail cuts HTML at 102 KB: the way out of the list may be below."),
    member("IDN-01", "Receivers refuse mail from a domain that cannot be answered."),
    member("IDN-02", "Bounces must have somewhere to go."),
    member("IDN-04", "Who passes SPF must be who stands in From, or it proves nothing about From."),
    member(
        "IDN-05",
        "GMX and WEB.DE take no mail without a good signature in the author's name; for others it is half of DMARC.",
    ),
    member(
        "IDN-09",
        "Mail in the name of a mailbox provider, from elsewhere, is refused by its policy.",
    ),
    member(
        "IDN-10",
        "With the service's signature alone its reputation counts, and yours is never built.",
    ),
    member("SPF-01", "Gmail, Yahoo and Outlook ask for SPF of everybody who sends much."),
    member("SPF-02", "With two records there is none: receivers stop with an error."),
    member("SPF-04", "Mail from an address that the record does not name is refused."),
    member("SPF-05", "Beyond ten lookups the whole record counts for nothing."),
    member("SPF-06", "Names that lead nowhere use up what receivers bear."),
    member("SPF-10", "A record that lets everybody send protects nobody."),
    member("DKIM-01", "Signed mail keeps its reputation wherever it is sent from."),
    member("DKIM-02", "A broken signature is worth as much as none."),
    member("DKIM-04", "SHA-1 counts for nothing any more."),
    member("DKIM-05", "Short keys are not believed."),
    member("DKIM-09", "What is not signed can be changed by whoever wants to."),
    member("DKIM-11", "With l= anybody can add to the message, and the signature stays good."),
    member("DKIM-12", "A signature that ends before a deferred message arrives is worth nothing."),
    member("DMARC-01", "Gmail, Yahoo and Outlook ask for a policy of everybody who sends much."),
    member("DMARC-02", "With two records there is none."),
    member("DMARC-04", "This is what receivers decide by: the author's domain must be proved."),
    member("DMARC-05", "A policy of none protects nobody from mail in your name."),
    member("DNS-01", "Hosts without a name are refused almost everywhere."),
    member("DNS-02", "A name that does not lead back proves nothing."),
    member("DNS-03", "Names as dial-up addresses have them are those of infected machines."),
    member("DNS-06", "Infected machines say nonsense in EHLO, and so they are known by it."),
    member("DNS-07", "A name that is not the host's is held against it."),
    member("DNS-08", "Postmasters find you by one name, not by two."),
    member("DNS-10", "No mail is taken from dial-up addresses."),
    member("TLS-01", "Gmail asks for it, and the mail could be read by anybody on the way."),
    member("TLS-02", "Older versions are broken."),
    member("BL-01", "The list that most providers ask first."),
    member("BL-02", "Names of spammers in a message are enough to refuse it."),
    member("BULK-01", "Gmail and Yahoo ask for a way out in the header."),
    member("BULK-02", "Only a way on the Web counts for them."),
    member("BULK-03", "One click must be enough."),
    member("BULK-04", "The button is shown only where the way out is signed."),
    member("BULK-08", "Who finds no way out reports spam."),
    member("CNT-04", "Dead or abused links are held against the sender."),
    member("CNT-10", "Readers cut scripts, frames and forms out, and filters refuse them."),
];

/// Its place in the set, and why it matters; none for a check that is not of the set.
pub(crate) fn place(id: &str) -> Option<(usize, &'static str)> {
    let place = SET.iter().position(|member| member.id == id)?;
    SET.get(place).map(|member| (place, member.why))
}

#[cfg(test)]
mod tests {
    use postlane_checks::address::address_checks;
    use postlane_checks::{domain_checks, message_checks};

    use super::*;

    #[test]
    fn every_check_of_the_set_is_one_that_is_made() {
        let made: Vec<&str> = message_checks()
            .chain(address_checks())
            .chain(domain_checks())
            .map(|check| check.id)
            .collect();
        for member in &SET {
            assert!(made.contains(&member.id), "{}", member.id);
        }
        assert!(ADVISORIES.iter().all(|id| place(id).is_some()));
    }
}
