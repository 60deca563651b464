//! Entries in files: what each column is called, here and in the files of other systems.

use postlane_api::wire::{NewSuppression, SuppressionReply, SuppressionRow, Timestamp};

/// The columns of a CSV file of ours.
pub(super) const COLUMNS: [&str; 15] = [
    "address", "tenant", "reason", "since", "until", "by", "note", "code", "stage", "text", "host",
    "rule", "provider", "message", "refusals",
];

/// What others call our columns.
const OTHERS: [(&str, &str); 16] = [
    ("email", "address"),
    ("e-mail", "address"),
    ("email address", "address"),
    ("emailaddress", "address"),
    ("recipient", "address"),
    ("domain", "address"),
    ("type", "reason"),
    ("created", "since"),
    ("created_at", "since"),
    ("createdat", "since"),
    ("date", "since"),
    ("timestamp", "since"),
    ("lastupdatetime", "since"),
    ("expires", "until"),
    ("error", "text"),
    ("description", "note"),
];

/// What others call our reasons.
const REASONS: [(&str, &str); 14] = [
    ("spam", "complaint"),
    ("spam_complaint", "complaint"),
    ("spam_report", "complaint"),
    ("abuse", "complaint"),
    ("complained", "complaint"),
    ("unsubscribed", "unsubscribe"),
    ("opt_out", "unsubscribe"),
    ("list_unsubscribe", "unsubscribe"),
    ("bounce", "import"),
    ("bounced", "import"),
    ("hard_bounce", "import"),
    ("hardbounce", "import"),
    ("invalid", "import"),
    ("invalid_email", "import"),
];

/// Which column says what.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// For each column the name that it has here, if it has one.
    columns: Vec<Option<&'static str>>,
}

impl Header {
    /// A first line with the names of columns; none if it has no column with addresses.
    pub(super) fn read<'a>(names: impl Iterator<Item = &'a str>) -> Option<Self> {
        let columns: Vec<_> = names.map(column).collect();
        columns.contains(&Some("address")).then_some(Self { columns })
    }

    /// A file of addresses alone.
    pub(super) fn of_addresses() -> Self {
        Self { columns: vec![Some("address")] }
    }

    /// The entry of a line. What is not said of it is as in `template`.
    pub(super) fn entry<'a>(
        &self,
        fields: impl Iterator<Item = &'a str>,
        template: &NewSuppression,
    ) -> Result<NewSuppression, String> {
        let mut entry = template.clone();
        let mut reply = SuppressionReply {
            code: 0,
            stage: "rcpt".to_owned(),
            text: String::new(),
            host: String::new(),
        };
        for (name, field) in self.columns.iter().zip(fields) {
            let (Some(name), text) = (name, field.trim()) else { continue };
            if text.is_empty() {
                continue;
            }
            let owned = || Some(text.to_owned());
            match *name {
                "address" => text.clone_into(&mut entry.address),
                "tenant" => entry.tenant = owned(),
                "reason" => entry.reason = Some(reason(text)),
                "since" => entry.since = Some(moment(text)),
                "until" => entry.until = Some(moment(text)),
                "by" => entry.by = owned(),
                "note" => entry.note = owned(),
                "code" => reply.code = text.parse().map_err(|_| not_a("code", text, "550"))?,
                "stage" => text.clone_into(&mut reply.stage),
                "text" => text.clone_into(&mut reply.text),
                "host" => text.clone_into(&mut reply.host),
                "rule" => entry.rule = owned(),
                "provider" => entry.provider = owned(),
                "message" => entry.message = owned(),
                "refusals" => {
                    entry.refusals = Some(text.parse().map_err(|_| not_a("refusals", text, "1"))?);
                }
                _ => {}
            }
        }
        if entry.address.is_empty() {
            return Err("the address is empty; write one, or remove the line".to_owned());
        }
        // Words without a code are no reply, and may yet be worth reading.
        match reply.code {
            0 if !reply.text.is_empty() => {
                entry.note.get_or_insert(reply.text);
            }
            0 => {}
            _ => entry.reply = Some(reply),
        }
        Ok(entry)
    }
}

