//! What there is to send: as much as the receiver takes in hours or days.
//!
//! 60 to 20,000 messages, about half an hour to two days of the allowance and never less than
//! one and a half of its windows; in one block 60 %, two 25, three 15, each at once or, in 15 %,
//! over time; the second and third half of the time to people who have not read for long. Half
//! live as long as the run, half 1.6 times what the allowance needs. Transactional mail beside
//! it in 60 %, at most a tenth of the allowance; unknown recipients in 25 %.

use super::draw::Draw;
use super::limits::Site;
use super::table::{Table, short};

/// Mail for a site, and how long a run is.
pub(super) struct Mail {
    pub(super) text: String,
    pub(super) horizon_h: u64,
}

/// The longest run.
const HORIZON_H_MAX: u64 = 10 * 24;

pub(super) fn mail(draw: &mut Draw, site: &Site) -> Mail {
    let shortest = (1.5 * site.window_min as f64 / 60.0).clamp(0.5, 36.0);
    let hours = draw.about(shortest, 48.0);
    let most = site.messages_max.min(site.capacity_per_h * 120.0).max(20.0);
    let messages = (site.capacity_per_h * hours).clamp(60.0, 20_000.0).min(most).round();
    let hours = messages / site.capacity_per_h;
    // The phase of a day may cost one, and what comes later needs its time, too.
    let slack = 12.0 + site.window_min as f64 / 60.0;
    let horizon_h = ((hours * 1.5 + slack) / 24.0).ceil() as u64 * 24;
    let horizon_h = horizon_h.clamp(24, HORIZON_H_MAX);
    let mut text = String::new();
    let max_age_h = if draw.percent(50) {
        horizon_h
    } else {
        ((hours * 1.6 + slack).ceil() as u64).clamp(12, horizon_h)
    };
    let unknown = if draw.percent(25) { short(draw.between(0.002, site.unknown_max)) } else { 0.0 };
    let blocks = draw.weighed(&[(60, 1_u64), (25, 2), (15, 3)]);
    for block in 0..blocks {
        let mut mail = Table::new("[[mail]]");
        let class = if block > 0 && draw.percent(50) { "cold" } else { "engaged" };
        mail.text("class", class);
        let part = (messages / blocks as f64).round().max(1.0);
        if draw.percent(15) && hours >= 1.0 {
            let over = hours.min(24.0).ceil();
            mail.text("rate", &format!("{}/h", short((part / over).max(0.1))));
            mail.text("to", &format!("{over}h"));
        } else {
            mail.plain("count", part);
            if block > 0 {
                mail.text("at", &format!("{}m", draw.below((hours * 20.0).ceil() as u64 + 1)));
            }
        }
        mail.text("max_age", &format!("{max_age_h}h"));
        if unknown > 0.0 {
            mail.plain("unknown", unknown);
        }
        if blocks > 1 {
            mail.text("tenant", draw.pick::<&str>(&["acme", "brook", "cedar"]));
            mail.text("campaign", draw.pick::<&str>(&["spring", "summer", "autumn"]));
        }
        text.push_str(&mail.finish());
    }
    if draw.percent(60) {
        text.push_str(&transactional(draw, site, hours));
    }
    Mail { text, horizon_h }
}

/// What somebody waits for: at most a tenth of what is taken.
fn transactional(draw: &mut Draw, site: &Site, hours: f64) -> String {
    let most = (site.capacity_per_h * 0.1).min(30.0 * site.sources as f64);
    let rate = short(draw.between(0.2, 1.0) * most).max(0.05);
    let mut mail = Table::new("[[mail]]");
    mail.text("class", "transactional").text("rate", &format!("{rate}/h"));
    mail.text("to", &format!("{}h", hours.clamp(2.0, 24.0).ceil())).text("max_age", "24h");
    mail.finish()
}
