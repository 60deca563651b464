//! A connection whose other end must read what it is told.

use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// How long a client may read nothing of what waits for it. As long as it may take to ask. Chosen, not
/// measured: a link that moves nothing for so long is dead.
const READ_PATIENCE: Duration = Duration::from_secs(75);

/// Octets of an answer that must move in a second, over [`READ_PATIENCE`], while more of it waits: who
/// reads one from time to time would stay for ever. Chosen, not measured: below the slowest links
/// that people have.
const READ_RATE: u32 = 4096;

/// Ends a connection on which nothing of an answer moves any more, or next to nothing: it holds a file
/// descriptor, and what makes the answer.
pub(crate) struct Patient<S> {
    stream: S,
    /// How long something may wait yet. Waiting takes from it, what moves gives back.
    left: Duration,
    /// Since when something waits, and until when it may.
    waiting: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl<S> Patient<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self { stream, left: READ_PATIENCE, waiting: None }
    }

    /// What became of writing; an error where it has waited for too long.
    fn waited(
        &mut self,
        context: &mut Context<'_>,
        wrote: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if let Poll::Ready(wrote) = wrote {
            let waited = self.waiting.take().map_or(Duration::ZERO, |(since, _)| since.elapsed());
            let octets = u32::try_from(*wrote.as_ref().unwrap_or(&0)).unwrap_or(u32::MAX);
            let earned = Duration::from_secs(octets.into()) / READ_RATE;
            // Something moved, and too late.
            let Some(left) = self.left.checked_sub(waited) else {
                return Poll::Ready(Err(ErrorKind::TimedOut.into()));
            };
            self.left = left.saturating_add(earned).min(READ_PATIENCE);
            return Poll::Ready(wrote);
        }
        let left = self.left;
        let (_, until) =
            self.waiting.get_or_insert_with(|| (Instant::now(), Box::pin(sleep(left))));
        until.as_mut().poll(context).map(|()| Err(ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write(context, octets);
        self.waited(context, wrote)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write_vectored(context, pieces);
        self.waited(context, wrote)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
    use tokio::time::advance;

    use super::*;

    const PIECE: [u8; 4096] = [b'x'; 4096];

    /// How long an endless answer goes on to a client who reads so many octets every so many
    /// seconds, and goes after a thousand times.
    async fn lasts(octets: usize, every_s: u64) -> Option<Duration> {
        let (near, mut far): (DuplexStream, DuplexStream) = duplex(4096);
        let mut near = Patient::new(near);
        let began = Instant::now();
        let answer = async {
            while near.write_all(&PIECE).await.is_ok() {}
            began.elapsed()
        };
        let reading = async {
            let mut piece = vec![0; octets];
            for _ in 0..1000 {
                advance(Duration::from_secs(every_s)).await;
                if far.read_exact(&mut piece).await.is_err() {
                    return;
                }
            }
        };
        // In this order: chance would decide whether the answer sees each piece being read.
        tokio::select! {
            biased;
            lasted = answer => Some(lasted),
            () = reading => None,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_reads_an_octet_from_time_to_time_goes() {
        assert!(lasts(1, 74).await.is_some_and(|lasted| lasted <= 3 * READ_PATIENCE));
        assert!(lasts(1000, 1).await.is_some_and(|lasted| lasted <= 3 * READ_PATIENCE));
    }

    #[tokio::test(start_paused = true)]
    async fn who_reads_slowly_and_on_may_stay() {
        assert_eq!(lasts(READ_RATE as usize, 1).await, None);
        // In gusts.
        assert_eq!(lasts(READ_RATE as usize * 70, 70).await, None);
    }
}
