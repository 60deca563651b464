//! Characters that do something to the screen they are shown on.

/// Whether a character could do something to the screen that it is shown on: controls, what turns
/// the direction of writing (UAX #9), line separators, and what takes no room (UTS #36 §2.10). What
/// hosts and senders wrote may hold any of them, and is shown to people everywhere.
pub fn is_unruly(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
        || matches!(c, '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_the_cursor_or_turns_the_line_is_unruly_and_letters_are_not() {
        for c in ['\u{1b}', '\0', '\n', '\u{7f}', '\u{9b}', '\u{202e}', '\u{2066}', '\u{feff}'] {
            assert!(is_unruly(c), "{c:?}");
        }
        for c in ['a', ' ', 'ü', '漢', 'ع', '–', '😀'] {
            assert!(!is_unruly(c), "{c:?}");
        }
    }
}
