//! What figures of a lane come to.

use crate::check::{Found, Outcome};

use super::LaneFigures;

/// Attempts that say something of a share (chosen, not measured): 1 of 20 is 5 %.
const ATTEMPTS_MIN: u64 = 20;

/// A share of a count, judged by two bounds in percent: from the first on it is held against the
/// lane, from the second on it is a fault.
fn share(part: u64, of: u64, (warn, fail): (f64, f64), what: &str) -> Option<Found> {
    if of < ATTEMPTS_MIN {
        return Found::skip(format!("{part} of {of} {what}: too few to tell a share"));
    }
    let percent = part as f64 * 100.0 / of as f64;
    let outcome = if percent >= fail {
        Outcome::Fail
    } else if percent >= warn {
        Outcome::Warn
    } else {
        Outcome::Pass
    };
    Some(Found::new(outcome, format!("{part} of {of} {what} ({percent:.1} %)")))
}

/// Just above a bound that is still good itself.
fn above(percent: f64) -> f64 {
    percent.next_up()
}

/// INF-01
pub(super) fn first_attempts(figures: &LaneFigures) -> Option<Found> {
    let hour = figures.hour?;
    share(hour.fresh_deferred, hour.fresh, (above(2.0), 10.0), "first attempts in an hour put off")
}

/// INF-02
pub(super) fn pressure(figures: &LaneFigures) -> Option<Found> {
    let hour = figures.hour?;
    let evidence = format!("{} attempts for {} accepted in an hour", hour.all, hour.accepted);
    if hour.all < ATTEMPTS_MIN {
        return Found::skip(format!("{evidence}: too few to tell"));
    }
    let each = hour.all as f64 / hour.accepted.max(1) as f64;
    match () {
        () if each <= 1.2 => Found::pass(evidence),
        () if each <= 2.0 => Found::warn(evidence),
        () => Found::fail(evidence),
    }
}

/// INF-03
pub(super) fn age(figures: &LaneFigures) -> Option<Found> {
    let (age, life) = (figures.age?, figures.life?);
    let percent = age.as_s() as f64 * 100.0 / life.as_s().max(1) as f64;
    let evidence = format!("mail is {age} old when it is put off, and may wait {life}");
    match () {
        () if percent < 25.0 => Found::pass(evidence),
        () if percent < 60.0 => Found::warn(evidence),
        () => Found::fail(evidence),
    }
}

/// INF-04
pub(super) fn sessions(figures: &LaneFigures) -> Option<Found> {
    let (open, most) = figures.sessions?;
    let evidence = format!("{open} of {most} sessions");
    if open <= most { Found::pass(evidence) } else { Found::fail(evidence) }
}

/// INF-06
pub(super) fn plan(figures: &LaneFigures) -> Option<Found> {
    let (sent, cap) = figures.plan?;
    let evidence = format!("{sent} of {cap} that the plan grants today");
    match () {
        () if sent <= cap => Found::pass(evidence),
        () if sent * 4 <= cap * 5 => Found::warn(evidence),
        () => Found::fail(evidence),
    }
}

/// INF-07
pub(super) fn divergence(figures: &LaneFigures) -> Option<Found> {
    let z = figures.z?;
    let evidence = format!("{z:.1} standard errors from the others of its pool");
    match z.abs() {
        z if z < 2.0 => Found::pass(evidence),
        z if z <= 3.0 => Found::warn(evidence),
        _ => Found::fail(evidence),
    }
}

/// INF-08
pub(super) fn spike(figures: &LaneFigures) -> Option<Found> {
    let now = figures.hour?.all;
    let mut before = figures.same_hour_before.clone();
    if before.len() < 2 {
        return Found::skip("fewer than two earlier weeks are known");
    }
    before.sort_unstable();
    let median = before[before.len() / 2].max(1);
    let evidence = format!("{now} attempts in an hour, {median} in that hour of earlier weeks");
    if now < ATTEMPTS_MIN {
        return Found::pass(evidence);
    }
    match now as f64 / median as f64 {
        times if times < 3.0 => Found::pass(evidence),
        times if times <= 5.0 => Found::warn(evidence),
        _ => Found::fail(evidence),
    }
}

