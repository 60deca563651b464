//! Canonical forms: what is signed is not the message as it travels but a form of it that
//! small changes on the way leave alone (RFC 6376 §3.4).

/// A form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Canon {
    /// As it is.
    Simple,
    /// With names in lower case, and blanks made one.
    Relaxed,
}

impl Canon {
    /// As a signature has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Simple => "simple",
            Self::Relaxed => "relaxed",
        }
    }

    /// The form of a header field (§3.4.1, §3.4.2), with its CRLF. `raw` is the field from its
    /// name to its CRLF.
    pub(crate) fn field(self, name: &[u8], value: &[u8], raw: &[u8], to: &mut Vec<u8>) {
        match self {
            Self::Simple => to.extend_from_slice(raw),
            Self::Relaxed => {
                to.extend(name.iter().map(u8::to_ascii_lowercase));
                to.push(b':');
                relaxed_value(value, to);
            }
        }
        if !to.ends_with(b"\r\n") {
            to.extend_from_slice(b"\r\n");
        }
    }
}

/// Unfolded, every run of blanks one space, none at either end.
fn relaxed_value(value: &[u8], to: &mut Vec<u8>) {
    let start = to.len();
    let mut blank = false;
    let mut octets = value.iter().copied().peekable();
    while let Some(octet) = octets.next() {
        match octet {
            b' ' | b'\t' => blank = true,
            b'\r' if octets.peek() == Some(&b'\n') => {
                octets.next();
            }
            _ => {
                if blank && to.len() > start {
                    to.push(b' ');
                }
                blank = false;
                to.push(octet);
            }
        }
    }
}

/// The form of a body, made piece by piece (§3.4.3, §3.4.4): it may come in any pieces, and
/// what comes out depends on the octets alone.
#[derive(Debug, Clone)]
pub struct BodyCanon {
    canon: Canon,
    /// Line ends that count only if something follows.
    empty_lines: u64,
    /// Blanks that count only if something follows in the line.
    blank: bool,
    /// A CR whose LF may still come.
    carriage_return: bool,
    /// Anything has come out at all.
    any: bool,
}

impl BodyCanon {
    /// The form of a body that has not begun.
    pub fn new(canon: Canon) -> Self {
        Self { canon, empty_lines: 0, blank: false, carriage_return: false, any: false }
    }

    /// The next octets; what is certain of the form goes to `out`.
    pub fn feed(&mut self, mut octets: &[u8], out: &mut impl FnMut(&[u8])) {
        while let Some((&octet, rest)) = octets.split_first() {
            if self.carriage_return {
                self.carriage_return = false;
                if octet == b'\n' {
                    self.end_line();
                    octets = rest;
                    continue;
                }
                self.put(b"\r", out);
            }
            match octet {
                b'\r' => self.carriage_return = true,
                b' ' | b'\t' if self.canon == Canon::Relaxed => self.blank = true,
                _ => {
                    // As much as stays as it is goes out at once.
                    let plain = octets.iter().position(|b| self.is_special(*b));
                    let (run, behind) = octets.split_at(plain.unwrap_or(octets.len()));
                    self.put(run, out);
                    octets = behind;
                    continue;
                }
            }
            octets = rest;
        }
    }

    /// The end of the body. A last line that does not end is ended; a body without anything in
    /// it is an empty line in the simple form, and nothing in the relaxed one.
    pub fn finish(mut self, out: &mut impl FnMut(&[u8])) {
        if self.carriage_return {
            self.carriage_return = false;
            self.put(b"\r", out);
        }
        if self.any || self.canon == Canon::Simple {
            out(b"\r\n");
        }
    }

    fn is_special(&self, octet: u8) -> bool {
        octet == b'\r' || (self.canon == Canon::Relaxed && matches!(octet, b' ' | b'\t'))
    }

