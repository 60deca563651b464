//! What the sessions of one listener have in common.

use std::sync::Arc;

use super::books::Books;
use super::rule::Rule;

/// What all sessions of one listener share.
#[derive(Clone)]
pub(super) struct House {
    pub(super) books: Arc<Books>,
    pub(super) rules: Arc<[Rule]>,
    /// The whole EHLO reply.
    pub(super) ehlo: Arc<str>,
    /// Which listener, in the order given.
    pub(super) listener: usize,
}
