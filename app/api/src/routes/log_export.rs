//! The delivery log on its way out: as lines of JSON, as CSV, or as Parquet.

use std::io::{self, Write};

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use futures_util::{StreamExt as _, stream};
use postlane_ledger::{LedgerError, Seq};
use postlane_server::handle::Handle;
use tokio::sync::Semaphore;
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

/// Parquet files that are written at once. Each holds a thread until it is read to its end, of those
/// that mail is read by, too: slow readers must not have them all. Chosen, not measured.
const FILES_MAX: usize = 4;
static FILES: Semaphore = Semaphore::const_new(FILES_MAX);
const TOO_MANY_FILES: &str =
    "other Parquet files are being written; try again when they are read, or use format=jsonl";

/// Everything that the filter has, in the order of writing, as `jsonl`, `csv` or `parquet`. A Parquet
/// file has the columns of the ledger's own; what breaks off in the middle has no end, and no reader
/// takes it for whole.
#[utoipa::path(
    get, path = "/v1/log/export", tag = "log", params(LogQuery),
    responses(
        (status = 200, content_type = "application/x-ndjson", body = LogEntry),
        (status = 400, body = Problem),
        (status = 503, body = Problem),
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
        let file = parquet(move |out| past.ledger().export(&filter, out).map(drop));
        let file = file.ok_or_else(|| Problem::unavailable(TOO_MANY_FILES))?;
        return Ok(attached(kind, name, file));
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

/// A Parquet file as it is written; whoever writes it waits for whoever reads it. None where as many
/// are written as may be.
fn parquet(
    write: impl FnOnce(&mut Pieces) -> Result<(), LedgerError> + Send + 'static,
) -> Option<Body> {
    let turn = FILES.try_acquire().ok()?;
    let (pieces, written) = mpsc::channel(PIECES);
    tokio::task::spawn_blocking(move || {
        let _turn = turn;
        let mut out = Pieces { piece: Vec::with_capacity(PIECE_OCTETS), pieces: pieces.clone() };
        let done = write(&mut out);
        let done = done.and_then(|()| out.flush().map_err(LedgerError::Export));
        if let Err(why) = done {
            // The reader hears that it broke off, unless it is the one who went away.
            let _ = pieces.blocking_send(Err(io::Error::other(why)));
        }
    });
    let next = |mut written: mpsc::Receiver<io::Result<Bytes>>| async move {
        written.recv().await.map(|piece| (piece, written))
    };
    // What packs an answer looks once more behind its end.
    Some(Body::from_stream(stream::unfold(written, next).fuse()))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn slow_readers_of_files_hold_a_few_threads_and_no_more() {
        let endless = |out: &mut Pieces| {
            loop {
                out.write_all(&[0; PIECE_OCTETS]).map_err(LedgerError::Export)?;
            }
        };
        let mut unread: Vec<Body> = (0..FILES_MAX).filter_map(|_| parquet(endless)).collect();
        assert_eq!(unread.len(), FILES_MAX);
        assert!(parquet(endless).is_none());
        // Who goes away makes room for the next.
        unread.pop();
        while parquet(endless).is_none() {
            tokio::task::yield_now().await;
        }
    }
}
