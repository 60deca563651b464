//! Incidents in virtual time.

use postlane_mail::Label as Name;
use postlane_replies::Label;

use super::*;
use crate::picture::{Kind, Picture, Tally, Turn};
use crate::sight::{GoneRecord, ListedSubject, PausedWebhook};

/// An hour at a provider: so many accepted, so many refused with this label.
fn hour(accepted: u64, refused: u64, label: Label) -> Vec<Assessment> {
    by_source(&[("a", accepted, refused, label)])
}

fn by_source(sources: &[(&str, u64, u64, Label)]) -> Vec<Assessment> {
    let tally = |source: &str, kind, label, count| Tally {
        at: Instant::from_unix_s(60),
        provider: "web".into(),
        source: source.into(),
        stream: None,
        tenant: Name::NONE,
        kind,
        turn: Turn::Fresh,
        label,
        count,
    };
    let tallies = sources.iter().flat_map(|(source, accepted, refused, label)| {
        [
            tally(source, Kind::Accepted, Label::Accepted, *accepted),
            tally(source, Kind::Deferred, *label, *refused),
        ]
    });
    let tallies: Vec<Tally> = tallies.filter(|tally| tally.count > 0).collect();
    let to = Instant::from_unix_s(3_600);
    crate::assess(&Picture { to, slot: Span::from_min(1), tallies, ..Picture::default() })
}

pub(super) fn throttled() -> Vec<Assessment> {
    hour(100, 80, Label::RateLimited)
}

pub(super) fn healthy() -> Vec<Assessment> {
    hour(200, 0, Label::Unknown)
}

/// Looks every five minutes, so many times.
fn looks(
    incidents: &mut Incidents,
    from_min: u64,
    times: u64,
    seen: &[Assessment],
) -> Vec<(u64, IncidentChange)> {
    let mut changes = Vec::new();
    for n in 0..times {
        let minute = from_min + 5 * n;
        let at = Instant::from_unix_s(1_000_000) + Span::from_min(minute);
        changes.extend(incidents.look(at, seen).into_iter().map(|change| (minute, change)));
    }
    changes
}

#[test]
fn an_incident_opens_at_the_second_look_and_closes_after_an_hour_of_mail_taken() {
    let mut incidents = Incidents::default();
    let opened = looks(&mut incidents, 0, 4, &throttled());
    assert_eq!(opened, [(5, IncidentChange::Opened(1))]);
    let incident = incidents.find(1).unwrap();
    assert_eq!(incident.opened, Instant::from_unix_s(1_000_000));
    assert_eq!(incident.key.kind(), "throttle");
    let closed = looks(&mut incidents, 20, 20, &healthy());
    assert_eq!(closed, [(80, IncidentChange::Closed(1))]);
}

#[test]
fn one_look_alone_opens_nothing() {
    let mut incidents = Incidents::default();
    for n in 0..10 {
        assert!(looks(&mut incidents, n * 10, 1, &throttled()).is_empty());
        assert!(looks(&mut incidents, n * 10 + 5, 1, &healthy()).is_empty());
    }
    assert_eq!(incidents.iter().count(), 0);
}

#[test]
fn what_comes_and_goes_is_one_incident() {
    let mut incidents = Incidents::default();
    let mut changes = looks(&mut incidents, 0, 3, &throttled());
    for n in 0..10 {
        changes.extend(looks(&mut incidents, 20 + n * 60, 6, &healthy()));
        changes.extend(looks(&mut incidents, 50 + n * 60, 6, &throttled()));
    }
    assert_eq!(changes, [(5, IncidentChange::Opened(1))]);
}

#[test]
fn what_comes_back_within_a_day_goes_on_as_the_same_and_later_as_another() {
    let mut incidents = Incidents::default();
    looks(&mut incidents, 0, 3, &throttled());
    looks(&mut incidents, 15, 20, &healthy());
    incidents.check(1, "others", Some((Instant::from_unix_s(1_000_000), "jo"))).unwrap();
    let back = looks(&mut incidents, 600, 3, &throttled());
    assert_eq!(back, [(605, IncidentChange::Reopened(1))]);
    assert!(incidents.find(1).unwrap().steps.iter().any(|step| step.done.is_some()));
    looks(&mut incidents, 700, 20, &healthy());
    let later = looks(&mut incidents, 3_000, 3, &throttled());
    assert_eq!(later, [(3_005, IncidentChange::Opened(2))]);
}

