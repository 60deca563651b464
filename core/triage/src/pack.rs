//! What a postmaster or an ESP needs to help: a pack of evidence.
//!
//! Files, not mail: whoever has looked at them sends them. Nothing in it is a body; local parts
//! of addresses are replaced by marks unless full addresses are asked for; Message-IDs are kept,
//! since it is by them that the other side finds the messages.

mod addressee;
mod authentication;
mod chosen;
mod dossier;
mod file;
mod hourly;
mod html;
mod jsonl;
mod letter;
mod manifest;
mod markdown;
mod moment;
mod plot;
mod report;
mod veil;

pub use addressee::Addressee;
pub use dossier::{Attempt, Contact, Dossier, SourceProof};
pub use file::PackFile;
pub use html::text as html_text;
use report::Report;
pub use veil::Shown;

/// A pack, ready to be written into a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pack {
    /// Its files, in order of their names.
    pub files: Vec<PackFile>,
}

impl Pack {
    /// Puts a pack together: report as HTML and Markdown, the samples as JSON lines, their headers,
    /// a letter, and a manifest with the SHA-256 of each.
    pub fn build(dossier: &Dossier) -> Self {
        let report = Report::of(dossier);
        let mut files = vec![
            PackFile::text("report.html", html::write(&report)),
            PackFile::text("report.md", markdown::write(&report)),
            PackFile::text("letter.txt", letter::write(&report)),
            PackFile::text("samples.jsonl", jsonl::write(&report)),
        ];
        for (n, sample) in report.samples.iter().enumerate() {
            if let Some(headers) = &sample.headers {
                files.push(PackFile::text(&format!("headers/{:02}.txt", n + 1), headers.clone()));
            }
        }
        files.sort_by(|a, b| a.name.cmp(&b.name));
        files.push(PackFile::text("SHA256SUMS", manifest::write(&files)));
        Self { files }
    }
}

#[cfg(test)]
mod tests;
