//! What an element's own style says of how its text is seen.

/// A style attribute, as far as it decides whether text can be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Style {
    /// It takes its text out of the page: `display:none` and what comes to the same.
    pub(super) is_hidden: bool,
    /// Letters that nobody can read: a size of one pixel or less, no opacity.
    pub(super) is_tiny: Option<bool>,
    /// Letters that one has to look for: below [`SMALL_PX`].
    pub(super) is_small: Option<bool>,
    /// Red, green and blue of the letters.
    pub(super) colour: Option<[u8; 3]>,
    /// Red, green and blue of what is behind them.
    pub(super) background: Option<[u8; 3]>,
    /// A width or height is said.
    pub(super) has_size: bool,
}

/// Octets of a style attribute that are read. Chosen, not measured: long ones have some 500.
const OCTETS_MAX: usize = 4_096;

/// Letters smaller than this are hard to read, in pixels. Chosen, not measured.
const SMALL_PX: f64 = 8.0;

impl Style {
    /// Reads a style attribute; what makes no sense says nothing.
    pub(super) fn read(text: &str) -> Self {
        let mut style = Self::default();
        let end = text.floor_char_boundary(OCTETS_MAX);
        let text = text[..end].to_ascii_lowercase();
        let (mut is_flat, mut is_cut) = (false, false);
        for declaration in text.split(';') {
            let Some((property, value)) = declaration.split_once(':') else { continue };
            let value = value.trim().trim_end_matches("!important").trim_end();
            match property.trim() {
                "display" => style.is_hidden |= value == "none",
                "visibility" => style.is_hidden |= matches!(value, "hidden" | "collapse"),
                "mso-hide" => style.is_hidden |= value == "all",
                "opacity" => style.is_tiny = number(value).map(|amount| amount < 0.05),
                "max-height" | "max-width" => is_flat |= number(value) == Some(0.0),
                "overflow" => is_cut = value == "hidden",
                "width" | "height" => style.has_size = true,
                "font-size" => {
                    let size = pixels(value);
                    style.is_tiny = size.map(|size| size <= 1.0).or(style.is_tiny);
                    style.is_small = size.map(|size| size < SMALL_PX);
                }
                "color" => style.colour = colour(value),
                "background-color" | "background" => {
                    style.background =
                        value.split_ascii_whitespace().find_map(colour).or_else(|| colour(value));
                }
                _ => {}
            }
        }
        style.is_hidden |= is_flat && is_cut;
        style
    }
}

/// The number that a value begins with.
fn number(value: &str) -> Option<f64> {
    let end = value.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(value.len());
    value[..end].parse().ok()
}

/// A length in pixels; none where it depends on something else.
fn pixels(value: &str) -> Option<f64> {
    let amount = number(value)?;
    let unit = value.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').trim();
    match unit {
        "px" => Some(amount),
        "pt" => Some(amount * 4.0 / 3.0),
        _ if amount == 0.0 => Some(0.0),
        "em" | "rem" => Some(amount * 16.0),
        "%" => Some(amount * 0.16),
        _ => None,
    }
}

/// A colour of CSS Color 4 §4: `#rgb`, `#rrggbb`, `rgb(r, g, b)`, and the names that mails have.
pub(super) fn colour(value: &str) -> Option<[u8; 3]> {
    let value = value.trim();
    if let Some(hex) = value.strip_prefix('#') {
        let digit = |at: usize| {
            let digit = char::from(*hex.as_bytes().get(at)?).to_digit(16)?;
            u8::try_from(digit).ok()
        };
        return match hex.len() {
            3 | 4 => Some([digit(0)? * 17, digit(1)? * 17, digit(2)? * 17]),
            6 | 8 => Some([
                digit(0)? * 16 + digit(1)?,
                digit(2)? * 16 + digit(3)?,
                digit(4)? * 16 + digit(5)?,
            ]),
            _ => None,
        };
    }
    if let Some(inside) = value.strip_prefix("rgb").and_then(|rest| rest.split_once('(')) {
        let mut parts = inside.1.trim_end_matches(')').split([',', ' ', '/']);
        let mut part = || parts.find(|part| !part.is_empty())?.trim().parse().ok();
        return Some([part()?, part()?, part()?]);
    }
    match value.to_ascii_lowercase().as_str() {
        "white" => Some([255; 3]),
        "black" => Some([0; 3]),
        "red" => Some([255, 0, 0]),
        "yellow" => Some([255, 255, 0]),
        "gray" | "grey" => Some([128; 3]),
        "silver" => Some([192; 3]),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_text_out_of_the_page_is_seen() {
        for hidden in [
            "display:none",
            "DISPLAY : None !important; color:red",
            "visibility:hidden",
            "max-height:0px;overflow:hidden",
            "mso-hide:all",
        ] {
            assert!(Style::read(hidden).is_hidden, "{hidden}");
        }
        for seen in ["display:block", "max-height:0", "overflow:hidden", "display", ""] {
            assert!(!Style::read(seen).is_hidden, "{seen}");
        }
    }

    #[test]
    fn letters_that_nobody_can_read_are_seen() {
        let tiny = |text| Style::read(text).is_tiny;
        assert_eq!(tiny("font-size:1px"), Some(true));
        assert_eq!(tiny("font-size:0"), Some(true));
        assert_eq!(tiny("opacity:0"), Some(true));
        assert_eq!(tiny("font-size:12px"), Some(false));
        assert_eq!(tiny("font-size:larger"), None);
        assert_eq!(Style::read("font-size:5pt").is_small, Some(true));
        assert_eq!(Style::read("font-size:11px").is_small, Some(false));
    }

    #[test]
    fn a_colour_is_the_same_however_it_is_written() {
        for white in ["#fff", "#FFFFFF", "white", "rgb(255, 255, 255)", "rgb(255 255 255 / 1)"] {
            assert_eq!(colour(white), Some([255; 3]), "{white}");
        }
        for none in ["#ff", "#gggggg", "inherit", "rgb(300,0,0)", "url(x)", "#é12"] {
            assert_eq!(colour(none), None, "{none}");
        }
        assert_eq!(Style::read("background: #eee url(x)").background, Some([238; 3]));
    }
}
