//! What pages are made of besides themselves: styles, modules and the mark, all our own.
//!
//! They stand under an address that has the hash of them all in it, so that a browser may keep them
//! for ever and never has those of another version.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_lc_rs::digest;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "assets/"]
struct Folder;

/// The files, by name, and the hash of them all.
pub(crate) struct Assets {
    files: BTreeMap<String, Bytes>,
    version: String,
}

impl Assets {
    /// Those that come with the program.
    pub(crate) fn built_in() -> Self {
        let names: Vec<_> = Folder::iter().collect();
        let read = |name: &str| Folder::get(name).map(|file| Bytes::from(file.data.into_owned()));
        let files: BTreeMap<String, Bytes> =
            names.iter().filter_map(|name| Some((name.to_string(), read(name)?))).collect();
        let mut all = digest::Context::new(&digest::SHA256);
        for (name, octets) in &files {
            all.update(name.as_bytes());
            all.update(&octets.len().to_be_bytes());
            all.update(octets);
        }
        let hash = all.finish();
        let hash = hash.as_ref().get(..12).unwrap_or_default();
        Self { files, version: URL_SAFE_NO_PAD.encode(hash) }
    }

    /// Where the file of that name stands.
    pub(crate) fn address(&self, name: &str) -> String {
        format!("/assets/{}/{name}", self.version)
    }
}

/// One of the files.
pub(crate) async fn show(
    State(assets): State<Arc<Assets>>,
    Path((version, name)): Path<(String, String)>,
) -> Response {
    let Some(octets) = assets.files.get(&name) else {
        return (StatusCode::NOT_FOUND, "there is no such file").into_response();
    };
    let kind = match name.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    };
    // An old page may still ask under another hash: what it gets is not to be kept under that one.
    let kept = match version == assets.version {
        true => "public, max-age=31536000, immutable",
        false => "no-store",
    };
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, kept),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, octets.clone()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_are_there_and_ask_for_nothing_elsewhere() {
        let assets = Assets::built_in();
        for name in ["style.css", "main.js", "mark.svg"] {
            assert!(assets.files.contains_key(name), "{name}");
        }
        for (name, octets) in &assets.files {
            let text = String::from_utf8(octets.to_vec()).unwrap();
            let elsewhere = text.replace("http://www.w3.org/2000/svg", "");
            assert!(!elsewhere.contains("http://") && !elsewhere.contains("https://"), "{name}");
            assert!(!text.contains("eval(") && !text.contains("document.write"), "{name}");
        }
        assert_eq!(assets.version, Assets::built_in().version);
    }
}
