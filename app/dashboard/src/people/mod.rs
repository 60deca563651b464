//! People and tokens, for admins: looked at, made and changed.

mod asking;
mod list;
mod tokens;

pub(crate) use list::{ask, ask_new, give, make, show};
pub(crate) use tokens::{ask_new as ask_new_token, ask_revoke, make as make_token, revoke};
