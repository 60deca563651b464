//! What must be seen, whatever becomes of the log: lines on standard error.
//!
//! Whoever says so never waits: a pipe that nobody reads stops no mail. A thread of its own writes; where
//! too much waits, lines are dropped, counted, and told of when there is room again.

use std::panic;
use std::path::Path;
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use crate::config::settings::Output;
use crate::ground::clock::Clock;
use crate::telling::journal::{Journal, Line, PATIENCE};

/// Octets of alarms that wait to be written, at most. Chosen, not measured: some thousand lines, which
/// nobody reads who did not read the first hundred.
const WAITING_MAX: usize = 1 << 20;

/// Octets of what a fault of ours said, at most.
const FAULT_OCTETS_MAX: usize = 500;

/// One for the whole process, as standard error is.
static ALARMS: OnceLock<Journal> = OnceLock::new();

fn write(line: Line) {
    // Without the thread nothing can be said: there is nobody to tell that.
    let begin = || Journal::begin("alarms", Output::Stderr, WAITING_MAX).0;
    ALARMS.get_or_init(begin).write(line.end());
}

/// Says something that must be seen, whatever becomes of the log.
pub(crate) fn alarm(text: &str) {
    let mut line = Line::new(Clock::wall().now(), "alarm");
    line.field("text", text);
    write(line);
}

/// Says where somebody can sign in for the first time, and with which file.
pub(crate) fn first_sign_in(at: &str, token: &Path) {
    let mut line = Line::new(Clock::wall().now(), "first-sign-in");
    line.field("at", at);
    line.field("token", &token.display().to_string());
    write(line);
}

/// From now on a fault of ours, in whatever thread, is an event like all others.
pub fn tell_of_faults() {
    let otherwise = panic::take_hook();
    panic::set_hook(Box::new(move |fault| {
        let thread = thread::current();
        let at = fault.location().map(ToString::to_string).unwrap_or_default();
        let said = fault.payload_as_str().unwrap_or("nothing that can be told");
        let said = &said[..said.floor_char_boundary(FAULT_OCTETS_MAX)];
        alarm(&format!(
            "a fault of ours in the thread \"{}\" at {at}: {said}; please report this",
            thread.name().unwrap_or_default()
        ));
        if std::env::var_os("RUST_BACKTRACE").is_some_and(|asked| asked != "0") {
            otherwise(fault);
        }
    }));
}

/// Waits for the last alarms before the program ends, but not for ever.
pub fn finish_alarms() {
    let patience = Instant::now() + PATIENCE;
    while ALARMS.get().is_some_and(|alarms| alarms.waiting() > 0) && Instant::now() < patience {
        thread::sleep(Duration::from_millis(2));
    }
}
