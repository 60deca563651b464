//! The checks of a message's form, in the order of their names.

use crate::check::Gate::{Google, Microsoft, UnitedInternet, Yahoo};
use crate::check::{Check, MessageCheck, Scope};

use super::{dates, from, header, lines, parts, single, trace};

/// A check of a message.
const fn check(
    id: &'static str,
    title: &'static str,
    gates: &'static [crate::check::Gate],
    remedy: &'static str,
    reference: &'static str,
) -> Check {
    Check { id, title, scope: Scope::Message, gates, remedy, reference }
}

/// FMT-01 to FMT-30.
pub(crate) static CHECKS: [MessageCheck; 30] = [
    MessageCheck {
        check: check(
            "FMT-01",
            "Date stands there once",
            &[UnitedInternet, Google],
            "Set Date in the program that writes the mail, or let the MTA add it before DKIM signs.",
            "RFC 5322 §3.6, §3.6.1",
        ),
        run: dates::once,
    },
    MessageCheck {
        check: check(
            "FMT-02",
            "Date is written as it should be",
            &[UnitedInternet],
            "Write it as `Mon, 09 May 2022 17:34:53 +0000`.",
            "RFC 5322 §3.3, §4.3",
        ),
        run: dates::syntax,
    },
    MessageCheck {
        check: check(
            "FMT-03",
            "Date is now",
            &[UnitedInternet],
            "Set the clock by NTP, and do not use the time a campaign was made for all of its mail.",
            "RFC 5322 §3.6.1",
        ),
        run: dates::skew,
    },
    MessageCheck {
        check: check(
            "FMT-04",
            "Day of the week is that of the date",
            &[],
            "Have a library write the date, not a template.",
            "RFC 5322 §3.3",
        ),
        run: dates::weekday,
    },
    MessageCheck {
        check: check(
            "FMT-05",
            "Zone is one that there is",
            &[],
            "Write four digits behind + or -, as `+0100`.",
            "RFC 5322 §3.3",
        ),
        run: dates::zone,
    },
    MessageCheck {
        check: check(
            "FMT-06",
            "From stands there once",
            &[UnitedInternet, Google, Yahoo],
            "Take out the second From: forms and wrappers add one.",
            "RFC 5322 §3.6; RFC 9989 \"Extract Author Domain\"",
        ),
        run: from::once,
    },
    MessageCheck {
        check: check(
            "FMT-07",
            "From has one address",
            &[UnitedInternet, Google, Yahoo, Microsoft],
            "Name one mailbox, and put special characters of its name in quotes.",
            "RFC 5322 §3.4, §3.6.2",
        ),
        run: from::one_mailbox,
    },
    MessageCheck {
        check: check(
            "FMT-08",
            "Domain of From is one",
            &[UnitedInternet, Google, Yahoo, Microsoft],
            "Write the domain in ASCII (xn--…), with all its labels.",
            "RFC 5891; RFC 5321 §2.3.5",
        ),
        run: from::domain_form,
    },
    MessageCheck {
        check: check(
            "FMT-09",
            "Name in From is no other's address",
            &[],
            "Use the plain name of your brand.",
            "RFC 9989 §11.4",
        ),
        run: from::display_name,
    },
    MessageCheck {
        check: check(
            "FMT-10",
            "Encoded words are whole",
            &[],
            "Encode word by word, in UTF-8, 75 characters at most, outside of quotes and addresses.",
            "RFC 2047 §2, §5",
        ),
        run: header::encoded_words,
    },
    MessageCheck {
        check: check(
            "FMT-11",
            "Header is ASCII, or announced otherwise",
            &[UnitedInternet],
            "Encode text beyond ASCII (RFC 2047), or announce SMTPUTF8.",
            "RFC 5322 §2.2; RFC 6532",
        ),
        run: header::eight_bit,
    },
    MessageCheck {
        check: check(
            "FMT-12",
            "Fields that may stand there once do",
            &[UnitedInternet, Google],
            "Find the program on the way that adds the second one.",
            "RFC 5322 §3.6",
        ),
        run: single::once_each,
    },
    MessageCheck {
        check: check(
            "FMT-13",
            "Message-ID is one",
            &[Google],
            "Make it where the mail is written, as `<uuid@your-domain>`, without `:` and blanks.",
            "RFC 5322 §3.6.4",
        ),
        run: single::message_id,
    },
    MessageCheck {
        check: check(
            "FMT-14",
            "Subject has a length that is read",
            &[],
            "Write a subject of 1 to 150 characters.",
            "RFC 5322 §3.6.5",
        ),
        run: single::subject,
    },
    MessageCheck {
        check: check(
            "FMT-15",
            "To or Cc names somebody",
            &[UnitedInternet],
            "Put the recipient in To.",
            "RFC 5322 §3.6.3",
        ),
        run: single::destination,
    },
    MessageCheck {
        check: check(
            "FMT-16",
            "Lines are short enough",
            &[],
            "Encode bodies as quoted-printable or base 64, and fold fields: 998 octets a line at most.",
            "RFC 5322 §2.1.1; RFC 5321 §4.5.3.1.6",
        ),
        run: lines::length,
    },
    MessageCheck {
        check: check(
            "FMT-17",
            "Lines end with CRLF",
            &[],
            "Write CRLF at the end of every line before DATA.",
            "RFC 5321 §2.3.8",
        ),
        run: lines::line_ends,
    },
    MessageCheck {
        check: check("FMT-18", "No NUL", &[], "Encode what is no text.", "RFC 5322 §4.1"),
        run: lines::nul,
    },
    MessageCheck {
        check: check(
            "FMT-19",
            "Header is of a size and form that is read",
            &[],
            "Leave out X- fields, fold without empty lines, and put the colon right behind the name.",
            "RFC 5322 §2.2, §4.2",
        ),
        run: header::block,
    },
    MessageCheck {
        check: check(
            "FMT-20",
            "MIME-Version is 1.0 where MIME is used",
            &[],
            "Add `MIME-Version: 1.0`.",
            "RFC 2045 §4",
        ),
        run: parts::version,
    },
    MessageCheck {
        check: check(
            "FMT-21",
            "Parts lie in each other as they should",
            &[],
            "Mend the program that puts the parts together.",
            "RFC 2046 §5.1.1; RFC 2045 §6.4",
        ),
        run: parts::structure,
    },
    MessageCheck {
        check: check(
            "FMT-22",
            "Parts are encoded as they say",
            &[],
            "Encode as declared: an MTA that mends it on the way breaks DKIM.",
            "RFC 2045 §6",
        ),
        run: parts::encoding,
    },
    MessageCheck {
        check: check(
            "FMT-23",
            "Text is in the charset it says",
            &[],
            "Write UTF-8 everywhere, and declare it.",
            "RFC 2046 §4.1.2",
        ),
        run: parts::charset,
    },
    MessageCheck {
        check: check(
            "FMT-24",
            "Plain text stands beside HTML",
            &[],
            "Make a plain text, and put it before the HTML in multipart/alternative.",
            "RFC 2046 §5.1.4",
        ),
        run: parts::alternative,
    },
    MessageCheck {
        check: check(
            "FMT-25",
            "The way it came makes sense",
            &[],
            "Have the outermost MTA take inner Received fields out, and mend loops and clocks.",
            "RFC 5321 §4.4, §6.3",
        ),
        run: trace::received,
    },
    MessageCheck {
        check: check(
            "FMT-26",
            "Reply-To takes answers",
            &[Microsoft],
            "Name a mailbox that somebody reads.",
            "RFC 5322 §3.6.2; RFC 7505",
        ),
        run: single::reply_to,
    },
    MessageCheck {
        check: check(
            "FMT-27",
            "Size is one that is taken and shown whole",
            &[],
            "Leave images and files on a server, and keep HTML below 102 KB, where Gmail cuts it.",
            "RFC 1870",
        ),
        run: lines::size,
    },
    MessageCheck {
        check: check(
            "FMT-28",
            "Auto-Submitted and Precedence fit the mail",
            &[],
            "Set `Auto-Submitted: auto-generated` on alerts, and nothing on campaigns.",
            "RFC 3834",
        ),
        run: single::automatic,
    },
    MessageCheck {
        check: check(
            "FMT-29",
            "Attachments are of a sort that is taken",
            &[],
            "Link to a page from which the file can be fetched.",
            "providers' lists of blocked file types",
        ),
        run: parts::attachments,
    },
    MessageCheck {
        check: check(
            "FMT-30",
            "No fields of the receiving side",
            &[],
            "Take them out where mail is handed in.",
            "RFC 5321 §4.4; RFC 8601 §5",
        ),
        run: single::not_ours,
    },
];