#[test]
fn silence_is_no_recovery_until_a_day_has_passed() {
    let mut incidents = Incidents::default();
    looks(&mut incidents, 0, 3, &throttled());
    assert!(looks(&mut incidents, 15, 200, &[]).is_empty());
    let day = looks(&mut incidents, 1_015, 120, &[]);
    assert_eq!(day, [(1_450, IncidentChange::Closed(1))]);
    assert_eq!(
        incidents.find(1).unwrap().closed.as_ref().unwrap().why,
        "nothing was tried for a day"
    );
}

#[test]
fn one_refused_source_is_an_incident_of_that_source() {
    let mut incidents = Incidents::default();
    let fine = |source| (source, 200, 1, Label::Unknown);
    let worse = by_source(&[fine("a"), ("b", 30, 170, Label::ReputationIp), fine("c")]);
    looks(&mut incidents, 0, 3, &worse);
    let keys: Vec<&IncidentKey> = incidents.iter().map(|incident| &incident.key).collect();
    assert_eq!(keys.len(), 1, "{keys:?}");
    assert_eq!((keys[0].kind(), keys[0].source()), ("pool_ip", "b"));
}

#[test]
fn a_person_may_close_it_and_it_comes_back_if_it_is_not_over() {
    let mut incidents = Incidents::default();
    looks(&mut incidents, 0, 3, &throttled());
    let at = Instant::from_unix_s(1_000_000) + Span::from_min(12);
    incidents.close(1, "solved", (at, "jo")).unwrap();
    assert_eq!(incidents.close(1, "again", (at, "jo")), Err(IncidentError::Closed(1)));
    let back = looks(&mut incidents, 15, 3, &throttled());
    assert_eq!(back, [(20, IncidentChange::Reopened(1))]);
}

#[test]
fn steps_and_notes_say_what_is_wrong_with_them() {
    let mut incidents = Incidents::default();
    looks(&mut incidents, 0, 3, &throttled());
    let who = (Instant::from_unix_s(1_000_001), "jo");
    assert!(incidents.check(1, "leave", Some(who)).is_ok());
    let error = incidents.check(1, "dance", Some(who)).unwrap_err().to_string();
    assert_eq!(
        error,
        "incident 1 has no step \"dance\": its steps are leave, spread, others, restart"
    );
    assert_eq!(incidents.note(1, "  ", who), Err(IncidentError::Note));
    assert_eq!(incidents.note(7, "x", who), Err(IncidentError::Unknown(7)));
    for _ in 0..Incident::NOTES_MAX {
        incidents.note(1, "asked the hoster", who).unwrap();
    }
    assert_eq!(incidents.note(1, "one more", who), Err(IncidentError::Notes(1)));
}

#[test]
fn what_was_kept_goes_on_after_a_restart() {
    let mut incidents = Incidents::default();
    looks(&mut incidents, 0, 3, &throttled());
    let mut restored = Incidents::restored(incidents.iter().cloned(), 0);
    assert!(looks(&mut restored, 15, 3, &throttled()).is_empty());
    let closed = looks(&mut restored, 30, 20, &healthy());
    assert_eq!(closed, [(90, IncidentChange::Closed(1))]);
}

#[test]
fn only_so_many_are_remembered() {
    let mut incidents = Incidents::default();
    for n in 0..(Incidents::MAX as u64 + 5) {
        looks(&mut incidents, n * 4_000, 2, &throttled());
        looks(&mut incidents, n * 4_000 + 1_000, 14, &healthy());
    }
    assert_eq!(incidents.iter().count(), Incidents::MAX);
    assert_eq!(incidents.find(1), None);
}

fn paused(name: &str, at_min: u64) -> PausedWebhook {
    let at = Instant::from_unix_s(1_000_000) + Span::from_min(at_min);
    PausedWebhook {
        name: name.into(),
        tenant: Name::parse("acme").unwrap(),
        at,
        failing_since: at,
        why: "it answered 410 Gone".to_owned(),
    }
}

#[test]
fn a_paused_webhook_is_an_incident_at_once_and_until_it_is_told_again() {
    let mut incidents = Incidents::default();
    let at = |minute| Instant::from_unix_s(1_000_000) + Span::from_min(minute);
    let opened = incidents.look_at_webhooks(at(1), &[paused("shop", 0)]);
    assert_eq!(opened, [IncidentChange::Opened(1)]);
    assert_eq!(incidents.find(1).unwrap().tenant.as_str(), "acme");
    assert!(incidents.look_at_webhooks(at(2), &[paused("shop", 0)]).is_empty());
    // What provider's mail does is another matter.
    assert!(incidents.look(at(3), &healthy()).is_empty());
    assert_eq!(incidents.look_at_webhooks(at(4), &[]), [IncidentChange::Closed(1)]);
    let again = incidents.look_at_webhooks(at(9), &[paused("shop", 8)]);
    assert_eq!(again, [IncidentChange::Reopened(1)]);
}

