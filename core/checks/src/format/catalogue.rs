//! The checks of a message's form, in the order of their names.

use crate::check::Check;
use crate::check::Gate::{Google, Microsoft, UnitedInternet, Yahoo};
use crate::looked::{MessageCheck, Run};

use super::{dates, from, header, lines, parts, single, trace};

/// FMT-01 to FMT-30.
pub(crate) static CHECKS: [MessageCheck; 30] = [
    MessageCheck {
        check: Check::of_message(
            "FMT-01",
            "Date stands there once",
            &[UnitedInternet, Google],
            "Set Date in the program that writes the mail, or let the MTA add it before DKIM signs.",
            "RFC 5322 §3.6, §3.6.1",
        ),
        run: Run::Form(dates::once),
    },
    MessageCheck {
        check: Check::of_message(
            "FMT-02",
            "Date is written as it should be",
            &[UnitedInternet],
            "Write it as `Mon, 09 May 2022 17:34:53 +0000`.",
            "RFC 5322 §3.3, §4.3",
        ),
        run: Run::Form(dates::syntax),
    },
    MessageCheck {
        check: Check::of_message(
            "FMT-03",
            "Date is now",
            &[UnitedInternet],
            "Set the clock by NTP, and do not use the time a campaign was made for all of its mail.",
            "RFC 5322 §3.6.1",
        ),
        run: Run::Form(dates::skew),
    },
    MessageCheck {
        check: Check::of_message(
            "FMT-04",
            "Day of the week is that of the date",
            &[],
            "Have a library write the date, not a template.",
            "RFC 5322 §3.3",
        ),
        run: Run::Form(dates::weekday),
    },
    MessageCheck {
        check: Check::of_message(
            "FMT-05",
            "Zone is one that there is",
            &[],
            "Write four digits behind + or -, as `+0100`.",
            "RFC 5322 §3.3",
        ),
        run: Run::Form(dates::zone),
    },
    MessageCheck {
        check: Check::of_message(
            "FMT-06",
            "From stands there once",
            &[UnitedInternet, Google, Yahoo],
            "Write one From, and take out a second one: forms and wrappers add it.",
            "RFC 5322 §3.6; RFC 9989 \"Extract Author Domain\"",
        ),
        run: Run::Form(from::once),
    },
    MessageCheck {
        check: Check::of_message(
            "FMT-07",
            "From has one address",
            &[UnitedInternet, Google, Yahoo, Microsoft],
            "Name one mailbox, and put special characters of its name in quotes.",
            "RFC 5322 §3.4, §3.6.2",
        ),
        run: Run::Form(from::one_mailbox),
    },
    MessageCheck {
        check: Check::of_message(
            "FMT-08",
            "Domain of From is one",
            &[UnitedInternet, Google, Yahoo, Microsoft],
            "Write the domain in ASCII (xn--…), with all its labels.",
            "RFC 5891; RFC 5321 §2.3.5",
        ),
        run: Run::Form(from::domain_form),
    },
    MessageCheck {
        check: Check::of_message(
            "FMT-09",
            "Name in From is no other's address",
            &[],
            "Use the plain name of your brand.",
            "RFC 9989 §11.4",
        ),
        run: Run::Form(from::display_name),
    },
    MessageCheck {
        check: Check::of_message(
            "FMT-10",
            "Encoded words are whole",
            &[],
            "Encode word by word, in UTF-8, 75 characters at most, outside of quotes and addresses.",
            "RFC 2047 §2, §5",
        ),
        run: Run::Form(header::encoded_words),
    },
    MessageCheck {
        check: Check::of_message(
            "FMT-11",
            "Header is ASCII, or announced otherwise",
            &[UnitedInternet],
            "Encode text beyond ASCII (RFC 2047), or announce SMTPUTF8.",
            "RFC 5322 §2.2; RFC 6532",
        ),
        run: Run::Form(header::eight_bit),
    },
    MessageCheck {
        check: Check::of_message(
            "FMT-12",
            "Fields that may stand there once do",
            &[UnitedInternet, Google],
            "Find the program on the way that adds the second one.",
            "RFC 5322 §3.6",
        ),
        run: Run::Form(single::once_each),
    },
    MessageCheck {
        check: Check::of_message(
            "FMT-13",
            "Message-ID is one",
            &[Google],
            "Make it where the mail is written, as `<uuid@your-domain>`, without `:` and blanks.",
            "RFC 5322 §3.6.4",
        ),
        run: Run::Form(single::message_id),
    },
    MessageCheck {
        check: Check::of_message(
            "FMT-14",
            "Subject has a length that is read",
            &[],
            "Write a subject of 1 to 150 characters.",
            "RFC 5322 §3.6.5",
        ),
        run: Run::Form(single::subject),
    },
    MessageCheck {
        check: Check::of_message(
            "FMT-15",
            "To or Cc names somebody",
            &[UnitedInternet],
            "Put the recipient in To.",
            "RFC 5322 §3.6.3",
        ),
        run: Run::Form(single::destination),
    },
    MessageCheck {
        check: Check::of_message(
            "FMT-16",
            "Lines are short enough",
            &[],
            "Encode bodies as quoted-printable or base 64, and fold fields: 998 octets a line at most.",
            "RFC 5322 §2.1.1; RFC 5321 §4.5.3.1.6",
        ),
        run: Run::Form(lines::length),
    },
    MessageCheck {
        check: Check::of_message(
            "FMT-17",
            "Lines end with CRLF",
            &[],
            "Write CRLF at the end of every line before DATA.",
            "RFC 5321 §2.3.8",
        ),
        run: Run::Form(lines::line_ends),
    },
    MessageCheck {
        check: Check::of_message(
            "FMT-18",
            "No NUL",
            &[],
            "Encode what is no text.",
            "RFC 5322 §4.1",
        ),
        run: Run::Form(lines::nul),
    },
    MessageCheck {
        check: Check::of_message(
            "FMT-19",
            "Header is of a size and form that is read",
            &[],
            "Leave out X- fields, fold without empty lines, and put the colon right behind the name.",
            "RFC 5322 §2.2, §4.2",
        ),
        run: Run::Form(header::block),
    },
    MessageCheck {
        check: Check::of_message(
            "FMT-20",
            "MIME-Version is 1.0 where MIME is used",
            &[],
            "Add `MIME-Version: 1.0`.",
            "RFC 2045 §4",
        ),
        run: Run::Form(parts::version),
    },
    MessageCheck {
        check: Check::of_message(
            "FMT-21",
            "Parts lie in each other as they should",
            &[],
            "Mend the program that puts the parts together.",
            "RFC 2046 §5.1.1; RFC 2045 §6.4",
        ),
        run: Run::Form(parts::structure),
    },
    MessageCheck {
        check: Check::of_message(
            "FMT-22",
            "Parts are encoded as they say",
            &[],
            "Encode as declared: an MTA that mends it on the way breaks DKIM.",
            "RFC 2045 §6",
        ),
        run: Run::Form(parts::encoding),
    },
    MessageCheck {
        check: Check::of_message(
            "FMT-23",
            "Text is in the charset it says",
            &[],
            "Write UTF-8 everywhere, and declare it.",
            "RFC 2046 §4.1.2",
        ),
        run: Run::Form(parts::charset),
    },
    MessageCheck {
        check: Check::of_message(
            "FMT-24",
            "Plain text stands beside HTML",
            &[],
            "Make a plain text, and put it before the HTML in multipart/alternative.",
            "RFC 2046 §5.1.4",
        ),
        run: Run::Form(parts::alternative),
    },
    MessageCheck {
        check: Check::of_message(
            "FMT-25",
            "The way it came makes sense",
            &[],
            "Have the outermost MTA take inner Received fields out, and mend loops and clocks.",
            "RFC 5321 §4.4, §6.3",
        ),
        run: Run::Form(trace::received),
    },
    MessageCheck {
        check: Check::of_message(
            "FMT-26",
            "Reply-To takes answers",
            &[Microsoft],
            "Name a mailbox that somebody reads.",
            "RFC 5322 §3.6.2; RFC 7505",
        ),
        run: Run::Form(single::reply_to),
    },
    MessageCheck {
        check: Check::of_message(
            "FMT-27",
            "Size is one that is taken and shown whole",
            &[],
            "Leave images and files on a server, and keep HTML below 102 KB, where Gmail cuts it.",
            "RFC 1870",
        ),
        run: Run::Form(lines::size),
    },
    MessageCheck {
        check: Check::of_message(
            "FMT-28",
            "Auto-Submitted and Precedence fit the mail",
            &[],
            "Set `Auto-Submitted: auto-generated` on alerts, and nothing on campaigns.",
            "RFC 3834",
        ),
        run: Run::Form(single::automatic),
    },
    MessageCheck {
        check: Check::of_message(
            "FMT-29",
            "Attachments are of a sort that is taken",
            &[],
            "Link to a page from which the file can be fetched.",
            "providers' lists of blocked file types",
        ),
        run: Run::Form(parts::attachments),
    },
    MessageCheck {
        check: Check::of_message(
            "FMT-30",
            "No fields of the receiving side",
            &[],
            "Take them out where mail is handed in.",
            "RFC 5321 §4.4; RFC 8601 §5",
        ),
        run: Run::Form(single::not_ours),
    },
];
