//! The promise that a message will be durable.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use parking_lot::{Condvar, Mutex};
use postlane_mail::Place;

use crate::error::StoreError;

/// Comes true when a message is durable, or says why it is not. Needs no runtime: await it, or
/// wait for it on a thread of your own.
#[derive(Debug)]
pub struct Ticket(Arc<Slot>);

/// The other end of a ticket. Let go without an answer it says that nobody knows: whoever waits
/// does not wait for ever.
#[derive(Debug)]
pub(crate) struct Promise(Option<Arc<Slot>>);

#[derive(Debug, Default)]
struct Slot {
    state: Mutex<State>,
    kept: Condvar,
}

#[derive(Debug, Default)]
struct State {
    answer: Option<Result<Place, StoreError>>,
    waker: Option<Waker>,
}

/// A ticket and its other end.
pub(crate) fn ticket() -> (Promise, Ticket) {
    let slot = Arc::new(Slot::default());
    (Promise(Some(slot.clone())), Ticket(slot))
}

impl Promise {
    pub(crate) fn keep(mut self, answer: Result<Place, StoreError>) {
        self.answer(answer);
    }

    fn answer(&mut self, answer: Result<Place, StoreError>) {
        let Some(slot) = self.0.take() else { return };
        let waker = {
            let mut state = slot.state.lock();
            state.answer = Some(answer);
            state.waker.take()
        };
        match waker {
            Some(waker) => waker.wake(),
            None => drop(slot.kept.notify_one()),
        }
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        self.answer(Err(StoreError::Unknown("nobody has answered".to_owned())));
    }
}

impl Ticket {
    /// Waits on this thread.
    ///
    /// # Errors
    /// Why the batch was refused or failed; [`StoreError::Unknown`] where nobody answers any more: it may or
    /// may not be durable.
    pub fn wait(self) -> Result<Place, StoreError> {
        let mut state = self.0.state.lock();
        loop {
            if let Some(answer) = state.answer.take() {
                return answer;
            }
            self.0.kept.wait(&mut state);
        }
    }
}

impl Future for Ticket {
    type Output = Result<Place, StoreError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.0.state.lock();
        if let Some(answer) = state.answer.take() {
            return Poll::Ready(answer);
        }
        state.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}
