//! The checks of a lane, in the order of their names.

use crate::check::Check;
use crate::check::Gate::{Apple, Google, Microsoft, TOnline, UnitedInternet, Yahoo};

use super::{LaneCheck, judged};

/// All there are.
pub(super) static CHECKS: [LaneCheck; 28] = [
    LaneCheck {
        check: Check::of_lane(
            "BL-14",
            "Providers' own lists do not have it",
            &[UnitedInternet, TOnline, Microsoft, Yahoo, Apple],
            "Write to the provider with the evidence pack: `postlane evidence`.",
            "common practice",
        ),
        run: judged::listed,
    },
    LaneCheck::left_open(
        Check::of_lane(
            "BULK-09",
            "Who unsubscribes is off the list soon",
            &[Google, Yahoo],
            "Take people off by a program, within a day.",
            "Google and Yahoo, sender guidelines",
        ),
        "when somebody is taken off a list is not told to the relay",
    ),
    LaneCheck::left_open(
        Check::of_lane(
            "BULK-10",
            "Few complain",
            &[Google, Yahoo],
            "Send to those who want it, and take who complains off the list.",
            "Google and Yahoo, sender guidelines",
        ),
        "complaints are counted by providers, at pages that the relay has no access to",
    ),
    LaneCheck {
        check: Check::of_lane(
            "BULK-11",
            "Few recipients are refused for good",
            &[UnitedInternet],
            "Take addresses off the list that were refused for good.",
            "RFC 3463",
        ),
        run: judged::bounces,
    },
    LaneCheck {
        check: Check::of_lane(
            "BULK-12",
            "How near it is to mail to many",
            &[Google, Microsoft],
            "Meet what is asked of mail to many before a domain sends 5,000 messages a day.",
            "Google and Microsoft, sender guidelines",
        ),
        run: judged::bulk,
    },
    LaneCheck::left_open(
        Check::of_lane(
            "BULK-20",
            "Mail under a restart plan goes to who reads it",
            &[],
            "Send the engaged stream first.",
            "common practice",
        ),
        "who reads mail is known to who sends it, not to the relay",
    ),
    LaneCheck::left_open(
        Check::of_lane(
            "DMARC-16",
            "Reports come in",
            &[],
            "See whether rua= has a mailbox that takes mail.",
            "RFC 9990",
        ),
        "reports of DMARC are not read here yet",
    ),
    LaneCheck::left_open(
        Check::of_lane(
            "DMARC-17",
            "Own mail passes DMARC",
            &[],
            "Mend the source that fails most.",
            "RFC 9990",
        ),
        "reports of DMARC are not read here yet",
    ),
    LaneCheck::left_open(
        Check::of_lane(
            "DMARC-18",
            "Nobody else sends in its name",
            &[],
            "Find out who it is.",
            "RFC 9990",
        ),
        "reports of DMARC are not read here yet",
    ),
    LaneCheck::left_open(
        Check::of_lane(
            "DMARC-19",
            "It passes DMARC at each provider alike",
            &[],
            "Look at the reports of that provider.",
            "RFC 9990",
        ),
        "reports of DMARC are not read here yet",
    ),
    LaneCheck {
        check: Check::of_lane(
            "DNS-09",
            "It says one name in EHLO",
            &[UnitedInternet],
            "Set one helo for each source.",
            "United Internet, table of replies",
        ),
        run: judged::greeted_as,
    },
    LaneCheck {
        check: Check::of_lane(
            "INF-01",
            "First attempts are taken",
            &[],
            "Send less, or go back to the last rate that was taken: `postlane lanes rollback`.",
            "common practice",
        ),
        run: judged::first_attempts,
    },
    LaneCheck {
        check: Check::of_lane(
            "INF-02",
            "Few attempts are needed for each message",
            &[],
            "Wait longer between attempts.",
            "common practice",
        ),
        run: judged::pressure,
    },
    LaneCheck {
        check: Check::of_lane(
            "INF-03",
            "Mail does not grow old",
            &[],
            "Hold new mail until the old has gone: `postlane lanes hold-new`.",
            "common practice",
        ),
        run: judged::age,
    },
    LaneCheck {
        check: Check::of_lane(
            "INF-04",
            "It has no more sessions than it may",
            &[],
            "That is a fault of Postlane: tell its makers.",
            "common practice",
        ),
        run: judged::sessions,
    },
    LaneCheck::left_open(
        Check::of_lane(
            "INF-05",
            "Attempts are far enough apart",
            &[],
            "Let half an hour lie between attempts.",
            "RFC 5321 §4.5.4.1",
        ),
        "attempts keep to the configuration's schedule: `postlane trace` has each",
    ),
    LaneCheck {
        check: Check::of_lane(
            "INF-06",
            "It keeps to its restart plan",
            &[],
            "Let the plan go on by itself.",
            "common practice",
        ),
        run: judged::plan,
    },
    LaneCheck {
        check: Check::of_lane(
            "INF-07",
            "It is as its pool's others",
            &[],
            "Leave the source out for this provider: `postlane lanes exclude`.",
            "common practice",
        ),
        run: judged::divergence,
    },
    LaneCheck {
        check: Check::of_lane(
            "INF-08",
            "There is no sudden flood",
            &[],
            "Spread the mail over the day.",
            "Yahoo, TSS04",
        ),
        run: judged::spike,
    },
    LaneCheck {
        check: Check::of_lane(
            "INF-09",
            "Mailboxes exist",
            &[],
            "Take addresses off the list that nobody has.",
            "common practice",
        ),
        run: judged::unknown_mailboxes,
    },
    LaneCheck {
        check: Check::of_lane(
            "INF-10",
            "What is wrong with it",
            &[],
            "Do what `postlane diagnose` says.",
            "common practice",
        ),
        run: judged::class,
    },
    LaneCheck::left_open(
        Check::of_lane(
            "INF-12",
            "Google finds it compliant",
            &[Google],
            "Mend what Postmaster Tools says.",
            "Google Postmaster Tools",
        ),
        "no access to Google Postmaster Tools is set up",
    ),
    LaneCheck::left_open(
        Check::of_lane(
            "INF-13",
            "The clock is right",
            &[],
            "Run chrony or another NTP client.",
            "RFC 5905",
        ),
        "the clock is compared with nobody's: `chronyc tracking` says how it stands",
    ),
    LaneCheck {
        check: Check::of_lane(
            "INF-19",
            "Replies are understood",
            &[],
            "Write a rule: `postlane rules`.",
            "common practice",
        ),
        run: judged::known_replies,
    },
    LaneCheck {
        check: Check::of_lane(
            "INF-20",
            "Deferrals have what a postmaster asks for",
            &[],
            "That is a fault of Postlane: tell its makers.",
            "common practice",
        ),
        run: judged::evidence,
    },
    LaneCheck::left_open(
        Check::of_lane(
            "TLS-12",
            "Reports of TLS have few failures",
            &[],
            "Mend the failure that is told most.",
            "RFC 8460 §4",
        ),
        "reports of others about our hosts are not read here yet",
    ),
    LaneCheck {
        check: Check::of_lane(
            "TLS-13",
            "Mail goes encrypted",
            &[Google],
            "See which hosts do not offer STARTTLS.",
            "RFC 3207",
        ),
        run: judged::encrypted,
    },
    LaneCheck {
        check: Check::of_lane(
            "TLS-14",
            "Policies about TLS are kept",
            &[],
            "See `tls_policy=` in the log.",
            "RFC 8461 §5",
        ),
        run: judged::held_to_policy,
    },
];
