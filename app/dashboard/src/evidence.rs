//! Evidence for a postmaster or an ESP, as one file to download.

use std::io::{Cursor, Write as _};

use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use postlane_api::Problem;
use postlane_api::wire::EvidencePack;
use serde::Deserialize;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::desk::Desk;
use crate::moments;
use crate::numbers::query;
use crate::session::Visit;

/// About whom, and since when.
#[derive(Deserialize)]
pub(crate) struct Asked {
    provider: String,
    #[serde(default)]
    since: String,
    #[serde(default)]
    until: String,
}

/// The pack of a provider, as a ZIP file.
pub(crate) async fn download(
    State(desk): State<Desk>,
    visit: Visit,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let Asked { provider, since, until } = &asked;
    let asked = query(&[("provider", provider), ("since", since), ("until", until)]);
    let pack: EvidencePack =
        desk.api().read(visit.person(), &format!("/v1/evidence?{asked}")).await?;
    let octets = zipped(&pack).map_err(|e| {
        Problem::unavailable(format!("the pack could not be put together: {e}; ask again"))
    })?;
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '.' { c } else { '-' };
    let name: String = provider.chars().take(60).map(plain).collect();
    let day = moments::exact(desk.now());
    let day = day.get(..10).unwrap_or_default();
    let file = format!("attachment; filename=\"evidence-{name}-{day}.zip\"");
    let headers =
        [(header::CONTENT_TYPE, "application/zip".to_owned()), (header::CONTENT_DISPOSITION, file)];
    Ok((headers, octets).into_response())
}

fn zipped(pack: &EvidencePack) -> Result<Vec<u8>, zip::result::ZipError> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for file in &pack.files {
        zip.start_file(file.name.as_str(), options)?;
        zip.write_all(file.text.as_bytes())?;
    }
    Ok(zip.finish()?.into_inner())
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use postlane_api::wire::EvidenceFile;

    use super::*;

    #[test]
    fn what_is_in_the_pack_is_in_the_file() {
        let file = EvidenceFile { name: "a/report.md".to_owned(), text: "# Grüße\n".repeat(99) };
        let octets = zipped(&EvidencePack { files: vec![file.clone()] }).unwrap();
        let mut zip = zip::ZipArchive::new(Cursor::new(octets)).unwrap();
        let mut text = String::new();
        zip.by_name("a/report.md").unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, file.text);
    }
}
