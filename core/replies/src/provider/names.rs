//! The names people give to providers: what counts in them, and which one was probably meant.

/// What counts in a name: its letters and digits, lower case. "WEB.DE", "web de" and "web-de"
/// are one name, "1&1" and "11" too.
pub(super) fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The name that is most like the one that was written, if any is like it at all.
pub(super) fn nearest<'a>(
    written: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    /// How like two names must be, from 0 to 1. Chosen, not measured: one letter wrong, missing
    /// or swapped in a word of four is found.
    const LIKENESS_MIN: f64 = 0.6;
    /// A name longer than this is nobody's slip of the finger. In characters.
    const WRITTEN_MAX: usize = 100;
    let written: String = plain(written).chars().take(WRITTEN_MAX).collect();
    if written.is_empty() {
        return None;
    }
    let mut best: Option<(f64, &str)> = None;
    for name in names {
        let known = plain(name);
        let like = strsim::normalized_damerau_levenshtein(&written, &known);
        // One name inside the other is meant more often than a name of like letters.
        let longer_than_3 = written.len() > 3 && known.len() > 3;
        let inside = longer_than_3 && (known.contains(&written) || written.contains(&known));
        let like = if inside { like.max(LIKENESS_MIN) } else { like };
        if like >= LIKENESS_MIN && best.is_none_or(|(least, _)| like > least) {
            best = Some((like, name));
        }
    }
    best.map(|(_, name)| name)
}
