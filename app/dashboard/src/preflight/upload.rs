//! A message that somebody sends by a form: pasted, or as a file.

use axum::body::Bytes;
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{FromRequest, FromRequestParts as _, Multipart, Request};
use axum::http::StatusCode;
use postlane_api::Problem;
use subtle::ConstantTimeEq as _;

use crate::desk::Desk;
use crate::numbers::foreign;
use crate::session::Visit;

/// What was sent, for whoever is signed in, by a page of ours.
#[derive(Default)]
pub(crate) struct Upload {
    /// The message, octet by octet; empty where none was sent.
    pub(super) message: Bytes,
    /// What the file is called; empty where the message was pasted.
    pub(super) file: String,
    /// What the relay would know of the session.
    pub(super) bringer: Bringer,
}

/// Who brings a message, as it was typed.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Bringer {
    pub(super) ip: String,
    pub(super) helo: String,
    pub(super) mail_from: String,
    pub(super) rcpt: String,
    pub(super) transactional: bool,
}

/// Octets of the fields beside the message. Chosen, not measured.
const FIELD_OCTETS_MAX: usize = 1_024;

/// Fields that are read. Chosen, not measured: the form has eight.
const FIELDS_MAX: usize = 16;

impl FromRequest<Desk> for Upload {
    type Rejection = Problem;

    async fn from_request(request: Request, desk: &Desk) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let visit = Visit::from_request_parts(&mut parts, desk).await?;
        let request = Request::from_parts(parts, body);
        let most = desk.handle().message_octets_max();
        let form = Multipart::from_request(request, desk).await;
        let mut form = form.map_err(|e| {
            Problem::unprocessable(format!("the form cannot be read: {}", e.body_text()))
        })?;
        let (mut upload, mut is_ours) = (Self::default(), false);
        for _ in 0..FIELDS_MAX {
            let Some(field) = form.next_field().await.map_err(|e| unread(&e, most))? else { break };
            if field.name() == Some("form_token") {
                let token = text(field, most).await?;
                is_ours = token.as_bytes().ct_eq(visit.form_token().as_bytes()).into();
                // The token is the first field, so that no stranger's message is read whole.
                if !is_ours {
                    break;
                }
                continue;
            }
            if !is_ours {
                break;
            }
            upload.take(field, most).await?;
        }
        match is_ours {
            true => Ok(upload),
            false => Err(crate::session::foreign()),
        }
    }
}

impl Upload {
    async fn take(&mut self, field: Field<'_>, most: usize) -> Result<(), Problem> {
        let name = field.name().unwrap_or_default().to_owned();
        let file = field.file_name().map(foreign).unwrap_or_default();
        match name.as_str() {
            "file" => {
                let octets = field.bytes().await.map_err(|e| unread(&e, most))?;
                if !octets.is_empty() {
                    (self.message, self.file) = (octets, file);
                }
            }
            "pasted" => {
                let octets = field.bytes().await.map_err(|e| unread(&e, most))?;
                // A file counts for more: nothing in it was changed by a browser.
                if self.message.is_empty() && !octets.iter().all(u8::is_ascii_whitespace) {
                    self.message = octets;
                }
            }
            "transactional" => self.bringer.transactional = true,
            _ => {
                let text = text(field, most).await?;
                self.bringer.put(&name, text.trim());
            }
        }
        match self.message.len() > most {
            true => Err(too_large(most)),
            false => Ok(()),
        }
    }
}

impl Bringer {
    fn put(&mut self, name: &str, text: &str) {
        let place = match name {
            "ip" => &mut self.ip,
            "helo" => &mut self.helo,
            "mail_from" => &mut self.mail_from,
            "rcpt" => &mut self.rcpt,
            _ => return,
        };
        text.clone_into(place);
    }
}

async fn text(field: Field<'_>, most: usize) -> Result<String, Problem> {
    let name = foreign(field.name().unwrap_or_default());
    let octets = field.bytes().await.map_err(|e| unread(&e, most))?;
    if octets.len() > FIELD_OCTETS_MAX {
        let says = format!("{name} is longer than {FIELD_OCTETS_MAX} octets: shorten it");
        return Err(Problem::unprocessable(says));
    }
    let text = String::from_utf8(octets.to_vec());
    text.map_err(|_| Problem::unprocessable(format!("{name} is no UTF-8: type it anew")))
}

fn unread(error: &MultipartError, most: usize) -> Problem {
    match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => too_large(most),
        _ => Problem::unprocessable(format!(
            "the form did not come whole: {}; send it again",
            error.body_text()
        )),
    }
}

fn too_large(most: usize) -> Problem {
    let says = format!(
        "the message is larger than {most} octets (limits.message_size), which the relay would not \
         take either: send a smaller one, or look at it with `postlane check message`"
    );
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, says)
}
