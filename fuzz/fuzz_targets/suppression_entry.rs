//! Any octets as a key of the suppression list and its entry: what can be read is written and read
//! again as it was, and the list finds it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use postlane_mail::{Instant, Label, Mailbox, ReversePath};
use postlane_suppression::{Asked, Entry, List, Subject};

fuzz_target!(|octets: &[u8]| {
    let end = octets.iter().position(|octet| *octet == 0).unwrap_or(octets.len());
    let (key, entry) = octets.split_at(end);
    let entry = entry.get(1..).unwrap_or_default();
    let Ok(key) = std::str::from_utf8(key) else { return };
    let (list, _) = List::of(10, [(key, entry)]);
    if let Ok(entry) = Entry::from_octets(key, entry) {
        let again = Entry::from_octets(key, &entry.to_octets());
        assert_eq!(again, Ok(entry.clone()));
        assert_eq!(list.find(key), Some(entry.standing));
    }
    // As an address, too: whoever is on the list is found by every spelling that means the same.
    let Ok(mailbox) = Mailbox::parse(key) else { return };
    let subject = Subject::recipient(&mailbox, &Label::NONE);
    assert_eq!(Subject::from_key(subject.key()).as_ref(), Some(&subject));
    let mut list = List::new(1);
    let (now, for_ever) = (Instant(1), None);
    let reason = postlane_suppression::Reason::Manual;
    list.put(&subject, postlane_suppression::Standing::new(reason, now, for_ever));
    let asked = Asked { tenant: &Label::NONE, from: &ReversePath::Null, to: &mailbox };
    assert!(list.ask(now, &asked).is_some());
    let upper = mailbox.as_str().to_ascii_uppercase();
    if let Ok(upper) = Mailbox::parse(&upper) {
        assert!(list.ask(now, &Asked { to: &upper, ..asked }).is_some(), "{upper}");
    }
});
