//! What stands in a message's fields, read as strictly as the RFC has it and as kindly as real
//! mail needs it: every reading says how far it had to go.

pub mod address;
pub mod date;
mod scan;
