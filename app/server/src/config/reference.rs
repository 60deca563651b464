//! The reference page of all settings, made of their declarations.

use std::fmt::Write as _;

use super::configuration::{SectionPage, sections};
use super::declaration::Setting;
use super::explain::paragraph;

/// `docs/reference/settings.md`.
pub fn reference() -> String {
    let mut text = String::from(HEAD);
    let sections = sections();
    for section in &sections {
        let (open, close) = section.brackets();
        let name = section.name;
        let heading = name.to_lowercase().replace('.', "");
        // Writing into a String cannot fail.
        let _ = writeln!(text, "- [`{open}{name}{close}`](#{heading}): {}", first(section.title));
    }
    sections.iter().for_each(|section| write_section(&mut text, section));
    text
}

const HEAD: &str = "# Settings\n\
    \n\
    This page is made of the program's own declarations: `postlane config explain NAME` prints the\n\
    same. How a file is written, checked and reloaded is in the\n\
    [guide](../guide/configuration.md).\n\
    \n";

fn write_section(text: &mut String, section: &SectionPage) {
    let (open, close) = section.brackets();
    let _ = write!(text, "\n## {}\n\n`{open}{}{close}`: ", section.name, section.name);
    text.push_str(&paragraph(section.title));
    text.push('\n');
    section.settings.iter().for_each(|setting| write_setting(text, setting));
}

fn write_setting(text: &mut String, setting: &Setting) {
    let _ = write!(text, "\n### `{}`\n\n{}\n\n", setting.name, paragraph(&setting.says));
    let _ = writeln!(text, "- form: {}", setting.form_text());
    let default = match &setting.default {
        Some(words) if words.contains('`') || words == "none" => words.clone(),
        Some(value) => format!("`{value}`"),
        None => setting.default_text(),
    };
    let _ = writeln!(text, "- default: {default}");
    if let Some((min, max)) = &setting.bounds {
        let _ = writeln!(text, "- bounds: `{min}` to `{max}`");
    }
    let _ = writeln!(text, "- source: {}\n- change: {}", setting.source, setting.change_text());
}

fn first(title: &str) -> String {
    let title = paragraph(title);
    title.split_inclusive(". ").next().unwrap_or_default().trim_end().to_owned()
}
