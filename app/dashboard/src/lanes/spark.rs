//! Small plots that stand in a row: drawn here, with a sentence for who cannot see them.

use std::fmt::Write as _;

use super::chip::band;
use super::stretch::Course;
use crate::numbers;

/// Units of the drawing; the style sheet says how large it is.
const WIDTH: f64 = 108.0;
const HEIGHT: f64 = 24.0;

/// What was accepted, as bars.
pub(crate) fn accepted(course: &Course) -> String {
    let most = course.stretches.iter().map(|s| s.accepted).max().unwrap_or_default();
    let total: u64 = course.stretches.iter().map(|s| s.accepted).sum();
    let says = format!(
        "Accepted: {} in {}, {} at most in {}",
        numbers::count(total),
        numbers::span(course.ends().since(course.from).as_s()),
        numbers::count(most),
        numbers::span(course.every.as_s()),
    );
    let mut svg = begun(&says, "spark-accepted");
    let step = WIDTH / course.stretches.len().max(1) as f64;
    for (place, stretch) in course.stretches.iter().enumerate().filter(|(_, s)| s.accepted > 0) {
        let height = (stretch.accepted as f64 / most.max(1) as f64 * (HEIGHT - 2.0)).max(1.5);
        let (x, y) = (place as f64 * step, HEIGHT - 1.0 - height);
        let width = (step - 0.6).max(0.8);
        let _ =
            write!(svg, r#"<rect x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}"/>"#);
    }
    ended(svg)
}

/// Of first attempts those deferred, as dots on the bands of 2 and 10 percent; where there was no
/// first attempt there is nothing.
pub(crate) fn deferral(course: &Course) -> String {
    let all = course.sum();
    let says = match all.fresh_deferral() {
        Some(share) => format!(
            "Deferred at the first attempt: {} of {} in {}; lines at 2 and 10 percent",
            numbers::percent(share),
            numbers::count(all.fresh),
            numbers::span(course.ends().since(course.from).as_s()),
        ),
        None => "No first attempts in this time".to_owned(),
    };
    let mut svg = begun(&says, "spark-deferral");
    // To the square root: what counts lies between nothing and a tenth.
    let y = |share: f64| HEIGHT - 1.0 - share.clamp(0.0, 1.0).sqrt() * (HEIGHT - 2.0);
    for (share, class) in [(0.02, "line-warn"), (0.10, "line-bad")] {
        let _ = write!(
            svg,
            r#"<line class="{class}" x1="0" x2="{WIDTH}" y1="{0:.1}" y2="{0:.1}"/>"#,
            y(share)
        );
    }
    let step = WIDTH / course.stretches.len().max(1) as f64;
    for (place, stretch) in course.stretches.iter().enumerate() {
        let Some(share) = stretch.fresh_deferral() else { continue };
        let (x, top) = (place as f64 * step, y(share));
        let (width, height) = ((step - 0.6).max(0.8), (HEIGHT - 1.0 - top).max(1.5));
        let (class, top) = (band(share), HEIGHT - 1.0 - height);
        let _ = write!(
            svg,
            r#"<rect class="{class}" x="{x:.1}" y="{top:.1}" width="{width:.1}" height="{height:.1}"/>"#
        );
    }
    ended(svg)
}

fn begun(says: &str, class: &str) -> String {
    format!(
        r#"<svg class="spark {class}" viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" role="img" aria-label="{says}"><title>{says}</title>"#
    )
}

fn ended(mut svg: String) -> String {
    svg.push_str("</svg>");
    svg
}

#[cfg(test)]
mod tests {
    use postlane_mail::{Instant, Span};

    use super::super::stretch::Stretch;
    use super::*;

    fn course() -> Course {
        let mut course = Course::empty(Instant::from_unix_s(1_795_239_545), Span::from_min(5), 36);
        course.stretches[10] = Stretch { accepted: 10, fresh: 10, ..Stretch::default() };
        course.stretches[20] =
            Stretch { accepted: 5, fresh: 10, deferred_fresh: 5, ..Stretch::default() };
        course
    }

    #[test]
    fn a_small_plot_says_in_words_what_it_shows() {
        let svg = accepted(&course());
        assert!(svg.contains("Accepted: 15 in 3 h, 10 at most in 5 min"), "{svg}");
        assert_eq!(svg.matches("<rect").count(), 2, "nothing is drawn where nothing was");
        let svg = deferral(&course());
        assert!(svg.contains("Deferred at the first attempt: 25 % of 20 in 3 h"), "{svg}");
        assert!(svg.contains(r#"class="good""#) && svg.contains(r#"class="bad""#));
        let none = Course::empty(Instant::from_unix_s(1), Span::from_min(5), 3);
        assert!(deferral(&none).contains("No first attempts in this time"));
    }
}
