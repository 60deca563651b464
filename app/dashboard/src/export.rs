//! Rows of a page as a file: CSV or a JSON object to a line, a part at a time, so that memory does not grow
//! with what is asked for.

use std::collections::BTreeMap;
use std::future::Future;

use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use postlane_api::Problem;
use postlane_api::log::{Form, cell, escaped_json};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::desk::Desk;
use crate::session::Visit;

/// A row on its way out.
struct Line {
    json: Vec<u8>,
    cells: Vec<String>,
}

/// Rows that were read at once, and where the next ones are.
pub(crate) struct Part {
    lines: Vec<Line>,
    next: Option<String>,
}

/// What a file is called, and its columns.
#[derive(Clone, Copy)]
pub(crate) struct File {
    pub(crate) name: &'static str,
    pub(crate) columns: &'static [&'static str],
}

/// Which form of a file an address wants.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Wanted {
    format: String,
}

/// The forms that are offered.
pub(crate) const FORMS: [&str; 2] = ["csv", "jsonl"];

impl Wanted {
    /// As it stands among what an address asks for.
    pub(crate) fn of(pairs: &[(String, String)]) -> Self {
        let found = pairs.iter().find(|(key, _)| key == "format");
        Self { format: found.map(|(_, format)| format.clone()).unwrap_or_default() }
    }

    fn form(&self) -> &str {
        if self.format.is_empty() { "csv" } else { &self.format }
    }
}

impl Part {
    /// These rows, each with its cells.
    pub(crate) fn of<T: Serialize>(
        rows: &[T],
        cells: impl Fn(&T) -> Vec<String>,
        next: Option<String>,
    ) -> Self {
        Self { lines: rows.iter().map(|row| Line::new(row, cells(row))).collect(), next }
    }
}

impl Line {
    fn new(row: &impl Serialize, cells: Vec<String>) -> Self {
        Self { json: escaped_json(row), cells }
    }

    fn write(self, form: Form, out: &mut Vec<u8>) {
        match form {
            Form::Jsonl => {
                out.extend_from_slice(&self.json);
                out.push(b'\n');
            }
            Form::Csv => {
                let cells: Vec<String> = self.cells.iter().map(|text| cell(text)).collect();
                out.extend_from_slice((cells.join(",") + "\r\n").as_bytes());
            }
        }
    }
}

impl File {
    /// The file of rows that are all there already, each with a cell for every column.
    ///
    /// # Errors
    /// A form that is not known.
    pub(crate) async fn send_rows(
        self,
        wanted: &Wanted,
        rows: Vec<Vec<String>>,
    ) -> Result<Response, Problem> {
        let read = move |_| {
            let line = |cells: &Vec<String>| {
                let named: BTreeMap<&str, &String> =
                    self.columns.iter().copied().zip(cells).collect();
                Line::new(&named, cells.clone())
            };
            let lines = rows.iter().map(line).collect();
            async move { Ok(Part { lines, next: None }) }
        };
        self.send(wanted.form(), read).await
    }

    /// The file of what the API gives whoever is signed in, a page after the other: `address` asks
    /// for the page at a cursor, empty for the first.
    ///
    /// # Errors
    /// What the first page cannot be read for; a form that is not known.
    pub(crate) async fn send_pages<P: DeserializeOwned + 'static>(
        self,
        wanted: &Wanted,
        (desk, visit): (Desk, Visit),
        address: impl Fn(&str) -> String + Send + Sync + 'static,
        part: fn(&P) -> Part,
    ) -> Result<Response, Problem> {
        let read = move |cursor: Option<String>| {
            let (desk, visit) = (desk.clone(), visit.clone());
            let address = address(cursor.as_deref().unwrap_or_default());
            async move {
                let page: P = desk.api().read(visit.person(), &address).await?;
                Ok(part(&page))
            }
        };
        self.send(wanted.form(), read).await
    }

    /// The file, read part by part. The first is read before anything is answered, so that what cannot be
    /// asked for is said.
    ///
    /// # Errors
    /// What the first part cannot be read for; a form that is not known.
    async fn send<F>(
        self,
        form: &str,
        read: impl Fn(Option<String>) -> F + Send + Sync + 'static,
    ) -> Result<Response, Problem>
    where
        F: Future<Output = Result<Part, Problem>> + Send,
    {
        let known = Form::parse(form).ok_or_else(|| {
            Problem::bad_request(format!("format {form:?} is not known: use csv or jsonl"))
        })?;
        let first = read(None).await?;
        let mut head = match known {
            Form::Csv => (self.columns.join(",") + "\r\n").into_bytes(),
            Form::Jsonl => Vec::new(),
        };
        let next = written(first, known, &mut head);
        let begun = Some((Some(head), next, read));
        let parts = stream::unfold(begun, move |begun| async move {
            let (head, next, read) = begun?;
            match (head, next) {
                (Some(head), next) => Some((Ok(Bytes::from(head)), Some((None, next, read)))),
                (None, None) => None,
                (None, Some(cursor)) => match read(Some(cursor)).await {
                    Ok(part) => {
                        let mut out = Vec::new();
                        let next = written(part, known, &mut out);
                        Some((Ok(Bytes::from(out)), Some((None, next, read))))
                    }
                    // A file that broke off must not look whole.
                    Err(problem) => Some((Err(std::io::Error::other(problem.detail)), None)),
                },
            }
        });
        let kind = match known {
            Form::Csv => "text/csv; charset=utf-8",
            Form::Jsonl => "application/jsonl",
        };
        let named = format!("attachment; filename=\"{}.{form}\"", self.name);
        let headers =
            [(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, named)];
        // What packs an answer looks once more behind its end.
        Ok((headers, Body::from_stream(parts.fuse())).into_response())
    }
}

fn written(part: Part, form: Form, out: &mut Vec<u8>) -> Option<String> {
    part.lines.into_iter().for_each(|line| line.write(form, out));
    part.next
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;

    const FILE: File = File { name: "rows", columns: &["name", "says"] };

    async fn sent(form: &str) -> Result<String, Problem> {
        let read = |cursor: Option<String>| async move {
            let at: usize = cursor.map_or(0, |cursor| cursor.parse().unwrap());
            let says = ["=1+1", "a \"b\"", "plain"][at];
            let line = Line::new(
                &serde_json::json!({"says": says}),
                vec![at.to_string(), says.to_owned()],
            );
            Ok(Part { lines: vec![line], next: (at < 2).then(|| (at + 1).to_string()) })
        };
        let answer = FILE.send(form, read).await?;
        let octets = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
        Ok(String::from_utf8(octets.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn all_parts_are_in_the_file_and_no_cell_is_a_formula() {
        assert_eq!(
            sent("csv").await.unwrap(),
            "name,says\r\n0,'=1+1\r\n1,\"a \"\"b\"\"\"\r\n2,plain\r\n"
        );
        let lines = sent("jsonl").await.unwrap();
        assert_eq!(lines.lines().count(), 3);
        assert!(lines.starts_with("{\"says\":\"=1+1\"}\n"), "{lines}");
        assert_eq!(sent("xlsx").await.unwrap_err().status, 400);
    }
}
