//! The trials as a Markdown table.

use super::destination::Refusing;
use super::trial::{Told, Trial};

/// Seconds in a minute.
const MINUTE: u64 = 60;

const HEAD: &str = "\
| destination | server | delivered after 16 min | all after | of the allowance from the 10th minute \
| refused | connections | open at most | refused in the 10 min after the first 421 \
| most in a second within a minute of the restart |\n\
|---|---|---:|---:|---:|---:|---:|---:|---:|---:|\n";

/// The head of the table.
pub(super) fn head() -> String {
    HEAD.to_owned()
}

/// The server, and how it came to the trial.
pub(super) fn name(trial: &Trial) -> String {
    let warm = match trial.lessons {
        0 => String::new(),
        lessons => format!(", warm after {lessons} messages"),
    };
    let restart = if trial.restarts { ", restarted" } else { "" };
    format!("{}{warm}{restart}: {}", trial.server.name(), trial.refusing.in_words())
}

/// One line of it.
pub(super) fn line(trial: &Trial, told: &Told) -> String {
    let Told { timeline, begun_s, ended_s, .. } = told;
    let (begun, end) = (*begun_s, ended_s + 1);
    let name = name(trial);
    let (server, destination) = name.split_once(": ").unwrap_or((&name, ""));
    let last = timeline.second_of(trial.messages, begun);
    let delivered = match timeline.messages(begun, begun + 16 * MINUTE) {
        n if n == trial.messages => format!("all {n}"),
        n => n.to_string(),
    };
    let all_after = last.map_or_else(
        || format!("{} in {}", timeline.messages(begun, end), span(end - begun)),
        |last| span(last - begun),
    );
    let share = share(trial, told, last.unwrap_or(end)).map_or_else(dash, |p| format!("{p:.0} %"));
    let further = timeline.first_refusal(begun).map_or_else(dash, |first| {
        timeline.refusals(first, first + 10 * MINUTE).saturating_sub(1).to_string()
    });
    let around = told.restarted_s.map_or_else(dash, |at| {
        timeline.busiest(at.saturating_sub(MINUTE), at + MINUTE).to_string()
    });
    format!(
        "| {destination} | {server} | {delivered} | {all_after} | {share} | {} | {} | {} | {further} | {around} |\n",
        timeline.refusals(begun, end),
        timeline.connections(begun, end),
        timeline.open_most(begun, end),
    )
}

/// Percent of what the destination allowed from the tenth minute to the last message that was taken.
fn share(trial: &Trial, told: &Told, last: u64) -> Option<f64> {
    let Refusing::Beyond { messages, window_s } = trial.refusing else { return None };
    let from = told.begun_s + 10 * MINUTE;
    let seconds = last.checked_sub(from).filter(|s| *s >= MINUTE)?;
    let allowed = seconds as f64 * f64::from(messages) / f64::from(window_s);
    Some(told.timeline.messages(from, last) as f64 * 100.0 / allowed)
}

/// Minutes where it is more than two, seconds otherwise.
fn span(s: u64) -> String {
    if s > 2 * MINUTE { format!("{:.1} min", s as f64 / 60.0) } else { format!("{s} s") }
}

fn dash() -> String {
    "–".to_owned()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::bench::lanes::timeline::Timeline;
    use crate::bench::server::Server;

    #[test]
    fn a_line_counts_from_the_messages_that_count() {
        let trial = Trial {
            server: Server::Postfix,
            refusing: Refusing::Beyond { messages: 60, window_s: 60 },
            messages: 100,
            lessons: 0,
            restarts: true,
            longest: Duration::ZERO,
        };
        let csv = "head\n0,1,9,50,50,0,0,9\n0,12,2,10,10,3,0,2\n0,640,1,45,45,1,0,1\n\
            0,710,1,45,45,0,0,1\n";
        let told = Told {
            timeline: Timeline::read(csv).unwrap(),
            begun_s: 10,
            ended_s: 711,
            restarted_s: Some(641),
            delivered: 100,
            doubled: 0,
            queued: None,
        };
        assert_eq!(
            line(&trial, &told),
            "| takes 60 in 60 s, 421 at MAIL beyond | Postfix, restarted | all 100 | 11.7 min | 45 % \
             | 4 | 4 | 2 | 2 | 46 |\n"
        );
    }
}
