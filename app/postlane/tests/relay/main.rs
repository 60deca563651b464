//! The relay as its users meet it: the program itself, started in a folder of its own, with real
//! programs around it.

#![expect(clippy::unwrap_used, reason = "a test may fail by unwrapping")]

mod beside;
mod command_line;
mod configuration;
mod crash;
mod encrypted;
mod events;
mod host;
mod http;
mod logs;
mod postfix;
mod postfix_in;
mod postfix_out;
mod promises;
mod relay;
mod service_manager;
mod spool;
