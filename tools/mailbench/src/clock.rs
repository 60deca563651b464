//! The clocks of the harness: monotonic time, and the CPU time it has used itself.

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;
use nix::time::{ClockId, clock_gettime};

/// CLOCK_MONOTONIC in nanoseconds: comparable between source and sink on one machine.
pub(crate) fn monotonic_ns() -> u64 {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).expect("Linux always has this clock");
    now.tv_sec() as u64 * 1_000_000_000 + now.tv_nsec() as u64
}

/// CPU time of this process so far, in microseconds.
#[derive(Clone, Copy)]
pub(crate) struct Cpu {
    pub(crate) user_us: u64,
    pub(crate) system_us: u64,
}

impl Cpu {
    /// What this process has used until now.
    pub(crate) fn now() -> Self {
        let usage = getrusage(UsageWho::RUSAGE_SELF).expect("one's own usage can be read");
        let us = |t: TimeVal| t.tv_sec() as u64 * 1_000_000 + t.tv_usec() as u64;
        Self { user_us: us(usage.user_time()), system_us: us(usage.system_time()) }
    }

    /// What has been used since `earlier`.
    pub(crate) fn since(self, earlier: Self) -> Self {
        Self {
            user_us: self.user_us - earlier.user_us,
            system_us: self.system_us - earlier.system_us,
        }
    }
}
