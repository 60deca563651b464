//! The connection of one session: octets out as fast as the host takes them, and in meanwhile.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf as _, Bytes};
use tokio::io::{AsyncRead as _, AsyncWrite as _, AsyncWriteExt as _, ReadBuf};

use crate::stream::Stream;

/// Octets read at once: replies are short.
const READ_OCTETS: usize = 4 * 1024;

/// Pieces written at once.
const WRITE_PIECES: usize = 64;

/// The connection, what is still to be sent by it, and what has been read from it.
///
/// While the host takes nothing it is listened to all the same: it may refuse a message in the
/// middle, and then it need not take the rest.
pub(super) struct Wire {
    stream: Stream,
    outgoing: VecDeque<Bytes>,
    /// Octets of `outgoing`.
    unsent: u64,
    buffer: Box<[u8]>,
    /// Everything that was written is out of our hands.
    flushed: bool,
    /// The host does not take as much as there is.
    blocked: bool,
    /// Nothing can be written any more.
    broken: bool,
}

/// What has happened on a connection.
pub(super) enum Turn {
    /// So many octets were read: [`Wire::read`].
    Read(usize),
    /// The host has taken less than there is, or now more of it and not all.
    Taken,
    /// The host, which did not take all at first, now has.
    Sent,
    /// The connection is closed, by one or both of its ends.
    Closed,
}

impl Wire {
    pub(super) fn new(stream: Stream) -> Self {
        Self {
            stream,
            outgoing: VecDeque::new(),
            unsent: 0,
            buffer: vec![0; READ_OCTETS].into(),
            flushed: true,
            blocked: false,
            broken: false,
        }
    }

    /// Takes octets to be sent.
    pub(super) fn put(&mut self, pieces: &mut Vec<Bytes>) {
        self.flushed &= pieces.is_empty();
        self.unsent += octets(pieces);
        self.outgoing.extend(pieces.drain(..));
    }

    /// Sends and reads, until there is something to tell.
    pub(super) async fn turn(&mut self) -> Turn {
        poll_fn(|cx| self.poll_turn(cx)).await
    }

    /// Sends what is left, and says that nothing more will come.
    pub(super) async fn close(mut self) {
        // Half a message is not sent to its end once it counts as not sent.
        if !self.blocked && !self.broken {
            for mut piece in self.outgoing {
                if self.stream.write_all_buf(&mut piece).await.is_err() {
                    return;
                }
            }
            // Who has closed already need not hear of it.
            let _ = self.stream.shutdown().await;
        }
    }

    /// Puts another stream in the place of this one, on the same connection.
    pub(super) fn replace(&mut self, stream: Stream) -> Stream {
        std::mem::replace(&mut self.stream, stream)
    }

    pub(super) fn read(&self, octets: usize) -> &[u8] {
        &self.buffer[..octets]
    }

    pub(super) fn is_blocked(&self) -> bool {
        self.blocked
    }

    /// Octets that have not been sent.
    pub(super) fn unsent(&self) -> u64 {
        self.unsent
    }

    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<Turn> {
        let before = self.unsent;
        let was_blocked = self.blocked;
        match self.poll_send(cx) {
            Poll::Ready(Ok(())) => self.blocked = false,
            // What the host said before it closed is still to be read.
            Poll::Ready(Err(_)) => self.broken = true,
            Poll::Pending => self.blocked = true,
        }
        if was_blocked && !self.blocked && !self.broken {
            return Poll::Ready(Turn::Sent);
        }
        let mut read = ReadBuf::new(&mut self.buffer);
        match Pin::new(&mut self.stream).poll_read(cx, &mut read) {
            Poll::Ready(Ok(())) if !read.filled().is_empty() => {
                Poll::Ready(Turn::Read(read.filled().len()))
            }
            Poll::Ready(_) => Poll::Ready(Turn::Closed),
            Poll::Pending if self.broken => Poll::Ready(Turn::Closed),
            Poll::Pending if self.blocked && (!was_blocked || self.unsent < before) => {
                Poll::Ready(Turn::Taken)
            }
            Poll::Pending => Poll::Pending,
        }
    }

    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.broken || self.flushed {
            return Poll::Ready(Ok(()));
        }
        while !self.outgoing.is_empty() {
            let mut slices = [IoSlice::new(&[]); WRITE_PIECES];
            let pieces = self.outgoing.iter().filter(|piece| !piece.is_empty());
            let mut many = 0;
            for (slice, piece) in slices.iter_mut().zip(pieces) {
                *slice = IoSlice::new(piece);
                many += 1;
            }
            let written = if many == 0 {
                0
            } else {
                let stream = Pin::new(&mut self.stream);
                match stream.poll_write_vectored(cx, &slices[..many]) {
                    Poll::Ready(Ok(0)) => {
                        return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
                    }
                    Poll::Ready(Ok(written)) => written,
                    Poll::Ready(Err(e)) => return Poll::Ready(Err(e)),
                    Poll::Pending => return Poll::Pending,
                }
            };
            self.written(written);
        }
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.flushed = matches!(flushed, Poll::Ready(Ok(())));
        flushed
    }

    fn written(&mut self, mut octets: usize) {
        self.unsent = self.unsent.saturating_sub(octets as u64);
        while let Some(piece) = self.outgoing.front_mut() {
            if piece.len() > octets {
                return piece.advance(octets);
            }
            octets -= piece.len();
            self.outgoing.pop_front();
        }
    }
}

fn octets(pieces: &[Bytes]) -> u64 {
    pieces.iter().map(|piece| piece.len() as u64).sum()
}
