//! A thread that mail cannot do without: should a fault of ours end it, somebody hears of it. A server
//! that goes on taking mail and delivers none would look sound from outside.

use std::io;
use std::thread::{self, JoinHandle};

/// Runs `work` on a thread of that name. Where it panics, `broken` is done before the thread is gone.
pub(crate) fn spawn(
    name: &str,
    work: impl FnOnce() + Send + 'static,
    broken: impl FnOnce() + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    let watch = Watch(Some(broken));
    thread::Builder::new().name(name.to_owned()).spawn(move || {
        let _watch = watch;
        work();
    })
}

struct Watch<F: FnOnce()>(Option<F>);

impl<F: FnOnce()> Drop for Watch<F> {
    fn drop(&mut self) {
        if let Some(broken) = self.0.take().filter(|_| thread::panicking()) {
            broken();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn a_thread_that_breaks_is_heard_of_and_one_that_ends_is_not() {
        for breaks in [true, false] {
            let (tell, told) = channel();
            let work = move || assert!(!breaks, "a fault of ours");
            let thread = spawn("a", work, move || tell.send(()).unwrap()).unwrap();
            assert_eq!(thread.join().is_err(), breaks);
            assert_eq!(told.try_recv().is_ok(), breaks);
        }
    }
}
