//! The model says what its language means: each kind of limit, and each rule around them, held
//! against a plain second statement of it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod background;
mod bench;
mod bucket;
mod charges;
mod conns;
mod ewma;
mod files;
mod fixed;
mod greylist;
mod grow;
mod keys;
mod looks;
mod outages;
mod penalties;
mod perconn;
mod quotas;
mod ratio;
mod shards;
mod sliding;
mod stages;
mod tarpit;
mod workloads;
