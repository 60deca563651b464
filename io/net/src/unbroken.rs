//! Work that may break by a fault of ours, and somebody who must hear of it.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

/// What comes of some work; none where it broke (a panic, which has been told by then). The work is
/// not gone on with: whoever calls sees to what it held.
pub async fn unbroken<F: Future>(work: F) -> Option<F::Output> {
    let mut work = pin!(work);
    poll_fn(|context| {
        let polled = catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context)));
        match polled {
            Ok(polled) => polled.map(Some),
            Err(_) => Poll::Ready(None),
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_breaks_is_heard_of_and_what_ends_says_what_came_of_it() {
        let broken = unbroken(async {
            tokio::task::yield_now().await;
            assert_eq!(1, 2, "a fault of ours");
        });
        assert_eq!(broken.await, None);
        assert_eq!(unbroken(async { 7 }).await, Some(7));
    }
}
