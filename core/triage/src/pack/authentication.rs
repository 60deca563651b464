//! What the very messages say of whose they are, as far as their header sections tell.

use super::veil::fields;

/// What a header section says of whose the message is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Authentication {
    /// The domain in From.
    pub(super) from: String,
    /// The domain of the reverse-path.
    pub(super) envelope: String,
    /// Each signature: its domain and selector.
    pub(super) signatures: Vec<(String, String)>,
}

impl Authentication {
    pub(super) fn of(headers: &str, sender: &str) -> Self {
        let mut seen = Self { envelope: domain(sender), ..Self::default() };
        for field in fields(headers) {
            let Some((name, value)) = field.split_once(':') else { continue };
            match name.trim().to_ascii_lowercase().as_str() {
                "from" => seen.from = domain(value),
                "dkim-signature" if seen.signatures.len() < 4 => {
                    seen.signatures.push((tag(value, "d"), tag(value, "s")));
                }
                _ => {}
            }
        }
        seen
    }

    /// Whether a signature's domain agrees with From's, relaxed: one lies in the other. Whether
    /// the two have one organisation is for the DNS to say (RFC 9989).
    pub(super) fn is_aligned(&self) -> bool {
        self.signatures.iter().any(|(of, _)| is_kin(of, &self.from))
    }

    /// In a sentence.
    pub(super) fn says(&self) -> String {
        let envelope = match is_kin(&self.envelope, &self.from) {
            _ if self.envelope.is_empty() => "null or unknown reverse-path".to_owned(),
            true => format!("reverse-path {} (agrees with From)", self.envelope),
            false => format!("reverse-path {} (does not agree with From)", self.envelope),
        };
        let signed = match self.signatures.as_slice() {
            [] => "no DKIM signature".to_owned(),
            signed => {
                let each: Vec<String> =
                    signed.iter().map(|(domain, s)| format!("d={domain} s={s}")).collect();
                let agrees = if self.is_aligned() { "agrees" } else { "does not agree" };
                format!("DKIM {} ({agrees} with From)", each.join(", "))
            }
        };
        format!("From {}; {envelope}; {signed}", self.from)
    }
}

fn is_kin(a: &str, b: &str) -> bool {
    let within = |inner: &str, outer: &str| {
        inner.strip_suffix(outer).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    !a.is_empty() && !b.is_empty() && (within(a, b) || within(b, a))
}

/// What stands behind the last `@`, as far as names of domains go.
fn domain(text: &str) -> String {
    let Some((_, behind)) = text.rsplit_once('@') else { return String::new() };
    let name = behind.chars().take_while(|c| c.is_alphanumeric() || matches!(c, '.' | '-'));
    name.take(253).collect::<String>().trim_end_matches('.').to_lowercase()
}

/// A tag's value (RFC 6376 §3.2).
fn tag(value: &str, name: &str) -> String {
    let of = |part: &str| {
        let (tag, value) = part.split_once('=')?;
        (tag.trim() == name).then(|| value.trim().chars().take(253).collect())
    };
    value.split(';').find_map(of).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alignment_is_read_off_the_headers() {
        let headers = "From: Shop <a@news.shop.example>\r\nDKIM-Signature: v=1; a=rsa-sha256; d=shop.example;\r\n s=k1; bh=x; b=y\r\n";
        let seen = Authentication::of(headers, "b@bounce.other.example");
        assert!(seen.is_aligned());
        assert_eq!(
            seen.says(),
            "From news.shop.example; reverse-path bounce.other.example (does not agree with From); \
             DKIM d=shop.example s=k1 (agrees with From)"
        );
        assert!(
            !Authentication::of("From: a@badshop.example\nDKIM-Signature: d=shop.example", "")
                .is_aligned()
        );
    }
}