#[test]
fn a_paused_webhook_that_somebody_has_closed_is_known_until_it_is_paused_anew() {
    let mut incidents = Incidents::default();
    let at = |minute| Instant::from_unix_s(1_000_000) + Span::from_min(minute);
    incidents.look_at_webhooks(at(1), &[paused("shop", 0)]);
    incidents.close(1, "they have moved", (at(2), "jo")).unwrap();
    assert!(incidents.look_at_webhooks(at(3), &[paused("shop", 0)]).is_empty());
    let anew = incidents.look_at_webhooks(at(9), &[paused("shop", 8)]);
    assert_eq!(anew, [IncidentChange::Reopened(1)]);
}

#[test]
fn who_took_it_on_is_forgotten_when_it_comes_back_and_a_step_can_be_taken_back() {
    let mut incidents = Incidents::default();
    looks(&mut incidents, 0, 3, &throttled());
    let who = (Instant::from_unix_s(1_000_000) + Span::from_min(11), "jo");
    incidents.acknowledge(1, who).unwrap();
    incidents.check(1, "others", Some(who)).unwrap();
    incidents.check(1, "others", None).unwrap();
    assert!(incidents.find(1).unwrap().steps.iter().all(|step| step.done.is_none()));
    assert_eq!(incidents.close(1, " ", who), Err(IncidentError::Why));
    incidents.close(1, "solved", who).unwrap();
    assert_eq!(incidents.acknowledge(1, who), Err(IncidentError::Closed(1)));
    looks(&mut incidents, 15, 3, &throttled());
    assert_eq!(incidents.find(1).unwrap().acknowledged, None);
}

#[test]
fn an_incident_is_one_tenants_only_while_all_mail_is_its() {
    let mut incidents = Incidents::default();
    let of = |tenant: Option<&str>| {
        let mut seen = throttled();
        seen[0].tenant = tenant.map(|name| Name::parse(name).unwrap());
        seen
    };
    looks(&mut incidents, 0, 3, &of(Some("acme")));
    assert_eq!(incidents.find(1).unwrap().tenant.as_str(), "acme");
    looks(&mut incidents, 15, 1, &of(None));
    looks(&mut incidents, 20, 1, &of(Some("acme")));
    assert!(incidents.find(1).unwrap().tenant.is_none());
}

fn hours(hours: u64) -> Instant {
    Instant::from_unix_s(1_000_000) + Span::from_h(hours)
}

fn listed(list: &str, since: u64) -> ListedSubject {
    ListedSubject {
        list: list.into(),
        name: "Spamhaus ZEN".to_owned(),
        subject: "203.0.113.7".into(),
        tenant: Name::NONE,
        since: hours(since),
        means: "SBL: it sends spam".to_owned(),
        delist: Some("https://check.spamhaus.org/".to_owned()),
    }
}

#[test]
fn a_listing_is_an_incident_until_it_is_over_and_no_other_sort_of_look_ends_it() {
    let mut incidents = Incidents::default();
    let opened = incidents.look_at_listings(hours(1), &[listed("spamhaus-zen", 0)]);
    assert_eq!(opened, [IncidentChange::Opened(1)]);
    let incident = incidents.find(1).unwrap();
    assert_eq!((incident.opened, incident.key.kind()), (hours(0), "listed"));
    assert_eq!((incident.key.subject(), incident.key.of()), ("203.0.113.7", "spamhaus-zen"));
    let steps: Vec<&str> = incident.steps.iter().map(|step| &*step.id).collect();
    assert_eq!(steps, ["cause", "stop", "delist", "verify"]);
    assert!(incidents.look_at_webhooks(hours(2), &[]).is_empty());
    assert!(incidents.look_at_records(hours(2), &[]).is_empty());
    let other = incidents.look_at_listings(hours(3), &[listed("abusix", 3)]);
    assert_eq!(other, [IncidentChange::Opened(2), IncidentChange::Closed(1)]);
}

#[test]
fn a_record_that_is_gone_is_an_incident_with_what_was_published() {
    let mut incidents = Incidents::default();
    let gone = GoneRecord {
        domain: "example.com".into(),
        record: "_dmarc.example.com TXT".into(),
        tenant: Name::NONE,
        since: hours(0),
        was: "v=DMARC1; p=reject".to_owned(),
    };
    incidents.look_at_records(hours(1), std::slice::from_ref(&gone));
    let incident = incidents.find(1).unwrap();
    assert!(incident.steps[1].says.contains("v=DMARC1; p=reject"), "{:?}", incident.steps);
    assert_eq!(incidents.look_at_records(hours(2), &[]), [IncidentChange::Closed(1)]);
}
