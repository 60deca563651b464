//! What a setting means, for people.

use std::fmt::Write as _;

use super::configuration::sections;
use super::declaration::{Change, Setting};
use super::nearest::nearest;

/// There is no such setting or section.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no setting or section `{name}`: {cure}")]
pub struct NotDeclared {
    /// What was asked for.
    pub name: String,
    /// What to ask for.
    pub cure: String,
}

/// What a setting means, or each of a section's, or all: a JSON object for each, with `setting`,
/// `says`, `form`, `default`, `bounds` (least and most), `unit`, `source`, `needs_restart`.
pub fn explanations(name: Option<&str>) -> Result<Vec<serde_json::Value>, NotDeclared> {
    // What is not declared is said as for people.
    name.map(explain).transpose()?;
    let sections = sections().into_iter().flat_map(|section| section.settings);
    let asked = |setting: &Setting| {
        name.is_none_or(|name| name == setting.name.section || name == setting.name.to_string())
    };
    Ok(sections.filter(asked).map(|setting| setting.to_json()).collect())
}

/// What a setting means, or each of a section's.
pub fn explain(name: &str) -> Result<String, NotDeclared> {
    let sections = sections();
    if let Some(section) = sections.iter().find(|section| section.name == name) {
        let settings: Vec<String> = section.settings.iter().map(Setting::explain).collect();
        let (open, close) = section.brackets();
        let title = paragraph(section.title);
        return Ok(format!("{open}{name}{close}\n{title}\n\n{}", settings.join("\n")));
    }
    let names = sections.iter().flat_map(|section| &section.settings);
    if let Some(setting) = names.clone().find(|setting| setting.name.to_string() == name) {
        return Ok(setting.explain());
    }
    let mut known: Vec<String> = names.map(|setting| setting.name.to_string()).collect();
    let same_key = known.iter().find(|known| known.rsplit('.').next() == Some(name)).cloned();
    known.extend(sections.iter().map(|section| section.name.to_owned()));
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let cure = match same_key.as_deref().or_else(|| nearest(name, &known)) {
        Some(known) => format!("did you mean `{known}`?"),
        None => "`postlane config explain` lists all".to_owned(),
    };
    Err(NotDeclared { name: name.to_owned(), cure })
}

/// All settings, one to a line: name, default, and the first sentence of what it means.
pub fn explain_all() -> String {
    let settings: Vec<Setting> = sections().into_iter().flat_map(|page| page.settings).collect();
    let width = |of: fn(&Setting) -> usize| settings.iter().map(of).max().unwrap_or(0);
    let name_width = width(|setting| setting.name.to_string().len());
    let mut text = String::new();
    for setting in &settings {
        let says = paragraph(&setting.says);
        let first = says.split_inclusive(". ").next().unwrap_or_default().trim_end();
        let name = setting.name.to_string();
        // Writing into a String cannot fail.
        let _ = writeln!(text, "{name:name_width$}  {first} [{}]", setting.default_text());
    }
    text
}

impl Setting {
    /// What it means, on some lines.
    pub fn explain(&self) -> String {
        let mut text = format!("{}\n  {}\n", self.name, paragraph(&self.says));
        let mut line = |label: &str, words: &str| {
            // Writing into a String cannot fail.
            let _ = writeln!(text, "  {label:8} {words}");
        };
        line("form", &self.form_text());
        line("default", &self.default_text());
        if let Some(bounds) = self.bounds_text() {
            line("bounds", &bounds);
        }
        line("source", self.source);
        line("change", self.change_text());
        text
    }

    fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "setting": self.name.to_string(),
            "says": paragraph(&self.says),
            "form": self.form,
            "default": self.default,
            "bounds": self.bounds.as_ref().map(|(min, max)| [min, max]),
            "unit": (!self.unit.is_empty()).then_some(self.unit),
            "source": self.source,
            "needs_restart": self.change == Change::Restart,
        })
    }

    /// How it is written, and what it counts.
    pub(super) fn form_text(&self) -> String {
        match self.unit {
            "" => self.form.clone(),
            unit => format!("{} of {unit}", self.form),
        }
    }

    pub(super) fn default_text(&self) -> String {
        self.default.clone().unwrap_or_else(|| "must be written".to_owned())
    }

    pub(super) fn bounds_text(&self) -> Option<String> {
        self.bounds.as_ref().map(|(min, max)| format!("{min} to {max}"))
    }

    pub(super) fn change_text(&self) -> &'static str {
        match self.change {
            Change::Live => "holds from the reload on",
            Change::Restart => "needs a restart",
        }
    }
}

impl super::configuration::SectionPage {
    pub(super) fn brackets(&self) -> (&'static str, &'static str) {
        if self.repeats { ("[[", "]]") } else { ("[", "]") }
    }
}

/// The lines of a doc comment as one.
pub(super) fn paragraph(lines: &str) -> String {
    lines.split_whitespace().collect::<Vec<_>>().join(" ")
}
