//! What was probably meant.

/// The name that is most like the one that was written, if any is like it at all.
pub(crate) fn nearest<'a>(written: &str, known: &[&'a str]) -> Option<&'a str> {
    /// How like two names must be, from 0 to 1. Chosen so that a letter missing, doubled or
    /// swapped in a word of three is found, and `rate` is not offered for `retry`.
    const LIKENESS_MIN: f64 = 0.6;
    let written = written.to_lowercase();
    let likeness = |name: &str| {
        // One name inside the other is meant more often than a name of like letters.
        let inside = written.len() > 3 && (name.contains(&written) || written.contains(name));
        let like = strsim::normalized_damerau_levenshtein(&written, name);
        if inside { like.max(LIKENESS_MIN) } else { like }
    };
    let best = known.iter().map(|name| (likeness(name), *name)).max_by(|a, b| a.0.total_cmp(&b.0));
    best.filter(|(like, _)| *like >= LIKENESS_MIN).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_understood() {
        let known = ["connections", "rate", "session_messages", "idle"];
        assert_eq!(nearest("conections", &known), Some("connections"));
        assert_eq!(nearest("raet", &known), Some("rate"));
        assert_eq!(nearest("messages", &known), Some("session_messages"));
        assert_eq!(nearest("Connections", &known), Some("connections"));
    }

    #[test]
    fn what_is_like_nothing_is_not_guessed() {
        assert_eq!(nearest("retry", &["rate", "idle"]), None);
        assert_eq!(nearest("x", &["rate"]), None);
        assert_eq!(nearest("rate", &[]), None);
    }
}
