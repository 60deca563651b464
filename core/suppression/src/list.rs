//! The list itself: asked for each recipient, so it is short of words and quick.

use std::collections::BTreeMap;
use std::ops::Bound;

use postlane_mail::{Instant, Label as Tenant, Mailbox, ReversePath};

use crate::octets::{Unread, standing};
use crate::standing::Standing;
use crate::subject::{Subject, Whom, write_recipient};

/// Everybody who is on the list, by key. 148 octets for each with keys of 45, come in any order,
/// and 2 µs to ask among a million (measured): what is said beyond the [`Standing`] is kept
/// elsewhere, and read when somebody wants to see it.
#[derive(Debug, Clone)]
pub struct List {
    entries: BTreeMap<Box<str>, Standing>,
    domains: usize,
    most: usize,
}

/// Mail to somebody, as far as the list cares.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Whose mail.
    pub tenant: &'a Tenant,
    /// Who it is from.
    pub from: &'a ReversePath,
    /// Who it is for.
    pub to: &'a Mailbox,
}

/// An entry that stops mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Who is meant by it.
    pub subject: Subject,
    /// Why, since when and until when.
    pub standing: Standing,
}

/// Part of a listing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// Entries that agree, in the order of their keys.
    pub entries: Vec<(Box<str>, Standing)>,
    /// The last key that was looked at, where there are more behind it.
    pub next: Option<Box<str>>,
}

/// As many entries are on the list as may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the suppression list is full: it has {most} entries (setting suppression.entries); raise the setting, or remove some"
)]
pub struct Full {
    /// As many as may be.
    pub most: usize,
}

impl List {
    /// An empty list, with room for so many.
    pub fn new(most: usize) -> Self {
        Self { entries: BTreeMap::new(), domains: 0, most }
    }

    /// Everything that was kept, by key: quickest in the order of the keys. What was kept is
    /// never too much. Also how many of the entries could not be read.
    pub fn of<'a>(most: usize, kept: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> (Self, u64) {
        let mut unread = 0;
        let mut read = |(key, octets)| {
            let read = Subject::from_key(key).ok_or(Unread).and_then(|_| standing(octets));
            unread += u64::from(read.is_err());
            Some((Box::from(key), read.ok()?))
        };
        let entries: BTreeMap<Box<str>, Standing> =
            kept.into_iter().filter_map(&mut read).collect();
        let domains = entries.keys().filter(|key| is_domain(key)).count();
        (Self { entries, domains, most }, unread)
    }

    /// Puts an entry on the list, or another in its place. Who makes new ones asks
    /// [`Self::room_for`] first: what is on disk already must not be forgotten here.
    pub fn put(&mut self, subject: &Subject, standing: Standing) {
        let before = self.entries.insert(subject.key().into(), standing);
        if before.is_none() && subject.whom() == Whom::Domain {
            self.domains += 1;
        }
    }

    /// Takes an entry off the list.
    pub fn remove(&mut self, key: &str) -> Option<Standing> {
        let removed = self.entries.remove(key)?;
        if is_domain(key) {
            self.domains -= 1;
        }
        Some(removed)
    }

    /// Room for so many from now on.
    pub fn limit(&mut self, most: usize) {
        self.most = most;
    }

    /// What stops this mail, if anything does: a refusal before a wait, the recipient before
    /// their domain, the tenant's own before everybody's.
    pub fn ask(&self, now: Instant, asked: &Asked<'_>) -> Option<Found> {
        if self.entries.is_empty() {
            return None;
        }
        let mut key = String::with_capacity(96);
        write_recipient(asked.to, &mut key);
        key.push('/');
        self.ask_key(now, asked, &mut key).or_else(|| self.ask_domain(now, asked))
    }

    /// What stops mail to the whole domain, if anything does.
    pub fn ask_domain(&self, now: Instant, asked: &Asked<'_>) -> Option<Found> {
        if self.domains == 0 {
            return None;
        }
        let mut key = format!("{}@/", asked.to.host());
        self.ask_key(now, asked, &mut key)
    }

    /// The tenant's entry, else everybody's, at a key without its tenant.
    fn ask_key(&self, now: Instant, asked: &Asked<'_>, key: &mut String) -> Option<Found> {
        let end = key.len();
        key.push_str(asked.tenant.as_str());
        let mut found = self.holding(now, asked, key);
        if found.is_none() && !asked.tenant.is_none() {
            key.truncate(end);
            found = self.holding(now, asked, key);
        }
        let found =
            found.and_then(|standing| Some(Found { subject: Subject::from_key(key)?, standing }));
        key.truncate(end);
        found
    }

    fn holding(&self, now: Instant, asked: &Asked<'_>, key: &str) -> Option<Standing> {
        let standing = self.entries.get(key).filter(|standing| standing.holds(now))?;
        let is_meant = !asked.from.is_null() || standing.reason.stops_reports();
        is_meant.then_some(*standing)
    }

    /// The entry of exactly this subject, whether or not it holds.
    pub fn find(&self, key: &str) -> Option<Standing> {
        self.entries.get(key).copied()
    }

    /// Entries whose keys begin like this and lie behind another, and that are wanted: so many
    /// of them at most, among so many that are looked at.
    pub fn page(
        &self,
        prefix: &str,
        behind: Option<&str>,
        (limit, look): (usize, usize),
        wanted: impl Fn(&str, &Standing) -> bool,
    ) -> Page {
        let from = match behind {
            Some(behind) if behind >= prefix => Bound::Excluded(behind),
            _ => Bound::Included(prefix),
        };
        let mut page = Page::default();
        let all = self.entries.range::<str, _>((from, Bound::Unbounded));
        let mut all = all.take_while(|(key, _)| key.starts_with(prefix)).peekable();
        let mut looked = 0;
        while let Some((key, standing)) = all.next() {
            looked += 1;
            if wanted(key, standing) {
                page.entries.push((key.clone(), *standing));
            }
            if page.entries.len() >= limit || looked >= look {
                page.next = all.peek().map(|_| key.clone());
                break;
            }
        }
        page
    }

    /// Whether so many new ones may come.
    pub fn room_for(&self, many: usize) -> Result<(), Full> {
        match self.entries.len().saturating_add(many) <= self.most {
            true => Ok(()),
            false => Err(Full { most: self.most }),
        }
    }

    /// Entries, whether or not they hold.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nobody is on it.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Of the entries, those that are about whole domains.
    pub fn domains(&self) -> usize {
        self.domains
    }
}

