//! FMT-01 to FMT-05: the date.

use crate::arrived::Arrived;
use crate::check::Found;
use crate::dns::Known;
use crate::message::text_of;

use super::date::{DateFault, MailDate, Obsolete, Zone};

/// The value of the first date, and what it is.
fn date(arrived: &Arrived<'_>) -> Option<(String, Result<MailDate, DateFault>)> {
    let field = arrived.message.all("Date").next()?;
    let text = text_of(field).into_owned();
    let date = MailDate::parse(&text);
    Some((text, date))
}

pub(super) fn once(_: &mut Known, arrived: &Arrived<'_>) -> Option<Found> {
    match arrived.message.all("Date").count() {
        1 => Found::pass("Date stands there once"),
        0 => Found::fail("there is no Date"),
        n => Found::fail(format!("Date stands there {n} times")),
    }
}

pub(super) fn syntax(_: &mut Known, arrived: &Arrived<'_>) -> Option<Found> {
    let Some((text, date)) = date(arrived) else { return Found::skip("there is no Date") };
    let date = match date {
        Ok(date) => date,
        Err(fault) => return Found::fail(format!("Date: {text}: {fault}")),
    };
    let said: Vec<&str> = date.obsolete.iter().map(|obsolete| said(*obsolete)).collect();
    let no_grammar = [Obsolete::DigitMonth, Obsolete::NoZone];
    if said.is_empty() {
        Found::pass(format!("Date: {text}"))
    } else if date.obsolete.iter().any(|obsolete| no_grammar.contains(obsolete)) {
        Found::fail(format!("Date: {text}: {}", said.join(", ")))
    } else {
        Found::warn(format!("Date: {text}: {}", said.join(", ")))
    }
}

fn said(obsolete: Obsolete) -> &'static str {
    match obsolete {
        Obsolete::ShortYear => "a year of two or three digits",
        Obsolete::NamedZone => "a zone with a name",
        Obsolete::Comment => "a comment in the midst",
        Obsolete::Blanks => "blanks where none belong",
        Obsolete::DigitMonth => "the month in digits",
        Obsolete::NoZone => "no zone",
    }
}

/// Bounds of FMT-03, in seconds.
const HOUR: i64 = 3_600;

pub(super) fn skew(_: &mut Known, arrived: &Arrived<'_>) -> Option<Found> {
    let Some((text, Ok(date))) = date(arrived) else {
        return Found::skip("there is no Date that can be read");
    };
    let now = i64::try_from(arrived.now.unix_s()).unwrap_or(i64::MAX);
    let ahead = date.unix_s.saturating_sub(now);
    let evidence = match ahead {
        0.. => format!("Date: {text}: {} ahead of our clock", span(ahead)),
        _ => format!("Date: {text}: {} behind our clock", span(-ahead)),
    };
    if (-24 * HOUR..=600).contains(&ahead) {
        Found::pass(evidence)
    } else if (-96 * HOUR..=3 * HOUR).contains(&ahead) {
        Found::warn(evidence)
    } else {
        Found::fail(evidence)
    }
}

/// So many seconds, in the unit that says most.
pub(crate) fn span(seconds: i64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / HOUR),
        _ => format!("{} days", seconds / 86_400),
    }
}

pub(super) fn weekday(_: &mut Known, arrived: &Arrived<'_>) -> Option<Found> {
    match date(arrived) {
        Some((text, Ok(date))) => match date.weekday_fits {
            Some(true) => Found::pass(format!("Date: {text}")),
            None => Found::pass("the day of the week is not said"),
            Some(false) => {
                Found::warn(format!("Date: {text}: that day is another day of the week"))
            }
        },
        _ => Found::skip("there is no Date that can be read"),
    }
}

pub(super) fn zone(_: &mut Known, arrived: &Arrived<'_>) -> Option<Found> {
    let Some((text, date)) = date(arrived) else { return Found::skip("there is no Date") };
    match date.map(|date| date.zone) {
        Err(DateFault::Zone) => Found::fail(format!("Date: {text}: the zone is not four digits")),
        Err(_) => Found::skip("the Date cannot be read"),
        Ok(Zone::Named { .. }) => Found::skip("the zone has a name; FMT-02 judges that"),
        Ok(Zone::Missing) => Found::fail(format!("Date: {text}: there is no zone")),
        Ok(Zone::Unknown) => Found::info("-0000: UTC, and where the sender is, is not said"),
        Ok(Zone::Digits { written, .. }) => {
            let (hours, minutes) = (written / 100, written % 100);
            if minutes > 59 {
                Found::fail(format!("Date: {text}: an hour has 60 minutes"))
            } else if hours <= 14 && minutes % 15 == 0 {
                Found::pass(format!("Date: {text}"))
            } else {
                Found::warn(format!("Date: {text}: no place has that zone"))
            }
        }
    }
}
