//! The page of the labels: what each means, whom it concerns, and what to do.

use postlane_mail::{Code, Reply, Stage};
use postlane_replies::{Diagnosis, Label};

use super::page::{Page, escaped};
use super::{Knowledge, rules};

pub(super) fn page(known: &Knowledge) -> String {
    let mut page = Page::new("What a reply can mean");
    page.paragraph(super::index::MADE);
    page.paragraph(
        "A label says what happened, whatever the code. Whom it concerns, how lasting it is and what is \
         done follow from the label, the class of the code and where it was said; the tables show it for a \
         reply to RCPT.",
    );
    for label in Label::ALL {
        page.heading(2, &format!("`{label}`"));
        let advice = known.meanings.of(*label);
        page.paragraph(&escaped(&advice.means));
        page.head(&["code", "concerns", "lasts", "signal", "Postlane"]);
        let codes: &[u16] = if *label == Label::Accepted { &[250] } else { &[450, 550] };
        codes.iter().for_each(|code| row(&mut page, *label, *code));
        page.points(&[format!("family: {}", label.family())]);
        rules::steps(&mut page, advice);
    }
    page.end()
}

fn row(page: &mut Page, label: Label, code: u16) {
    let Some(number) = Code::new(code) else { return };
    let diagnosis = Diagnosis::of_label(label, Stage::Rcpt, &Reply::new(number, ""));
    page.row(&[
        format!("{}xx", code / 100),
        diagnosis.scope.name().replace('_', " "),
        diagnosis.persistence.name().replace('_', " "),
        diagnosis.signal.name().to_owned(),
        escaped(diagnosis.action.says()),
    ]);
}
