//! A form of the page for admins: what it does, and what it asks for; in a dialogue or a page of its own.

use askama::Template;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use postlane_api::Problem;
use postlane_registry::Role;

use crate::answer;
use crate::desk::Desk;
use crate::frame::Frame;
use crate::session::Visit;

/// What is asked before something is done.
pub(crate) struct Asking {
    pub(crate) title: String,
    /// What it will do.
    pub(crate) says: &'static str,
    /// On the button.
    pub(crate) does: &'static str,
    /// Whether it takes something away from somebody.
    pub(crate) is_final: bool,
    pub(crate) address: String,
    pub(crate) fields: Vec<Field>,
}

/// A field of a form.
pub(crate) struct Field {
    name: &'static str,
    says: &'static str,
    value: String,
    hint: &'static str,
    is_required: bool,
    kind: Kind,
}

enum Kind {
    Text,
    Password,
    Choice(Vec<(&'static str, &'static str)>),
}

#[derive(Template)]
#[template(path = "people_asked.html")]
struct AskedOut {
    frame: Frame,
    form: Form,
}

#[derive(Template)]
#[template(path = "people_form.html")]
struct Form {
    asking: Asking,
    form_token: String,
}

impl Field {
    pub(crate) fn text(name: &'static str, says: &'static str, value: &str) -> Self {
        let value = value.to_owned();
        Self { name, says, value, hint: "", is_required: false, kind: Kind::Text }
    }

    pub(crate) fn password(name: &'static str, says: &'static str) -> Self {
        Self { kind: Kind::Password, is_required: true, ..Self::text(name, says, "") }
    }

    pub(crate) fn choice(
        name: &'static str,
        says: &'static str,
        options: &[(&'static str, &'static str)],
        now: &str,
    ) -> Self {
        Self { kind: Kind::Choice(options.to_vec()), ..Self::text(name, says, now) }
    }

    pub(crate) fn hint(self, hint: &'static str) -> Self {
        Self { hint, ..self }
    }

    pub(crate) fn required(self) -> Self {
        Self { is_required: true, ..self }
    }
}

impl Asking {
    /// The form, for whoever may fill it in.
    ///
    /// # Errors
    /// They are no admin.
    pub(crate) fn answer(
        self,
        desk: &Desk,
        visit: &Visit,
        headers: &HeaderMap,
    ) -> Result<Response, Problem> {
        if visit.role() != Role::Admin {
            let says = "people and tokens are for admins; ask one of them";
            return Err(Problem::new(StatusCode::FORBIDDEN, says));
        }
        let form = Form { form_token: visit.form_token().to_owned(), asking: self };
        if headers.contains_key("x-part") {
            return Ok(answer::fragment(&form));
        }
        let frame = Frame::new(desk, visit, &form.asking.title, "/people");
        let nonce = frame.bare.nonce.clone();
        Ok(answer::page(&AskedOut { frame, form }, &nonce))
    }
}
