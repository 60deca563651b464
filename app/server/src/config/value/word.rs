//! Settings that are one of a few words.

use super::{Value, Wrongs};
use crate::config::nearest::nearest;
use crate::config::tree::Node;

/// A type whose values are written as words.
pub(crate) trait Spelled: Copy + PartialEq + 'static {
    /// Each word, what it stands for, and what that means.
    const WORDS: &'static [(&'static str, Self, &'static str)];
}

impl<T: Spelled> Value for T {
    fn form() -> String {
        let words = T::WORDS.iter().map(|(word, _, says)| format!("`{word}` ({says})"));
        format!("one of {}", words.collect::<Vec<_>>().join(", "))
    }

    fn read(node: &Node, wrongs: &mut Wrongs<'_>) -> Option<Self> {
        let words: Vec<&str> = T::WORDS.iter().map(|(word, _, _)| *word).collect();
        let all = words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
        let text = wrongs.text(node, &all)?;
        if let Some((_, value, _)) = T::WORDS.iter().find(|(word, _, _)| *word == text) {
            return Some(*value);
        }
        let cure = match nearest(text, &words) {
            Some(word) => format!("did you mean \"{word}\"? The words are {all}"),
            None => format!("write one of {all}"),
        };
        let cause = format!("`{}` is \"{}\"", wrongs.name(), super::shown(text));
        wrongs.add(node, cause, cure);
        None
    }

    fn show(&self) -> String {
        let word = T::WORDS.iter().find(|(_, value, _)| value == self).map(|(word, _, _)| *word);
        format!("\"{}\"", word.unwrap_or_default())
    }
}

/// Says how the values of a type are written.
macro_rules! spelled {
    ($T:ty { $($word:literal => $value:path, $says:literal;)+ }) => {
        impl $crate::config::value::Spelled for $T {
            const WORDS: &'static [(&'static str, Self, &'static str)] =
                &[$(($word, $value, $says)),+];
        }
    };
}

pub(crate) use spelled;