/// INF-09
pub(super) fn unknown_mailboxes(figures: &LaneFigures) -> Option<Found> {
    let day = figures.day?;
    share(day.no_mailbox, day.all, (1.0, above(2.0)), "attempts in 24 h for mailboxes nobody has")
}

/// INF-10
pub(super) fn class(figures: &LaneFigures) -> Option<Found> {
    Found::info(figures.class.clone()?)
}

/// INF-19
pub(super) fn known_replies(figures: &LaneFigures) -> Option<Found> {
    let day = figures.day?;
    share(day.unknown, day.refused, (2.0, 5.0), "refusals in 24 h that no rule knows")
}

/// INF-20
pub(super) fn evidence(figures: &LaneFigures) -> Option<Found> {
    let seen = figures.looked_at.as_ref()?;
    match (seen.deferred, seen.incomplete) {
        (0, _) => Found::skip("nothing was put off in 24 h"),
        (all, 0) => Found::pass(format!("{all} deferrals have all that a postmaster asks for")),
        (all, some) => Found::fail(format!("{some} of {all} deferrals lack {}", seen.lacks)),
    }
}

/// BULK-11
pub(super) fn bounces(figures: &LaneFigures) -> Option<Found> {
    let day = figures.day?;
    let ended = day.accepted + day.bounced;
    share(day.bounced, ended, (1.0, 3.0), "recipients in 24 h refused for good")
}

/// From so many on, mail to a provider in 24 h is mail to many (Google, Microsoft).
const BULK: u64 = 5_000;

/// BULK-12: what all domains send together is the most that one can.
pub(super) fn bulk(figures: &LaneFigures) -> Option<Found> {
    let all = figures.reached_by_all?;
    let headroom = BULK.saturating_sub(all) * 100 / BULK;
    let who = "recipients in 24 h by all sources and domains";
    Found::info(match all {
        0..BULK => format!("{all} {who}: {headroom} % below mail to many"),
        _ => format!("{all} {who}: a domain with {BULK} of them is one that sends to many"),
    })
}

/// TLS-13
pub(super) fn encrypted(figures: &LaneFigures) -> Option<Found> {
    let seen = figures.looked_at.as_ref()?;
    let plain = seen.attempts - seen.encrypted.min(seen.attempts);
    share(plain, seen.attempts, (above(1.0), above(5.0)), "attempts in the clear")
}

/// TLS-14: who does not keep to a policy gets no mail, so what went was held to it.
pub(super) fn held_to_policy(figures: &LaneFigures) -> Option<Found> {
    let seen = figures.looked_at.as_ref()?;
    let all = seen.attempts;
    match seen.held_to_policy {
        0 => Found::skip("none of the domains asks for TLS by MTA-STS or DANE"),
        held => Found::pass(format!("{held} of {all} attempts were held to MTA-STS or DANE")),
    }
}

/// DNS-09
pub(super) fn greeted_as(figures: &LaneFigures) -> Option<Found> {
    let seen = figures.looked_at.as_ref()?;
    match seen.greeted_as.as_slice() {
        [] => Found::skip("no name is known"),
        [one] => Found::pass(format!("EHLO {one}")),
        many => Found::fail(format!("EHLO {}", many.join(", "))),
    }
}

/// BL-14
pub(super) fn listed(figures: &LaneFigures) -> Option<Found> {
    let day = figures.day?;
    match day.listed {
        0 => Found::pass(format!("none of {} refusals in 24 h names a list", day.refused)),
        some => Found::fail(format!("{some} of {} refusals in 24 h name a list", day.refused)),
    }
}
