//! Whether a text is German: told by the small words that no sentence does without.

/// What a text is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    /// German.
    German,
    /// Something else.
    Other,
}

/// Small words of German, and those that other languages share none of it with. Written down for
/// this check.
const GERMAN: [&str; 20] = [
    "der", "die", "das", "und", "ist", "nicht", "mit", "für", "auf", "ein", "eine", "sie", "wir",
    "ihr", "ihre", "von", "zu", "den", "im", "sich",
];

/// Words that are looked at, and the fewest from which something is told. Chosen, not measured.
const WORDS_MAX: usize = 2_000;
const WORDS_MIN: usize = 30;

impl Language {
    /// Tells it from the text; none if there are too few words. In German every fifth word or so
    /// is one of the small ones; one in twelve is enough here (chosen, not measured).
    pub(super) fn of(text: &str) -> Option<Self> {
        let words = text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty());
        let (mut all, mut german) = (0_usize, 0_usize);
        for word in words.take(WORDS_MAX) {
            all += 1;
            german += usize::from(word.len() <= 8 && GERMAN.contains(&&*word.to_lowercase()));
        }
        (all >= WORDS_MIN).then_some(if german * 12 >= all { Self::German } else { Self::Other })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DE: &str = "Guten Tag, vielen Dank für Ihre Bestellung. Wir haben sie heute an den Versand \
        übergeben, und die Sendung ist in zwei Tagen bei Ihnen. Wenn Sie nicht zu Hause sind, gibt der \
        Bote das Paket bei einem Nachbarn ab.";
    const EN: &str = "Hello, thank you very much for your order. We have handed it over to the carrier \
        today, and the parcel will be with you in two days. If you are not at home the driver leaves \
        it with somebody next door.";

    #[test]
    fn german_is_told_by_its_small_words() {
        assert_eq!(Language::of(DE), Some(Language::German));
        assert_eq!(Language::of(EN), Some(Language::Other));
        assert_eq!(Language::of("Guten Tag"), None);
    }
}
