//! Any text as a scenario of the rehearsal: it is read or refused with a cure, and one that is
//! read can be run.

#![no_main]

use libfuzzer_sys::fuzz_target;
use postlane_receivers::{Addressee, Asking, Ms, Receiver, Scenario, Source};

fuzz_target!(|octets: &[u8]| {
    let Ok(text) = std::str::from_utf8(octets) else { return };
    let scenario = match Scenario::parse(text) {
        Ok(scenario) => scenario,
        Err(error) => {
            assert!(!error.0.is_empty() && error.0.iter().all(|fault| fault.line > 0));
            return;
        }
    };
    assert!(scenario.receiver.limits.len() <= 64 && scenario.sender.ips.len() <= 256);
    let mut receiver = Receiver::new(&scenario, 1);
    let to = Addressee { number: 1, known: true };
    // An hour only: other senders may send millions in a year.
    for at in [0, 1, 60_000, 60_000, 3_600_000] {
        let asking = Asking { source: Source(0), conn: None, to, reserve: 1 };
        receiver.would_take(Ms(at), asking);
        let answer = receiver.dispatch(Ms(at), Source(0), None, to);
        if let Some(conn) = answer.conn.filter(|_| answer.closes) {
            receiver.close(Ms(at), conn);
        }
    }
});
