//! Who may sign in and which tokens there are, for admins: looked at, made and changed.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, Method};
use axum::response::{IntoResponse as _, Redirect, Response};
use postlane_api::Problem;
use postlane_api::wire::{TokenPage, UserOrder, UserPage, UserRequest, UserRow};
use serde::Deserialize;

use super::asking::{Asking, Field};
use super::tokens;
use crate::answer;
use crate::desk::Desk;
use crate::frame::Frame;
use crate::moments;
use crate::numbers::{foreign, in_query, query};
use crate::session::{Posted, Visit};
use crate::table::{Column, Head, Order, Worth, finds};

/// Somebody who can or could sign in.
struct Person {
    name: String,
    role: String,
    sees: String,
    signed_in: String,
    /// Since when they can sign in no more; empty where they can.
    disabled: String,
    made: String,
    is_own: bool,
    offers: Vec<(&'static str, String)>,
}

#[derive(Template)]
#[template(path = "people.html")]
struct PeopleOut {
    frame: Frame,
    people: Vec<Person>,
    tokens: Vec<tokens::Line>,
    asked: Asked,
    people_heads: Vec<Head>,
    token_heads: Vec<Head>,
    /// Whether there is a token at all, whatever was looked for.
    is_any_token: bool,
}

/// Whom somebody looks for, and the order of each table.
#[derive(Deserialize, Default, Clone)]
#[serde(default)]
pub(crate) struct Asked {
    find: String,
    people: String,
    tokens: String,
}

const COLUMNS: [Column; 6] = [
    Column::words("name", "Name"),
    Column::words("role", "Role"),
    Column::words("sees", "Sees"),
    Column::most("signed-in", "Signed in (UTC)"),
    Column::most("made", "Made (UTC)"),
    Column::unseen("Changes"),
];

impl Asked {
    fn address(&self, changed: (&str, &str)) -> String {
        let own =
            [("find", self.find.trim()), ("people", &*self.people), ("tokens", &*self.tokens)];
        let pairs = own.map(|(key, value)| (key, if key == changed.0 { changed.1 } else { value }));
        format!("/people?{}", query(&pairs))
    }
}

/// A form of this page, filled in.
#[derive(Deserialize)]
pub(crate) struct Filled {
    #[serde(default)]
    name: String,
    #[serde(default)]
    role: String,
    #[serde(default)]
    tenant: String,
    #[serde(default)]
    password: String,
}

/// What can be done to somebody: as the API has it, on the button, and what it does.
const COMMANDS: [(&str, &str, &str); 5] = [
    (
        "role",
        "Change role",
        "They are signed out everywhere, and have the new role when they sign in again.",
    ),
    (
        "password",
        "New password",
        "They are signed out everywhere, and sign in with this one. Tell it to them in person.",
    ),
    (
        "sign-out",
        "Sign out everywhere",
        "Whatever browser they are signed in with opens nothing any more. They can sign in again.",
    ),
    (
        "disable",
        "Disable",
        "They are signed out everywhere and can sign in no more, until somebody enables them.",
    ),
    ("enable", "Enable", "They can sign in again, with the password they had."),
];

/// People and tokens.
pub(crate) async fn show(
    State(desk): State<Desk>,
    visit: Visit,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let mut users: UserPage = desk.api().read(visit.person(), "/v1/users").await?;
    let mut tokens: TokenPage = desk.api().read(visit.person(), "/v1/tokens").await?;
    let is_any_token = !tokens.tokens.is_empty();
    let of_people = Order::of(&asked.people, &COLUMNS, "");
    users.users.retain(|user| finds(&asked.find, &[&user.name, &user.role, &user.tenant]));
    of_people.arrange(&mut users.users, worth);
    let of_tokens = Order::of(&asked.tokens, &tokens::COLUMNS, "");
    tokens.tokens.retain(|token| {
        finds(&asked.find, &[&token.name, &token.scopes.join(", "), &token.tenant, &token.state])
    });
    of_tokens.arrange(&mut tokens.tokens, tokens::worth);
    let frame = Frame::new(&desk, &visit, "People and tokens", "/people");
    let nonce = frame.bare.nonce.clone();
    let out = PeopleOut {
        people: users.users.iter().map(|user| person(&visit, user)).collect(),
        tokens: tokens.tokens.iter().map(tokens::line).collect(),
        frame,
        people_heads: of_people.heads(&COLUMNS, |sort| asked.address(("people", sort))),
        token_heads: of_tokens.heads(&tokens::COLUMNS, |sort| asked.address(("tokens", sort))),
        asked,
        is_any_token,
    };
    Ok(answer::page(&out, &nonce))
}

fn worth(user: &UserRow, by: &str) -> Worth {
    match by {
        "role" => Worth::words(&user.role),
        "sees" => Worth::words(&user.tenant),
        "signed-in" => Worth::at(user.signed_in_at.as_ref().and_then(moments::read)),
        "made" => Worth::at(moments::read(&user.created_at)),
        _ => Worth::words(&user.name),
    }
}

fn person(visit: &Visit, user: &UserRow) -> Person {
    let at = |at: &postlane_api::wire::Timestamp| {
        moments::read(at).map(moments::day_and_minute).unwrap_or_default()
    };
    let is_disabled = user.disabled_at.is_some();
    let fits = |command: &str| match command {
        "enable" => is_disabled,
        "disable" | "sign-out" => !is_disabled,
        _ => true,
    };
    let offer = |(command, says, _): &(&'static str, &'static str, &'static str)| {
        (*says, format!("/people/{}/{command}", in_query(&user.name)))
    };
    Person {
        role: user.role.clone(),
        sees: match user.tenant.as_str() {
            "" => "everybody's mail".to_owned(),
            tenant => foreign(tenant),
        },
        signed_in: user.signed_in_at.as_ref().map_or_else(|| "never".to_owned(), at),
        disabled: user.disabled_at.as_ref().map(at).unwrap_or_default(),
        made: format!("{} by {}", at(&user.created_at), foreign(&user.created_by)),
        is_own: user.name == visit.person().name.as_str(),
        offers: COMMANDS.iter().filter(|(command, ..)| fits(command)).map(offer).collect(),
        name: foreign(&user.name),
    }
}

const PASSWORD_RULE: &str = "Twelve characters or more; several words will do.";

fn role(now: &str) -> Field {
    let options = [
        ("viewer", "viewer: looks at everything but tokens and the audit"),
        ("operator", "operator: acts on queue, lanes and incidents, too"),
        ("admin", "admin: everything, people and tokens, too"),
    ];
    Field::choice("role", "Role", &options, now)
}

fn tenant(now: &str) -> Field {
    Field::text("tenant", "Tenant", now)
        .hint("Whose mail alone they see; empty for everybody's. Not with admin.")
}

/// The form to make somebody.
pub(crate) async fn ask_new(
    State(desk): State<Desk>,
    visit: Visit,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let asking = Asking {
        title: "Add somebody".to_owned(),
        says: "They can sign in here with this name and password.",
        does: "Add",
        is_final: false,
        address: "/people/new".to_owned(),
        fields: vec![
            Field::text("name", "Name", "").required(),
            role("viewer"),
            tenant(""),
            Field::password("password", "Password").hint(PASSWORD_RULE),
        ],
    };
    asking.answer(&desk, &visit, &headers)
}

/// Makes somebody.
pub(crate) async fn make(
    State(desk): State<Desk>,
    visit: Visit,
    Posted(filled): Posted<Filled>,
) -> Result<Response, Problem> {
    let request = UserRequest {
        name: filled.name.trim().to_owned(),
        role: filled.role,
        tenant: Some(filled.tenant.trim().to_owned()).filter(|tenant| !tenant.is_empty()),
        password: filled.password,
    };
    let _: UserRow =
        desk.api().order(visit.person(), (Method::POST, "/v1/users"), &request).await?;
    Ok(Redirect::to("/people").into_response())
}

/// What will be done to somebody, and the button that does it.
pub(crate) async fn ask(
    State(desk): State<Desk>,
    visit: Visit,
    Path((name, command)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (command, does, says) = known(&command)?;
    let users: UserPage = desk.api().read(visit.person(), "/v1/users").await?;
    let user = users.users.iter().find(|user| user.name == name).ok_or_else(|| {
        Problem::new(axum::http::StatusCode::NOT_FOUND, "nobody is called so; go back to the list")
    })?;
    let fields = match command {
        "role" => vec![role(&user.role), tenant(&user.tenant)],
        "password" => vec![Field::password("password", "Password").hint(PASSWORD_RULE)],
        _ => Vec::new(),
    };
    let asking = Asking {
        title: format!("{does}: {}", foreign(&name)),
        says,
        does,
        is_final: command == "disable",
        address: format!("/people/{}/{command}", in_query(&name)),
        fields,
    };
    asking.answer(&desk, &visit, &headers)
}

fn known(command: &str) -> Result<(&'static str, &'static str, &'static str), Problem> {
    let found = COMMANDS.into_iter().find(|(known, ..)| *known == command);
    let nothing = "there is no such command for people";
    found.ok_or_else(|| Problem::new(axum::http::StatusCode::NOT_FOUND, nothing))
}

/// Does it.
pub(crate) async fn give(
    State(desk): State<Desk>,
    visit: Visit,
    Path((name, command)): Path<(String, String)>,
    Posted(filled): Posted<Filled>,
) -> Result<Response, Problem> {
    let (command, ..) = known(&command)?;
    let given = |text: String| Some(text).filter(|text| !text.is_empty());
    let order = match command {
        "role" => UserOrder {
            role: given(filled.role),
            tenant: given(filled.tenant.trim().to_owned()),
            ..UserOrder::default()
        },
        "password" => UserOrder { password: given(filled.password), ..UserOrder::default() },
        _ => UserOrder::default(),
    };
    let address = format!("/v1/users/{}/{command}", in_query(&name));
    let _: UserRow = desk.api().order(visit.person(), (Method::POST, &address), &order).await?;
    Ok(Redirect::to("/people").into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_of_the_dashboard_is_one_of_the_api() {
        for (command, ..) in COMMANDS {
            assert!(postlane_api::wire::USER_COMMANDS.contains(&command));
        }
        assert!(known("dance").is_err());
    }
}