    /// Octets of a line, behind what was held back until now.
    fn put(&mut self, run: &[u8], out: &mut impl FnMut(&[u8])) {
        for _ in 0..std::mem::take(&mut self.empty_lines) {
            out(b"\r\n");
        }
        if std::mem::take(&mut self.blank) {
            out(b" ");
        }
        out(run);
        self.any = true;
    }

    /// The line ends; that counts if anything follows. Blanks at its end do not.
    fn end_line(&mut self) {
        self.blank = false;
        self.empty_lines += 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn body(canon: Canon, pieces: &[&[u8]]) -> String {
        let mut form = BodyCanon::new(canon);
        let mut all = Vec::new();
        for piece in pieces {
            form.feed(piece, &mut |octets| all.extend_from_slice(octets));
        }
        form.finish(&mut |octets| all.extend_from_slice(octets));
        String::from_utf8(all).unwrap()
    }

    /// The example of §3.4.5.
    #[test]
    fn both_forms_are_what_the_rfc_shows() {
        let message: &[u8] = b" C \r\nD \t E\r\n\r\n\r\n";
        assert_eq!(body(Canon::Relaxed, &[message]), " C\r\nD E\r\n");
        assert_eq!(body(Canon::Simple, &[message]), " C \r\nD \t E\r\n");
        let field = |canon: Canon, name: &[u8], value: &[u8], raw: &[u8]| {
            let mut to = Vec::new();
            canon.field(name, value, raw, &mut to);
            String::from_utf8(to).unwrap()
        };
        let raw = b"B : Y\t\r\n\tZ  \r\n";
        assert_eq!(field(Canon::Relaxed, b"B", b" Y\t\r\n\tZ  ", raw), "b:Y Z\r\n");
        assert_eq!(field(Canon::Simple, b"B", b" Y\t\r\n\tZ  ", raw), "B : Y\t\r\n\tZ  \r\n");
    }

    #[test]
    fn an_empty_body_is_a_line_or_nothing() {
        for empty in [&b""[..], b"\r\n", b"\r\n\r\n\r\n"] {
            assert_eq!(body(Canon::Simple, &[empty]), "\r\n");
            assert_eq!(body(Canon::Relaxed, &[empty]), "");
        }
    }

    #[test]
    fn lines_of_blanks_at_the_end_are_empty_lines_in_the_relaxed_form() {
        assert_eq!(body(Canon::Relaxed, &[b"a\r\n \t\r\n  \r\n"]), "a\r\n");
        assert_eq!(body(Canon::Relaxed, &[b" \r\n\t\r\n"]), "");
        assert_eq!(body(Canon::Simple, &[b"a\r\n \r\n"]), "a\r\n \r\n");
        assert_eq!(body(Canon::Relaxed, &[b"a\r\n \r\nb"]), "a\r\n\r\nb\r\n");
    }

    #[test]
    fn a_last_line_that_does_not_end_is_ended() {
        assert_eq!(body(Canon::Simple, &[b"a"]), "a\r\n");
        assert_eq!(body(Canon::Relaxed, &[b"a \t"]), "a\r\n");
    }

    proptest! {
        #[test]
        fn the_form_does_not_depend_on_the_pieces(
            octets in prop::collection::vec(prop::sample::select(b"ab \t\r\n".to_vec()), 0..60),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        ) {
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(octets.len() + 1)).collect();
            cuts.extend([0, octets.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|w| &octets[w[0]..w[1]]).collect();
            for canon in [Canon::Simple, Canon::Relaxed] {
                prop_assert_eq!(body(canon, &pieces), body(canon, &[&octets]));
            }
        }

        #[test]
        fn a_form_of_a_form_is_itself(
            octets in prop::collection::vec(prop::sample::select(b"ab \t\r\n".to_vec()), 0..60),
        ) {
            for canon in [Canon::Simple, Canon::Relaxed] {
                let once = body(canon, &[&octets]);
                prop_assert_eq!(body(canon, &[once.as_bytes()]), once);
            }
        }
    }
}
