//! The checks of an address that sends, in the order of their names.

use crate::blocklist::of_address;
use crate::check::Gate::{Apple, Google, Microsoft, TOnline, UnitedInternet, Yahoo};
use crate::check::{Check, Found};
use crate::dns::Known;
use crate::spf;
use postlane_mail::Instant;

use super::sender::{AddressCheck, Sender};
use super::{dynamic::dynamic, helo, reverse};

/// SPF-20, of this address.
fn covered(known: &mut Known, sender: Sender<'_>) -> Option<Found> {
    match sender.sends_for {
        Some(domain) => spf::covers(known, domain, &[sender.address], Instant(0)),
        None => Found::skip("the domain that it sends for is not given (--mail-from)"),
    }
}

/// DNS-01 to DNS-11 and what else is about an address.
pub(crate) static CHECKS: [AddressCheck; 34] = [
    AddressCheck {
        check: Check::of_address(
            "DNS-01",
            "The address has a name",
            &[UnitedInternet, Google, Yahoo, TOnline],
            "Ask whoever gave you the address for a PTR record.",
            "RFC 1912 §2.1",
        ),
        run: reverse::has_name,
    },
    AddressCheck {
        check: Check::of_address(
            "DNS-02",
            "The name has the address",
            &[Google, Yahoo, UnitedInternet],
            "Publish an A or AAAA record of the PTR's name with this address.",
            "RFC 8601 §2.7.3",
        ),
        run: reverse::is_confirmed,
    },
    AddressCheck {
        check: Check::of_address(
            "DNS-03",
            "The name is not one that dial-up addresses have",
            &[UnitedInternet],
            "Ask for a PTR such as mail.your-domain.",
            "GMX and WEB.DE, requirements for servers",
        ),
        run: reverse::is_own,
    },
    AddressCheck {
        check: Check::of_address(
            "DNS-04",
            "The address has one name",
            &[],
            "Leave one PTR record.",
            "RFC 1912 §2.1",
        ),
        run: reverse::is_single,
    },
    AddressCheck {
        check: Check::of_address(
            "DNS-05",
            "The name is of your own organisation",
            &[UnitedInternet],
            "Ask for a PTR below your own domain.",
            "GMX and WEB.DE, requirements for servers",
        ),
        run: reverse::is_of_helo,
    },
    AddressCheck {
        check: Check::of_address(
            "DNS-06",
            "EHLO has a whole name",
            &[UnitedInternet],
            "Set helo to the host's whole name.",
            "RFC 5321 §2.3.5, §4.1.1.1, §4.1.3",
        ),
        run: helo::form,
    },
    AddressCheck {
        check: Check::of_address(
            "DNS-07",
            "The name of EHLO has the address",
            &[Microsoft],
            "Publish an A or AAAA record of that name with this address.",
            "RFC 5321 §4.1.4",
        ),
        run: helo::forward,
    },
    AddressCheck {
        check: Check::of_address(
            "DNS-08",
            "EHLO has the address's name",
            &[],
            "Say the PTR's name in EHLO.",
            "GMX postmaster, glossary",
        ),
        run: helo::is_reverse,
    },
    AddressCheck::left_open(
        Check::of_address(
            "DNS-09",
            "It says one name in EHLO",
            &[UnitedInternet],
            "Set one helo for each source.",
            "United Internet, table of replies",
        ),
        "what it has said in 24 hours is in the log of the server that sends",
    ),
    AddressCheck {
        check: Check::of_address(
            "DNS-10",
            "It is not a dial-up address",
            &[UnitedInternet],
            "Send from an address that is yours for good, and have it taken off the PBL.",
            "common practice",
        ),
        run: dynamic,
    },
    AddressCheck {
        check: Check::of_address(
            "DNS-11",
            "An IPv6 address has all that IPv4 has",
            &[Google],
            "Publish PTR and AAAA, or send to this provider by IPv4 alone.",
            "Google, email sender guidelines",
        ),
        run: reverse::is_whole_in_v6,
    },
    AddressCheck::left_open(
        Check::of_address(
            "DNS-21",
            "Its route is signed",
            &[],
            "Publish a ROA for the range.",
            "RFC 6811",
        ),
        "routes are not in the DNS",
    ),
    AddressCheck {
        check: Check::of_address(
            "SPF-17",
            "SPF lets it say this name",
            &[],
            "Publish `v=spf1 a -all` at the name of EHLO.",
            "RFC 7208 §2.3",
        ),
        run: helo::spf,
    },
    AddressCheck {
        check: Check::of_address(
            "SPF-20",
            "SPF lets every address of its pool send",
            &[],
            "Add the address before mail goes by it.",
            "RFC 7208",
        ),
        run: covered,
    },
    AddressCheck {
        check: Check::of_address(
            "BL-01",
            "Spamhaus ZEN",
            &[UnitedInternet, Google, Microsoft, Apple],
            "Ask to be taken off when the cause is gone.",
            "RFC 5782",
        ),
        run: |known, sender| of_address(known, sender, "BL-01"),
    },
    AddressCheck {
        check: Check::of_address(
            "BL-04",
            "Abusix",
            &[UnitedInternet],
            "Ask to be taken off when the cause is gone.",
            "RFC 5782",
        ),
        run: |known, sender| of_address(known, sender, "BL-04"),
    },
    AddressCheck {
        check: Check::of_address(
            "BL-05",
            "Barracuda",
            &[],
            "Ask to be taken off when the cause is gone.",
            "RFC 5782",
        ),
        run: |known, sender| of_address(known, sender, "BL-05"),
    },
    AddressCheck {
        check: Check::of_address(
            "BL-06",
            "SpamCop",
            &[],
            "Ask to be taken off when the cause is gone.",
            "RFC 5782",
        ),
        run: |known, sender| of_address(known, sender, "BL-06"),
    },
    AddressCheck {
        check: Check::of_address(
            "BL-07",
            "UCEPROTECT",
            &[],
            "Ask to be taken off when the cause is gone.",
            "RFC 5782",
        ),
        run: |known, sender| of_address(known, sender, "BL-07"),
    },
    AddressCheck {
        check: Check::of_address(
            "BL-08",
            "Mailspike",
            &[],
            "Ask to be taken off when the cause is gone.",
            "RFC 5782",
        ),
        run: |known, sender| of_address(known, sender, "BL-08"),
    },
    AddressCheck {
        check: Check::of_address(
            "BL-09",
            "Smaller lists",
            &[],
            "Ask to be taken off when the cause is gone.",
            "RFC 5782",
        ),
        run: |known, sender| of_address(known, sender, "BL-09"),
    },
    AddressCheck::left_open(
        Check::of_address(
            "BL-12",
            "Invaluement",
            &[],
            "Ask to be taken off when the cause is gone.",
            "common practice",
        ),
        "it is sold by subscription and not asked",
    ),
    AddressCheck {
        check: Check::of_address(
            "BL-13",
            "Validity",
            &[],
            "Ask to be taken off when the cause is gone.",
            "RFC 5782",
        ),
        run: |known, sender| of_address(known, sender, "BL-13"),
    },
    AddressCheck::left_open(
        Check::of_address(
            "BL-14",
            "Lists of providers' own",
            &[UnitedInternet, TOnline, Microsoft, Yahoo, Apple],
            "Write to the provider with the evidence pack.",
            "common practice",
        ),
        "they are seen in replies alone: `postlane diagnose`",
    ),
    AddressCheck::left_open(
        Check::of_address(
            "BL-15",
            "Neighbours are not listed",
            &[],
            "Move to another range.",
            "common practice",
        ),
        "that would be 255 questions to each list",
    ),
    AddressCheck {
        check: Check::of_address(
            "BL-16",
            "Lists of good senders",
            &[],
            "Ask to be taken off when the cause is gone.",
            "RFC 5782",
        ),
        run: |known, sender| of_address(known, sender, "BL-16"),
    },
    AddressCheck {
        check: Check::of_address(
            "IDN-13",
            "Who runs it can be found",
            &[TOnline],
            "Put a page with imprint and contact on the PTR's domain.",
            "postmaster.t-online.de §4.1",
        ),
        run: reverse::is_findable,
    },
    AddressCheck::left_open(
        Check::of_address(
            "BULK-15",
            "Complaints come back",
            &[],
            "Enrol the address and the domain in the providers' loops.",
            "RFC 5965",
        ),
        "who has enrolled it is not in the DNS",
    ),
    AddressCheck::left_open(
        Check::of_address(
            "INF-11",
            "SNDS has nothing against it",
            &[],
            "Look at sendersupport.olc.protection.outlook.com/snds.",
            "Microsoft SNDS",
        ),
        "no access to SNDS is set up",
    ),
    AddressCheck::left_open(
        Check::of_address(
            "INF-14",
            "Mail leaves by this address",
            &[],
            "Bind the source to it.",
            "common practice",
        ),
        "it is told from the server that sends",
    ),
    AddressCheck::left_open(
        Check::of_address(
            "INF-15",
            "Port 25 is open to providers",
            &[],
            "Ask whoever gave you the address to open it.",
            "common practice",
        ),
        "it is told from the server that sends",
    ),
    AddressCheck::left_open(
        Check::of_address(
            "INF-16",
            "It is no open relay",
            &[],
            "Let nobody send without a password, or from elsewhere than your own networks.",
            "RFC 5321 §7.9",
        ),
        "no session is opened to it",
    ),
    AddressCheck::left_open(
        Check::of_address(
            "INF-17",
            "It is yours alone",
            &[],
            "Use an address of your own.",
            "common practice",
        ),
        "who else sends by it is not in the DNS",
    ),
    AddressCheck::left_open(
        Check::of_address(
            "INF-18",
            "It has been in use for a while",
            &[],
            "Begin with little mail.",
            "common practice",
        ),
        "it is told from the log of the server that sends",
    ),
];
