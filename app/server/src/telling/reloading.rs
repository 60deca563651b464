//! What a reload did, and that as lines of the log.

use postlane_mail::Instant;

use crate::config::SettingName;
use crate::telling::journal::Line;

/// What a reload did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReloadReport {
    /// Settings that changed since the last time and hold from now on.
    pub changed: Vec<SettingName>,
    /// Settings that are not what they were at the start, and need a restart.
    pub need_restart: Vec<SettingName>,
    /// What may not be meant, though it can be; a line each.
    pub warnings: Vec<String>,
}

/// The lines: what was found in the file, a line each, and last what became of it.
pub(crate) fn lines(now: Instant, read: &Result<ReloadReport, String>) -> String {
    let found = |event: &str, text: &str| {
        let mut line = Line::new(now, event);
        line.field("text", text);
        line.end()
    };
    let report = match read {
        Ok(report) => report,
        Err(errors) => {
            let mut lines: String =
                errors.lines().map(|error| found("config-error", error)).collect();
            lines.push_str(&found("reload-refused", "the configuration was not changed"));
            return lines;
        }
    };
    let mut lines: String =
        report.warnings.iter().map(|warning| found("config-warning", warning)).collect();
    let mut line = Line::new(now, "reloaded");
    for (key, names) in [("changed", &report.changed), ("needs_restart", &report.need_restart)] {
        if !names.is_empty() {
            let names: Vec<String> = names.iter().map(SettingName::to_string).collect();
            line.field(key, &names.join(","));
        }
    }
    lines.push_str(&line.end());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_reload_did_is_said_in_lines_of_the_log_and_its_outcome_last() {
        let name = |section, key| SettingName { section, key };
        let report = ReloadReport {
            changed: vec![name("limits", "sessions"), name("lane", "max_rate")],
            need_restart: vec![name("spool", "dir")],
            warnings: vec!["postlane.toml:3:1: warning: this may not be meant".to_owned()],
        };
        let at = "ts=1970-01-01T00:00:00.000Z";
        let said = |read| lines(Instant::default(), &read);
        assert_eq!(
            said(Ok(report)),
            format!(
                "{at} event=config-warning text=\"postlane.toml:3:1: warning: this may not be meant\"\n\
                 {at} event=reloaded changed=limits.sessions,lane.max_rate needs_restart=spool.dir\n"
            )
        );
        assert_eq!(said(Ok(ReloadReport::default())), format!("{at} event=reloaded\n"));
        assert_eq!(
            said(Err("a:1: no\na:2: \"no\"".to_owned())),
            format!(
                "{at} event=config-error text=\"a:1: no\"\n\
                 {at} event=config-error text=\"a:2: \\\"no\\\"\"\n\
                 {at} event=reload-refused text=\"the configuration was not changed\"\n"
            )
        );
    }
}
