//! Who is signed in: what their browser holds, the gate that every page stands behind, forms that only
//! our own pages can send, and how often somebody may try to sign in.

mod cookie;
mod form;
mod gate;
mod origin;
mod theme;
mod tries;
mod visit;

pub(crate) use cookie::hold;
pub(crate) use form::{Nothing, Posted, foreign};
pub(crate) use gate::{origin_of, signed_in, visit_of};
pub(crate) use origin::{is_by_tls, is_ours};
pub(crate) use theme::Theme;
pub(crate) use tries::Tries;
pub(crate) use visit::Visit;