/// An entry as a line of a file of ours, in the order of [`COLUMNS`].
pub(super) fn fields(row: &SuppressionRow) -> [String; 15] {
    let said = row.reply.as_ref();
    let of_said = |of: fn(&SuppressionReply) -> String| said.map(of).unwrap_or_default();
    [
        row.address.clone(),
        row.tenant.clone(),
        row.reason.clone(),
        row.since.0.clone(),
        row.until.as_ref().map(|until| until.0.clone()).unwrap_or_default(),
        row.by.clone(),
        row.note.clone(),
        of_said(|said| said.code.to_string()),
        of_said(|said| said.stage.clone()),
        of_said(|said| said.text.clone()),
        of_said(|said| said.host.clone()),
        row.rule.clone(),
        row.provider.clone(),
        row.message.clone().unwrap_or_default(),
        row.refusals.to_string(),
    ]
}

fn column(name: &str) -> Option<&'static str> {
    let name = name.trim().trim_start_matches('\u{feff}').to_ascii_lowercase();
    let other = OTHERS.iter().find(|(theirs, _)| *theirs == name).map(|(_, ours)| *ours);
    other.or_else(|| COLUMNS.into_iter().find(|ours| *ours == name))
}

fn reason(text: &str) -> String {
    let plain = text.to_ascii_lowercase().replace(['-', ' '], "_");
    let other = REASONS.iter().find(|(theirs, _)| *theirs == plain).map(|(_, ours)| *ours);
    other.map_or(plain, str::to_owned)
}

/// Seconds since 1970, a moment, or a day: others write all three.
fn moment(text: &str) -> Timestamp {
    let seconds = text.parse::<i64>().ok().and_then(|s| jiff::Timestamp::from_second(s).ok());
    let day = || {
        let (date, time) = text.split_once([' ', 'T']).unwrap_or((text, "00:00:00"));
        let time = time.trim_end_matches(" UTC").trim_end_matches('Z');
        format!("{date}T{time}Z").parse::<jiff::Timestamp>().ok()
    };
    let moment = seconds.or_else(|| text.parse().ok()).or_else(day);
    // What is none is sent as it is: the server says what would be one.
    Timestamp(moment.map_or_else(|| text.to_owned(), |moment| moment.to_string()))
}

fn not_a(column: &str, text: &str, example: &str) -> String {
    format!("{column} {text:?} is no number; write it as {example}, or leave it empty")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(header: &str, line: &str) -> Result<NewSuppression, String> {
        let header = Header::read(header.split(',')).unwrap();
        header.entry(line.split(','), &NewSuppression::default())
    }

    #[test]
    fn files_of_other_systems_are_understood() {
        let entry = read("Email,Created,Reason,Extra", "jo@example.net,1700000000,Spam Report,x");
        let entry = entry.unwrap();
        assert_eq!(entry.address, "jo@example.net");
        assert_eq!(entry.reason.as_deref(), Some("complaint"));
        assert_eq!(entry.since.unwrap().0, "2023-11-14T22:13:20Z");
        let entry =
            read("address,code,error,created_at", "jo@x.de,550,gone,2023-11-14 22:13:20 UTC");
        let entry = entry.unwrap();
        assert_eq!(entry.since.unwrap().0, "2023-11-14T22:13:20Z");
        assert_eq!(entry.reply.unwrap().text, "gone");
        assert_eq!(read("address,text", "jo@x.de,gone").unwrap().note.as_deref(), Some("gone"));
        assert_eq!(Header::read(["name", "age"].into_iter()), None);
    }

    #[test]
    fn a_bad_line_says_what_is_wrong_with_it() {
        let says = |header, line| read(header, line).unwrap_err();
        assert!(says("address,code", "jo@x.de,gone").contains("write it as 550"));
        assert!(says("address,code", ",550").contains("the address is empty"));
    }
}