fn is_domain(key: &str) -> bool {
    key.split_once('@').is_some_and(|(_, rest)| rest.rfind('/') == Some(0))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::collections::BTreeSet;

    use postlane_replies::Label;
    use proptest::prelude::*;

    use super::*;
    use crate::entry::Entry;
    use crate::reason::Reason;
    use crate::standing::Effect;

    const NOW: Instant = Instant::from_unix_s(1_000_000);

    fn subject(text: &str, tenant: &str) -> Subject {
        Subject::parse(text, &Tenant::parse(tenant).unwrap()).unwrap()
    }

    fn list(entries: &[(&str, &str, Reason)]) -> List {
        let mut list = List::new(100);
        for (text, tenant, reason) in entries {
            list.put(&subject(text, tenant), Standing::new(*reason, Instant(0), None));
        }
        list
    }

    fn ask(list: &List, from: &str, to: &str, tenant: &str) -> Option<(String, Reason)> {
        let tenant = Tenant::parse(tenant).unwrap();
        let (from, to) = (ReversePath::parse(from).unwrap(), Mailbox::parse(to).unwrap());
        let asked = Asked { tenant: &tenant, from: &from, to: &to };
        let found = list.ask(NOW, &asked)?;
        Some((found.subject.key().to_owned(), found.standing.reason))
    }

    #[test]
    fn a_recipient_is_found_however_it_is_written_and_no_other() {
        let list = list(&[("Jo@Example.net", "", Reason::Manual)]);
        let found = Some(("example.net@jo/".to_owned(), Reason::Manual));
        for to in ["jo@example.net", "JO@EXAMPLE.NET", "\"jo\"@example.net"] {
            assert_eq!(ask(&list, "a@b.c", to, ""), found);
            assert_eq!(ask(&list, "a@b.c", to, "acme"), found, "everybody's is a tenant's, too");
        }
        for to in ["jo+x@example.net", "al@example.net", "jo@sub.example.net", "jo@example.ne"] {
            assert_eq!(ask(&list, "a@b.c", to, ""), None, "{to}");
        }
    }

    #[test]
    fn a_tenants_entry_is_that_tenants_alone() {
        let list = list(&[("jo@example.net", "acme", Reason::Unsubscribe)]);
        assert!(ask(&list, "a@b.c", "jo@example.net", "acme").is_some());
        assert_eq!(ask(&list, "a@b.c", "jo@example.net", "other"), None);
        assert_eq!(ask(&list, "a@b.c", "jo@example.net", ""), None);
    }

    #[test]
    fn the_recipient_counts_before_the_domain_and_the_tenants_own_before_everybodys() {
        let mut list = list(&[
            ("example.net", "", Reason::Said(Label::NotAcceptingMail)),
            ("jo@example.net", "", Reason::Manual),
            ("jo@example.net", "acme", Reason::Complaint),
        ]);
        assert_eq!(ask(&list, "a@b.c", "jo@example.net", "acme").unwrap().1, Reason::Complaint);
        assert_eq!(ask(&list, "a@b.c", "jo@example.net", "").unwrap().1, Reason::Manual);
        let held = ask(&list, "a@b.c", "al@example.net", "acme").unwrap();
        assert_eq!(held.0, "example.net@/");
        assert_eq!(list.domains(), 1);
        let found = list.find("example.net@/").unwrap();
        assert_eq!(found.effect(Whom::Domain), Effect::Waits);
        assert!(list.remove("example.net@/").is_some());
        assert_eq!(ask(&list, "a@b.c", "al@example.net", "acme"), None);
        assert_eq!((list.domains(), list.len()), (0, 2));
    }

    #[test]
    fn a_report_reaches_who_complained_or_unsubscribed_and_nobody_who_is_not_there() {
        for reason in Reason::ALL {
            let list = list(&[("jo@example.net", "", reason)]);
            let stopped = ask(&list, "", "jo@example.net", "").is_some();
            assert_eq!(stopped, !matches!(reason, Reason::Complaint | Reason::Unsubscribe));
            assert!(ask(&list, "a@b.c", "jo@example.net", "").is_some());
        }
    }

    #[test]
    fn what_is_over_or_does_not_count_yet_stops_nothing() {
        let mut list = List::new(10);
        let over = Standing::new(Reason::Manual, Instant(0), Some(NOW));
        list.put(&subject("jo@example.net", ""), over);
        assert_eq!(ask(&list, "a@b.c", "jo@example.net", ""), None);
        let mut not_yet = Standing::new(Reason::Manual, Instant(0), None);
        not_yet.counts = crate::Counts::NotYet;
        list.put(&subject("jo@example.net", ""), not_yet);
        assert_eq!(ask(&list, "a@b.c", "jo@example.net", ""), None);
    }

    #[test]
    fn pages_give_all_that_is_wanted_once_and_in_order() {
        let mut list = List::new(1000);
        for n in 0..100 {
            let standing = Standing::new(Reason::Manual, Instant(0), None);
            list.put(&subject(&format!("u{n}@d{}.example", n % 3), ""), standing);
        }
        let (mut seen, mut behind) = (Vec::new(), None::<Box<str>>);
        loop {
            let wanted = |key: &str, _: &Standing| !key.contains("u7");
            let page = list.page("d1.example@", behind.as_deref(), (5, 7), wanted);
            assert!(page.entries.len() <= 5);
            seen.extend(page.entries.into_iter().map(|(key, _)| key));
            match page.next {
                Some(next) => behind = Some(next),
                None => break,
            }
        }
        let wanted = (0..100).filter(|n| n % 3 == 1).map(|n| format!("d1.example@u{n}/"));
        let wanted: BTreeSet<String> = wanted.filter(|key| !key.contains("u7")).collect();
        assert_eq!(
            seen.iter().map(|key| key.to_string()).collect::<Vec<_>>(),
            Vec::from_iter(wanted)
        );
    }

    #[test]
    fn a_full_list_says_so_and_what_was_kept_is_never_too_much() {
        let kept = |n: u32| {
            let standing = Standing::new(Reason::Manual, Instant(0), None);
            let entry = Entry::new(subject(&format!("u{n}@example.net"), ""), standing, "jo");
            (entry.subject.key().to_owned(), entry.to_octets())
        };
        let mut kept: Vec<_> = (0..20).map(kept).collect();
        kept.push(("spoiled@x/".to_owned(), vec![9]));
        let (mut list, unread) =
            List::of(10, kept.iter().map(|(key, octets)| (key.as_str(), octets.as_slice())));
        assert_eq!((list.len(), unread), (20, 1));
        assert_eq!(list.room_for(1), Err(Full { most: 10 }));
        list.limit(21);
        assert_eq!(list.room_for(1), Ok(()));
        assert!(list.room_for(2).is_err());
    }

    #[test]
    fn a_page_ends_where_it_is_full_or_has_looked_enough_and_no_earlier() {
        let mut list = List::new(100);
        for name in ["a.example", "d.example", "z.example"] {
            for n in 0..9 {
                let standing = Standing::new(Reason::Manual, Instant(0), None);
                list.put(&subject(&format!("u{n}@{name}"), ""), standing);
            }
        }
        for (limit, look, every) in [(3, 100, 1), (100, 4, 1), (2, 4, 3), (9, 9, 1), (5, 5, 2)] {
            // A page that begins before its prefix begins with it.
            let (mut behind, mut seen) = (Some(Box::<str>::from("0")), Vec::new());
            while let Some(key) = behind {
                let looked = Cell::new(0);
                let page = list.page("d.example@", Some(&key), (limit, look), |key, _| {
                    looked.set(looked.get() + 1);
                    key.bytes().any(|c| c.is_ascii_digit() && (c - b'0').is_multiple_of(every))
                });
                let (found, looked) = (page.entries.len(), looked.get());
                assert!(found <= limit && looked <= look, "{found} of {looked}");
                assert!(page.next.is_none() || found == limit || looked == look);
                seen.extend(page.entries.into_iter().map(|(key, _)| key));
                behind = page.next;
            }
            let wanted = (0..9).step_by(every.into()).map(|n| format!("d.example@u{n}/").into());
            assert_eq!(seen, wanted.collect::<Vec<Box<str>>>(), "{limit}, {look}");
        }
    }

    proptest! {
        /// The list and a plain table of what was put and removed agree.
        #[test]
        fn what_was_put_is_found_until_it_is_removed(
            steps in prop::collection::vec((0_u8..4, 0_u8..6, 0_u8..3), 0..60),
        ) {
            let mut list = List::new(1000);
            let mut table = BTreeMap::new();
            for (what, who, tenant) in steps {
                let tenant = ["", "a", "b"][usize::from(tenant)];
                let text = if who < 4 { format!("u{who}@x.example") } else { "x.example".into() };
                let subject = subject(&text, tenant);
                if what == 0 {
                    prop_assert_eq!(list.remove(subject.key()), table.remove(subject.key()));
                } else {
                    let until = (what == 1).then_some(NOW);
                    let standing = Standing::new(Reason::Manual, Instant(0), until);
                    list.put(&subject, standing);
                    table.insert(subject.key().to_owned(), standing);
                }
            }
            let domains = table.keys().filter(|key| key.starts_with("x.example@/")).count();
            prop_assert_eq!((list.len(), list.domains()), (table.len(), domains));
            prop_assert_eq!(list.is_empty(), table.is_empty());
            for who in 0..4 {
                for tenant in ["", "a", "b"] {
                    let keys = [
                        format!("x.example@u{who}/{tenant}"), format!("x.example@u{who}/"),
                        format!("x.example@/{tenant}"), "x.example@/".to_owned(),
                    ];
                    let holds = |key: &&String| table.get(*key).is_some_and(|s| s.holds(NOW));
                    let wanted = keys.iter().find(holds).cloned();
                    let found = ask(&list, "a@b.c", &format!("U{who}@X.example"), tenant);
                    prop_assert_eq!(found.map(|(key, _)| key), wanted);
                }
            }
        }
    }
}
