//! Days and moments.

use postlane_mail::Instant;
use postlane_message::LogDate;

use super::{Value, Wrongs, quoted};
use crate::config::tree::Node;

impl Value for Instant {
    fn form() -> String {
        "a day or a moment: `2026-12-01`, which begins at midnight UTC, or `2026-12-01T08:30:00Z`"
            .to_owned()
    }

    fn read(node: &Node, wrongs: &mut Wrongs<'_>) -> Option<Self> {
        let read = |text: &str| LogDate::parse(text).ok_or("it is no day of the calendar");
        wrongs.parse(node, "\"2026-12-01\" or \"2026-12-01T08:30:00Z\"", read)
    }

    fn show(&self) -> String {
        let date = LogDate::of(*self);
        let text = date.as_str();
        quoted(text.strip_suffix("T00:00:00.000Z").unwrap_or(text))
    }
}
