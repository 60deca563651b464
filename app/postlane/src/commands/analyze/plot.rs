//! What was taken and refused over time, drawn: bars of one span each, as SVG that scales, with what
//! a bar is, how high the highest, and from when to when.

use std::fmt::Write as _;

use postlane_maillog::Moment;

/// Bars in a plot, at most.
const BARS: u32 = 120;
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 120.0;

/// A bar: what was taken, refused for the rate, and refused otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Bar {
    accepted: u64,
    paced: u64,
    failed: u64,
}

impl Bar {
    fn sum(self) -> u64 {
        self.accepted + self.paced + self.failed
    }
}

/// Bars for these moments; empty without any. `hits_s` are marked below.
pub(super) fn svg(moments: &[Moment], hits_s: &[u32]) -> String {
    let (Some(first), Some(last)) = (moments.first(), moments.last()) else {
        return String::new();
    };
    let bar_s = ((last.at_s - first.at_s) / BARS + 1).next_multiple_of(10);
    let from_s = first.at_s / bar_s * bar_s;
    let bars = bars(moments, from_s, bar_s);
    let most = bars.iter().map(|bar| bar.sum()).max().unwrap_or_default().max(1) as f64;
    let wide = WIDTH / bars.len() as f64;
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {}\" role=\"img\" aria-label=\"tries over time, {} a bar, {most} \
         at most\" preserveAspectRatio=\"none\">",
        HEIGHT + 8.0,
        postlane_mail::Span::from_s(u64::from(bar_s))
    );
    for (number, bar) in bars.iter().enumerate() {
        let x = number as f64 * wide;
        let mut top = HEIGHT;
        for (class, count) in [("ok", bar.accepted), ("rate", bar.paced), ("bad", bar.failed)] {
            if count > 0 {
                let high = count as f64 / most * HEIGHT;
                top -= high;
                let width = (wide - 0.5).max(0.5);
                let _ = write!(
                    svg,
                    "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" \
                     height=\"{high:.1}\"/>"
                );
            }
        }
    }
    for hit in hits_s {
        let x = f64::from(hit.saturating_sub(from_s)) / f64::from(bar_s) * wide;
        let _ =
            write!(svg, "<rect class=\"hit\" x=\"{x:.1}\" y=\"122\" width=\"2\" height=\"6\"/>");
    }
    svg.push_str("</svg>");
    let until_s = u64::from(from_s) + u64::from(bar_s) * bars.len() as u64;
    let at = |s: u64| {
        let stamp = jiff::Timestamp::from_second(s.cast_signed()).unwrap_or_default();
        stamp.strftime("%Y-%m-%d %H:%M:%S").to_string()
    };
    let _ = write!(
        svg,
        "<p class=\"axis\"><span>{}</span><span>{} a bar, the highest {most} tries</span><span>{}</span></p>",
        at(u64::from(from_s)),
        postlane_mail::Span::from_s(u64::from(bar_s)),
        at(until_s)
    );
    svg
}

fn bars(moments: &[Moment], from_s: u32, bar_s: u32) -> Vec<Bar> {
    let mut bars = Vec::new();
    for moment in moments {
        let at = (moment.at_s.saturating_sub(from_s) / bar_s) as usize;
        if bars.len() <= at {
            bars.resize(at + 1, Bar::default());
        }
        if let Some(bar) = bars.get_mut(at) {
            bar.accepted += u64::from(moment.accepted);
            bar.paced += u64::from(moment.paced);
            bar.failed += u64::from(moment.failed);
        }
    }
    bars
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_year_has_no_more_bars_than_an_hour() {
        let moment = |at_s| Moment { at_s, accepted: 1, paced: 2, failed: 0 };
        for span in [0, 3_600, 31_536_000] {
            let moments = [moment(1_795_000_000), moment(1_795_000_000 + span)];
            let svg = svg(&moments, &[]);
            assert_eq!(svg.matches("class=\"ok\"").count(), if span == 0 { 1 } else { 2 });
            let from = moments[0].at_s;
            let bar_s = (span / BARS + 1).next_multiple_of(10);
            assert!(bars(&moments, from / bar_s * bar_s, bar_s).len() <= BARS as usize + 2);
        }
        assert_eq!(svg(&[], &[]), "");
    }
}
