//! A logo as receivers show it beside mail: SVG Tiny PS (draft-svg-tiny-ps-abrotman), as far as
//! can be seen without drawing it.

/// Octets of a logo, at most (§4).
pub(super) const OCTETS_MAX: usize = 32 << 10;

/// What is wrong with a logo; empty where nothing is.
pub(super) fn faults(text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let lower = text.to_ascii_lowercase();
    let Some(root) = element(&lower, "<svg") else {
        return vec!["it is no SVG".to_owned()];
    };
    if attribute(root, "baseprofile") != Some("tiny-ps") {
        faults.push("baseProfile=\"tiny-ps\" is missing".to_owned());
    }
    if attribute(root, "version") != Some("1.2") {
        faults.push("version=\"1.2\" is missing".to_owned());
    }
    if element(&lower, "<title").is_none() {
        faults.push("there is no title".to_owned());
    }
    for forbidden in ["<script", "<image", "<foreignobject", "<animate", "<!entity", "javascript:"]
    {
        if lower.contains(forbidden) {
            faults.push(format!("it has {forbidden}"));
        }
    }
    let leads_out = lower.match_indices("href").any(|(at, _)| {
        let value = lower[at + 4..].trim_start().strip_prefix('=').map(str::trim_start);
        value.is_some_and(|value| !value.starts_with("\"#") && !value.starts_with("'#"))
    });
    if leads_out {
        faults.push("it refers to something outside of it".to_owned());
    }
    match attribute(root, "viewbox").map(square) {
        None => faults.push("viewBox is missing".to_owned()),
        Some(false) => faults.push("it is not square".to_owned()),
        Some(true) => {}
    }
    faults
}

/// The tag of the first element of a name, up to its end.
fn element<'t>(text: &'t str, start: &str) -> Option<&'t str> {
    let at = text.find(start)?;
    let rest = text.get(at..)?;
    rest.get(..rest.find('>')?)
}

fn attribute<'t>(tag: &'t str, name: &str) -> Option<&'t str> {
    for (at, _) in tag.match_indices(name) {
        let Some(value) = tag.get(at + name.len()..).map(str::trim_start) else { continue };
        let Some(value) = value.strip_prefix('=').map(str::trim_start) else { continue };
        let Some(quote) = value.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
            continue;
        };
        // `version` stands within `xmlns:version`, too.
        let before = tag.get(..at).and_then(|before| before.chars().next_back());
        if before.is_some_and(char::is_whitespace) {
            return value.get(1..)?.split(quote).next();
        }
    }
    None
}

fn square(view: &str) -> bool {
    let numbers: Vec<f64> = view
        .split([' ', ','])
        .filter_map(|n| n.parse().ok())
        .filter(|n: &f64| n.is_finite())
        .collect();
    matches!(numbers.as_slice(), [_, _, width, height] if (width - height).abs() < 0.01 && *width > 0.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LOGO: &str = "<?xml version='1.0'?><svg xmlns=\"http://www.w3.org/2000/svg\" \
        version=\"1.2\" baseProfile=\"tiny-ps\" viewBox=\"0 0 64 64\"><title>x</title>\
        <use href=\"#a\"/></svg>";

    #[test]
    fn a_logo_is_small_square_and_alone() {
        assert_eq!(faults(LOGO), Vec::<String>::new());
        let with = |from: &str, to: &str| faults(&LOGO.replace(from, to)).join("; ");
        assert_eq!(with("tiny-ps", "full"), "baseProfile=\"tiny-ps\" is missing");
        assert_eq!(with("\"1.2\"", "\"1.1\""), "version=\"1.2\" is missing");
        assert_eq!(with("64 64", "64 32"), "it is not square");
        assert_eq!(
            with("\"#a\"", "\"https://x.example/\""),
            "it refers to something outside of it"
        );
        assert_eq!(with("<title>", "<script>1</script><title>"), "it has <script");
        assert_eq!(faults("<html>"), ["it is no SVG"]);
    }

    proptest! {
        #[test]
        fn any_text_is_a_logo_or_not(text in "(<svg|version|=|\"|'|viewBox|href|é| |>|0){0,40}") {
            faults(&text);
        }
    }
}
