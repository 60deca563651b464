//! The checks of what a message says, in the order of their names.

use crate::check::Check;
use crate::check::Gate::{Google, Microsoft, UnitedInternet};
use crate::looked::{MessageCheck, Run};

use super::{footer, links, markup, reached, tricks, wording};

/// BULK-08 and BULK-16, CNT-01 to CNT-19.
pub(crate) static CHECKS: [MessageCheck; 21] = [
    MessageCheck {
        check: Check::of_message(
            "BULK-08",
            "The way out of a list is seen",
            &[Google, Microsoft],
            "Put a link that says so at the end of the text, large and dark enough to be read.",
            "Google, email sender guidelines",
        ),
        run: Run::Identity(footer::visible_way_out),
    },
    MessageCheck {
        check: Check::of_message(
            "BULK-16",
            "It says who is behind it",
            &[UnitedInternet],
            "Put your name and postal address, or a link to them, at the end of the text.",
            "§ 5 DDG; CAN-SPAM Act § 7704(a)(5)",
        ),
        run: Run::Identity(footer::imprint),
    },
    MessageCheck {
        check: Check::of_message(
            "CNT-01",
            "Text and HTML say the same",
            &[],
            "Make the plain text from the HTML.",
            "common practice",
        ),
        run: Run::Identity(wording::same_in_both),
    },
    MessageCheck {
        check: Check::of_message(
            "CNT-02",
            "It is not all images",
            &[],
            "Write what the images say as text.",
            "common practice",
        ),
        run: Run::Identity(wording::not_only_images),
    },
    MessageCheck {
        check: Check::of_message(
            "CNT-03",
            "There is text for each image",
            &[],
            "Write more, or show fewer images.",
            "common practice",
        ),
        run: Run::Identity(wording::text_for_images),
    },
    MessageCheck {
        check: Check::of_message(
            "CNT-04",
            "Links lead somewhere",
            &[],
            "Mend or take out links that lead nowhere.",
            "common practice",
        ),
        run: Run::Asking(reached::lead_somewhere),
    },
    MessageCheck {
        check: Check::of_message(
            "CNT-05",
            "No shortened links",
            &[],
            "Link by a domain of your own.",
            "common practice",
        ),
        run: Run::Identity(links::no_shorteners),
    },
    MessageCheck {
        check: Check::of_message(
            "CNT-06",
            "Links name hosts",
            &[],
            "Link to a host by its name, without a port and without anything before an @.",
            "UTS #39 §5.1",
        ),
        run: Run::Identity(links::plain_addresses),
    },
    MessageCheck {
        check: Check::of_message(
            "CNT-07",
            "Links lead where their text says",
            &[],
            "Have clicks counted by a host below your own domain, or do not write addresses as text.",
            "common practice",
        ),
        run: Run::Identity(links::text_names_the_target),
    },
    MessageCheck {
        check: Check::of_message(
            "CNT-08",
            "Links are https",
            &[],
            "Write https in every link.",
            "common practice",
        ),
        run: Run::Identity(links::all_secure),
    },
    MessageCheck {
        check: Check::of_message(
            "CNT-09",
            "Hosts that links lead to are there, and your own",
            &[],
            "Count clicks by a host below your own domain (a CNAME to the service), and take out hosts that are gone.",
            "common practice",
        ),
        run: Run::Asking(links::tracking_host),
    },
    MessageCheck {
        check: Check::of_message(
            "CNT-10",
            "Nothing that mail programs take out",
            &[],
            "Take it out: it does nothing in a mail.",
            "common practice",
        ),
        run: Run::Identity(markup::nothing_forbidden),
    },
    MessageCheck {
        check: Check::of_message(
            "CNT-11",
            "Nothing hidden",
            &[],
            "Take out text that nobody can read; a preview needs 200 characters at most.",
            "common practice",
        ),
        run: Run::Identity(markup::nothing_hidden),
    },
    MessageCheck {
        check: Check::of_message(
            "CNT-12",
            "Images are described",
            &[],
            "Give each image alt, width and height, and leave large ones on a server.",
            "WCAG 2.1 §1.1.1",
        ),
        run: Run::Identity(markup::images_described),
    },
    MessageCheck {
        check: Check::of_message(
            "CNT-13",
            "The subject is honest",
            &[],
            "Write what the mail is about, without Re: and in small letters.",
            "Google, email sender guidelines",
        ),
        run: Run::Identity(tricks::honest_subject),
    },
    MessageCheck {
        check: Check::of_message(
            "CNT-14",
            "Every placeholder is filled",
            &[],
            "Have the template say what stands there when nothing is known.",
            "common practice",
        ),
        run: Run::Identity(tricks::nothing_unfilled),
    },
    MessageCheck {
        check: Check::of_message(
            "CNT-15",
            "Letters are what they seem",
            &[],
            "Take out characters that are not seen, and letters of another writing.",
            "UTS #39; UAX #9",
        ),
        run: Run::Identity(tricks::letters_are_what_they_seem),
    },
    MessageCheck::left_open(
        Check::of_message(
            "CNT-16",
            "A filter of your own lets it pass",
            &[],
            "Look at the rules that were hit.",
            "common practice",
        ),
        "no filter is set up to be asked",
    ),
    MessageCheck {
        check: Check::of_message(
            "CNT-17",
            "No addresses of readers in links",
            &[],
            "Put a token in the link that only you can read.",
            "common practice",
        ),
        run: Run::Identity(links::no_addresses_in_links),
    },
    MessageCheck {
        check: Check::of_message(
            "CNT-18",
            "The HTML is well formed",
            &[],
            "Close what is opened.",
            "HTML Standard §13.1",
        ),
        run: Run::Identity(markup::well_formed),
    },
    MessageCheck {
        check: Check::of_message(
            "CNT-19",
            "The readers' language",
            &[],
            "Write German to German readers.",
            "common practice",
        ),
        run: Run::Identity(wording::readers_language),
    },
];
