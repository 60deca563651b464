//! Each row of the decision table as a story.

use postlane_triage::Class;

use crate::golden;
use crate::story::{picture, print, told};

const STORIES: &[(&str, Class, &str)] = &[
    ("some is taken, the rest answered with rate words, by both addresses alike", Class::Throttle, "
        a fresh accepted 210
        a fresh deferred rate_limited 130
        a retry deferred rate_limited 60
        b fresh accepted 190
        b fresh deferred rate_limited 140
        b retry deferred rate_limited 55
        elsewhere a fresh accepted 400
        elsewhere b fresh accepted 380
        before a fresh accepted 120
        before b fresh accepted 110
        said a rate_limited 421 Too many messages have been received in a short period of time."),
    ("all is deferred by all addresses, first attempts too, at two messages a minute", Class::Policy, "
        for 60
        a fresh deferred rate_limited 40
        a retry deferred rate_limited 50
        b fresh deferred rate_limited 38
        b retry deferred rate_limited 52
        elsewhere a fresh accepted 900
        elsewhere b fresh accepted 850"),
    ("refused by a rule that is named, whatever the rate", Class::Policy, "
        a fresh accepted 60
        a fresh bounced policy 140
        a fresh deferred reputation_domain 80
        elsewhere a fresh accepted 300"),
    ("refused without a reason, and our own mail was seen to lack a signature", Class::Identity, "
        a fresh accepted 30
        a fresh bounced unknown 120
        a fresh deferred unknown 60
        b fresh accepted 20
        b fresh bounced unknown 110
        b fresh deferred unknown 70
        gate a IDN-05 no good signature: none of shop.example, and none of anybody else
        elsewhere a fresh accepted 300
        elsewhere b fresh accepted 310"),
    ("one address of four is refused", Class::PoolIp, "
        a fresh accepted 200
        a fresh deferred unknown 3
        b fresh accepted 190
        b fresh deferred unknown 2
        c fresh accepted 40
        c fresh deferred reputation_ip 90
        c fresh deferred unknown 70
        d fresh accepted 205
        d fresh deferred unknown 1
        ptr c confirmed"),
    ("one address is refused more because it sends more", Class::Throttle, "
        a fresh accepted 200
        a fresh deferred rate_limited 8
        b fresh accepted 900
        b fresh deferred rate_limited 600"),
    ("retries eat what would be taken, and the queue grows older", Class::RetryStorm, "
        queue 30 then 110
        a fresh accepted 60
        a fresh deferred rate_limited 90
        a retry accepted 40
        a retry deferred rate_limited 500
        a retry deferred server_unavailable 80"),
    ("the domain in From does not agree with SPF and DKIM", Class::Identity, "
        a fresh accepted 400
        a fresh bounced auth_dmarc 90
        a fresh bounced auth_spf 30
        elsewhere a fresh accepted 500
        elsewhere a fresh bounced auth_dmarc 12"),
    ("a bought list", Class::Recipients, "
        a fresh accepted 600
        a fresh bounced no_such_user 140
        a fresh deferred too_many_invalid_rcpts 60"),
    ("a case page says that the address is on a list", Class::Block, "
        a fresh accepted 300
        b fresh deferred blocklisted 120
        said b blocklisted 554 IP address is block listed. https://postmaster.gmx.net/en/case?c=r0201&i=ip&v=192.0.2.42&r=x"),
    ("an unknown address at T-Online", Class::Block, "
        a fresh deferred blocklisted 9
        said a blocklisted 554 IP=192.0.2.1 - None/bad reputation. Ask your postmaster for help NOWL"),
    ("the greeting changes, and the provider says policy violations", Class::Infra, "
        ehlo a mail1.example mail2.example node-17.internal
        a fresh accepted 300
        a fresh deferred policy 45
        a fresh deferred helo_invalid 70"),
    ("no reverse DNS", Class::Infra, "
        ptr a missing
        a fresh deferred ptr_missing 80"),
    ("their hosts do not answer", Class::Outage, "
        a fresh unreached timeout 90
        a retry unreached timeout 160
        a fresh deferred server_unavailable 12
        b fresh unreached timeout 84
        elsewhere a fresh accepted 300
        elsewhere b fresh accepted 300"),
    ("our own network is down", Class::Infra, "
        a fresh unreached timeout 90
        a retry unreached timeout 160
        elsewhere a fresh unreached timeout 300
        elsewhere a fresh accepted 4"),
    ("greylisting that says so", Class::Greylisting, "
        a fresh deferred greylisted 80
        a fresh accepted 6
        a retry accepted 75
        a retry deferred greylisted 4"),
    ("greylisting that does not say so", Class::Greylisting, "
        a fresh deferred unknown 90
        a fresh accepted 2
        a retry accepted 85
        a retry deferred unknown 5"),
    ("all is well", Class::Healthy, "
        a fresh accepted 990
        a fresh bounced no_such_user 6
        a fresh deferred mailbox_full 9
        a fresh deferred rate_limited 3"),
    ("four messages", Class::TooLittle, "
        a fresh accepted 3
        a fresh deferred unknown 1"),
    ("one message, and the case page says why", Class::Block, "
        changed dns TXT example.com: v=spf1 include:old.example -all
        a fresh deferred blocklisted 3
        said a blocklisted 554 IP address is block listed. https://postmaster.gmx.net/en/case?c=r0201&i=ip&v=192.0.2.42&r=x"),
];

#[test]
fn each_row_of_the_table_is_found_in_its_story() {
    let mut text = String::new();
    let mut wrong = Vec::new();
    for (title, class, story) in STORIES {
        let assessment = told(&picture(story));
        if assessment.verdict.class != *class {
            wrong.push(format!("{title}: {} instead of {class}", assessment.verdict.class));
        }
        let lines = story.lines().map(str::trim).filter(|line| !line.is_empty());
        let lines: String = lines.map(|line| format!("    {line}\n")).collect();
        text.push_str(&format!("# {title}\n\n{lines}\n{}\n", print(&assessment)));
    }
    golden::check("stories.txt", &text);
    assert!(wrong.is_empty(), "{wrong:#?}");
}
