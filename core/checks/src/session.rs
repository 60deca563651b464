//! TLS-01 to TLS-03: how the session was that a message came in.

use crate::arrived::Session;
use crate::check::Found;
use crate::looked::Looked;

const UNSEEN: &str = "a file does not tell in which session it came";
const UNOFFERED: &str = "the host that took it does not offer STARTTLS";
const IN_CLEAR: &str = "the session was not encrypted";

/// TLS-01
pub(crate) fn encrypted(looked: Looked<'_>) -> Option<Found> {
    match looked.arrived.session {
        Session::Unseen => Found::skip(UNSEEN),
        Session::Unoffered => Found::skip(UNOFFERED),
        Session::Plain => Found::fail("STARTTLS was offered and not used"),
        Session::Encrypted { version, cipher } => Found::pass(format!("{version}, {cipher}")),
    }
}

/// TLS-02
pub(crate) fn version(looked: Looked<'_>) -> Option<Found> {
    match looked.arrived.session {
        Session::Encrypted { version, .. } if matches!(version, "TLSv1.2" | "TLSv1.3") => {
            Found::pass(version)
        }
        Session::Encrypted { version, .. } => Found::fail(version),
        other => Found::skip(in_clear(other)),
    }
}

/// TLS-03
pub(crate) fn cipher(looked: Looked<'_>) -> Option<Found> {
    let Session::Encrypted { cipher, .. } = looked.arrived.session else {
        return Found::skip(in_clear(looked.arrived.session));
    };
    let has = |words: &[&str]| words.iter().any(|word| cipher.contains(word));
    // Suites of TLS 1.3 all have forward secrecy, and do not say so.
    let is_secret_later = cipher.starts_with("TLS13_") || has(&["ECDHE", "DHE"]);
    if has(&["RC4", "3DES", "NULL", "EXPORT", "_anon_"]) {
        Found::fail(cipher)
    } else if is_secret_later && has(&["GCM", "CCM", "CHACHA20"]) {
        Found::pass(cipher)
    } else {
        Found::warn(cipher)
    }
}

fn in_clear(session: Session<'_>) -> &'static str {
    match session {
        Session::Unseen => UNSEEN,
        Session::Unoffered => UNOFFERED,
        Session::Plain | Session::Encrypted { .. } => IN_CLEAR,
    }
}
