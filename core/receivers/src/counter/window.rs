//! Windows of a clock: which one a moment is in, and when one begins.

use crate::ms::Ms;
use crate::scenario::Limit;

/// The number of the window of a clock that a moment is in.
pub(super) fn window_of(limit: &Limit, at: Ms) -> i64 {
    let signed = |ms: Ms| i64::try_from(ms.0).unwrap_or(i64::MAX);
    let since = signed(at).saturating_sub(signed(limit.phase));
    since.div_euclid(signed(limit.window).max(1))
}

/// When the window of a clock with this number begins; 0 for those that begin before the run.
pub(super) fn begin_of(limit: &Limit, window: i64) -> Ms {
    let signed = |ms: Ms| i64::try_from(ms.0).unwrap_or(i64::MAX);
    let begin = window.saturating_mul(signed(limit.window)).saturating_add(signed(limit.phase));
    Ms(u64::try_from(begin).unwrap_or(0))
}
