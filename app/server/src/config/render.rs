//! Findings for a terminal: with the lines of the file that they are about.

use std::fmt;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, Severity,
    SourceCode,
};

use super::finding::{Finding, Findings, Weight};
use super::tree::{Origin, Spot};

impl Findings {
    /// Each with the piece of the file that it is about, without colour, in so many columns.
    pub fn render(&self, columns: usize) -> String {
        let report = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor())
            .with_width(columns)
            .with_context_lines(0)
            .without_cause_chain();
        let mut text = String::new();
        for finding in &self.list {
            if !text.is_empty() {
                text.push('\n');
            }
            let shown = Shown::of(self, finding);
            // Writing into a String cannot fail; what cannot be drawn is said on a line.
            if report.render_report(&mut text, &shown).is_err() {
                text.push_str(&shown.to_string());
            }
        }
        text
    }
}

/// A finding as it is drawn.
#[derive(Debug)]
struct Shown<'a> {
    finding: &'a Finding,
    place: String,
    source: Option<NamedSource<String>>,
}

impl<'a> Shown<'a> {
    fn of(findings: &Findings, finding: &'a Finding) -> Self {
        let drawn = match &finding.origin {
            Origin::File(spot) => drawn(&findings.text, spot),
            _ => None,
        };
        let source = drawn.map(|text| NamedSource::new(findings.file_name(), text));
        Self { finding, place: findings.place(finding), source }
    }
}

/// The file up to the end of a piece that is drawn, without what follows on its line; nothing if
/// a password may stand there.
fn drawn(text: &str, spot: &Spot) -> Option<String> {
    let end = spot.from.checked_add(spot.octets)?;
    let upto = text.get(..end)?;
    let begin = text.get(..spot.from)?.rfind('\n').map_or(0, |at| at + 1);
    let line = upto.get(begin..)?.to_lowercase();
    let is_secret =
        ["pass", "scram", "secret", "private key"].iter().any(|word| line.contains(word));
    // The line's end is drawn as if the piece was the last of the file.
    (!is_secret).then(|| upto.to_owned())
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.source.is_none() {
            write!(f, "{}: ", self.place)?;
        }
        f.write_str(&self.finding.cause)
    }
}

impl std::error::Error for Shown<'_> {}

impl Diagnostic for Shown<'_> {
    fn severity(&self) -> Option<Severity> {
        Some(match self.finding.weight {
            Weight::Error => Severity::Error,
            Weight::Warning => Severity::Warning,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(&self.finding.cure))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let Origin::File(spot) = &self.finding.origin else { return None };
        Some(Box::new(std::iter::once(LabeledSpan::underline((spot.from, spot.octets)))))
    }
}
