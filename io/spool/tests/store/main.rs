//! What every store must do, and what the one on the disk must survive.

mod conformance;
mod crash;
mod fixture;
