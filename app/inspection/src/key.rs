//! Whether receivers find a key that we sign with, told in one form.

use postlane_checks::dkim::{SignError, Signer, Visible};
use serde_json::{Value, json};

/// A word for how a key stands: `ok`, `warn` (it says that it is being tested), `missing` or `error`
/// (nobody could say).
pub fn key_word(found: &Visible) -> &'static str {
    match found {
        Visible::Yes => "ok",
        Visible::Testing => "warn",
        Visible::Unknown(_) => "error",
        _ => "missing",
    }
}

/// A key as `postlane dkim check --json` prints it: `name`, `domain`, `selector`, `result`, `says`, and
/// the `record` to publish.
///
/// # Errors
///
/// If the key has no public half that could be published.
pub fn key_as_json(signer: &Signer, found: &Visible) -> Result<Value, SignError> {
    Ok(json!({
        "name": signer.key_name().map(|name| name.to_string()).unwrap_or_default(),
        "domain": signer.domain().as_str(),
        "selector": signer.selector().as_str(),
        "result": key_word(found),
        "says": found.to_string(),
        "record": signer.record()?,
    }))
}
