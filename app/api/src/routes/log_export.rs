//! The delivery log on its way out: as lines of JSON, as CSV, or as Parquet.

use std::io::{self, Write};

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use futures_util::{StreamExt as _, stream};
use postlane_ledger::{Filter, LedgerError, Seq};
use postlane_server::handle::{Handle, Past};
use tokio::sync::mpsc::{self, Sender};

use super::log::{past, read};
use crate::access::Asker;
use crate::log::{Form, Rows};
use crate::problem::Problem;
use crate::query::UrlQuery;
use crate::wire::{LogEntry, LogQuery};

/// Octets of a piece of a Parquet file, and pieces that wait for a slow reader. Chosen, not measured.
const PIECE_OCTETS: usize = 64 << 10;
const PIECES: usize = 4;

/// Everything that the filter has, in the order of writing, as `jsonl`, `csv` or `parquet`. A Parquet
/// file has the columns of the ledger's own; what breaks off in the middle has no end, and no reader
/// takes it for whole.
#[utoipa::path(
    get, path = "/v1/log/export", tag = "log", params(LogQuery),
    responses(
        (status = 200, content_type = "application/x-ndjson", body = LogEntry),
        (status = 400, body = Problem),
    )
)]
pub(crate) async fn export(
    State(handle): State<Handle>,
    asker: Asker,
    UrlQuery(query): UrlQuery<LogQuery>,
) -> Result<Response, Problem> {
    let query = read(&handle, &asker, query).await?;
    let filter = query.filter(handle.now()).map_err(Problem::bad_request)?;
    let name = query.format.as_deref().unwrap_or("jsonl");
    let past = past(&handle)?;
    if name == "parquet" {
        if query.after.is_some() {
            let says = "after is for jsonl and csv; with parquet use since and until";
            return Err(Problem::bad_request(says));
        }
        let kind = "application/vnd.apache.parquet";
        return Ok(attached(kind, name, parquet(past, filter)));
    }
    let form = Form::parse(name).ok_or_else(|| {
        Problem::bad_request(format!("format {name:?} is not known: use jsonl, csv or parquet"))
    })?;
    let rows = Rows::new(past.ledger(), filter, form, Seq(query.after.unwrap_or_default()));
    let pieces = stream::try_unfold((past, rows), |(past, mut rows)| async move {
        let next = tokio::task::spawn_blocking(move || {
            let piece = rows.next(past.ledger());
            piece.map(|piece| piece.map(|piece| (Bytes::from(piece), (past, rows))))
        });
        next.await.map_err(io::Error::other)?.map_err(io::Error::other)
    });
    let kind = match form {
        Form::Jsonl => "application/x-ndjson",
        Form::Csv => "text/csv; charset=utf-8",
    };
    Ok(attached(kind, name, Body::from_stream(pieces)))
}

fn attached(kind: &str, ending: &str, body: Body) -> Response {
    let file = format!("attachment; filename=\"postlane-log.{ending}\"");
    let headers = [(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, file)];
    (headers, body).into_response()
}

/// A Parquet file as it is written; whoever writes it waits for whoever reads it.
fn parquet(past: Past, filter: Filter) -> Body {
    let (pieces, written) = mpsc::channel(PIECES);
    tokio::task::spawn_blocking(move || {
        let mut out = Pieces { piece: Vec::with_capacity(PIECE_OCTETS), pieces: pieces.clone() };
        let done = past.ledger().export(&filter, &mut out);
        let done = done.and_then(|_| out.flush().map_err(LedgerError::Export));
        if let Err(why) = done {
            // The reader hears that it broke off, unless it is the one who went away.
            let _ = pieces.blocking_send(Err(io::Error::other(why)));
        }
    });
    let next = |mut written: mpsc::Receiver<io::Result<Bytes>>| async move {
        written.recv().await.map(|piece| (piece, written))
    };
    // What packs an answer looks once more behind its end.
    Body::from_stream(stream::unfold(written, next).fuse())
}

/// Hands on what is written, piece by piece.
struct Pieces {
    piece: Vec<u8>,
    pieces: Sender<io::Result<Bytes>>,
}

impl Write for Pieces {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(octets);
        if self.piece.len() >= PIECE_OCTETS {
            self.flush()?;
        }
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let piece = Bytes::from(std::mem::take(&mut self.piece));
        let gone = |_| io::Error::new(io::ErrorKind::BrokenPipe, "the reader has gone away");
        self.pieces.blocking_send(Ok(piece)).map_err(gone)
    }
}
