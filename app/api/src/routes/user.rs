//! People who sign in at the dashboard: making them, looking at them, changing what they may.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use postlane_mail::Label;
use postlane_registry::{Database, RegistryError, Role, User};
use postlane_server::Clock;
use postlane_server::handle::Handle;

use super::token::refused;
use crate::access::Asker;
use crate::body::JsonBody;
use crate::password;
use crate::problem::Problem;
use crate::wire::{
    USER_COMMANDS, UserOrder, UserPage, UserRequest, UserRow, Wrong, role_of, tenant_of,
};

/// Lists everybody who can or could sign in. Their passwords are nowhere.
#[utoipa::path(
    get, path = "/v1/users", tag = "access",
    responses((status = 200, body = UserPage), (status = 503, body = Problem))
)]
pub(crate) async fn list(State(handle): State<Handle>) -> Result<Json<UserPage>, Problem> {
    let users = handle.registry(|db| db.users()).await.map_err(|why| refused(&why))?;
    Ok(Json(UserPage { users: users.iter().map(UserRow::from).collect() }))
}

/// Makes somebody who can sign in.
#[utoipa::path(
    post, path = "/v1/users", tag = "access", request_body = UserRequest,
    responses(
        (status = 200, body = UserRow),
        (status = 409, description = "There is somebody of that name, perhaps disabled", body = Problem),
        (status = 422, description = "They cannot be made so", body = Problem),
        (status = 503, body = Problem),
    )
)]
pub(crate) async fn make(
    State(handle): State<Handle>,
    asker: Asker,
    body: JsonBody,
) -> Result<Json<UserRow>, Problem> {
    let request: UserRequest = body.read()?;
    let kept = hashed(request.password.clone()).await?;
    let new = request.user(kept, asker.name()).map_err(wrong)?;
    let now = Clock::wall().now();
    let made = handle.registry(move |db| db.add_user(&new, now)).await;
    Ok(Json(UserRow::from(&made.map_err(|why| refused(&why))?)))
}

/// Changes something of somebody: another `password`, another `role`, `disable`, `enable`, or `sign-out`
/// everywhere. Whoever is signed in as them is so no more.
#[utoipa::path(
    post, path = "/v1/users/{name}/{command}", tag = "access", request_body = UserOrder,
    params(
        ("name" = String, Path, description = "What they are called"),
        ("command" = String, Path, description = "`password`, `role`, `disable`, `enable` or `sign-out`"),
    ),
    responses(
        (status = 200, body = UserRow),
        (status = 404, description = "Nobody is called so", body = Problem),
        (status = 422, description = "No such command, or it lacks something", body = Problem),
        (status = 503, body = Problem),
    )
)]
pub(crate) async fn order(
    State(handle): State<Handle>,
    Path((name, command)): Path<(String, String)>,
    body: JsonBody,
) -> Result<Json<UserRow>, Problem> {
    let order: UserOrder = body.read()?;
    let name = Label::parse(&name).map_err(|e| Problem::bad_request(e.to_string()))?;
    let change = change(&command, order).await?;
    let done = handle.registry(move |db| change.make(db, &name)).await;
    Ok(Json(UserRow::from(&done.map_err(|why| refused(&why))?)))
}

/// What is to be changed.
enum Change {
    Password(String),
    Role(Role, Label),
    Disable,
    Enable,
    SignOut,
}

async fn change(command: &str, order: UserOrder) -> Result<Change, Problem> {
    match command {
        "password" => Ok(Change::Password(hashed(order.password.unwrap_or_default()).await?)),
        "role" => {
            let role = role_of(order.role.as_deref().unwrap_or_default()).map_err(wrong)?;
            Ok(Change::Role(role, tenant_of(order.tenant.as_deref()).map_err(wrong)?))
        }
        "disable" => Ok(Change::Disable),
        "enable" => Ok(Change::Enable),
        "sign-out" => Ok(Change::SignOut),
        _ => {
            let known = USER_COMMANDS.join(", ");
            Err(Problem::unprocessable(format!("command {command:?} is not known: use {known}")))
        }
    }
}

impl Change {
    fn make(self, db: &mut Database, name: &Label) -> Result<User, RegistryError> {
        let loses_admin = match &self {
            Self::Disable => true,
            Self::Role(role, _) => *role != Role::Admin,
            _ => false,
        };
        if loses_admin && is_last_admin(&db.users()?, name) {
            let says = "this is the last admin who can sign in: make another one first";
            return Err(RegistryError::Refused(says));
        }
        match self {
            Self::Password(kept) => db.set_password(name, &kept)?,
            Self::Role(role, tenant) => db.set_role(name, role, &tenant)?,
            Self::Disable => db.disable_user(name, Some(Clock::wall().now()))?,
            Self::Enable => db.disable_user(name, None)?,
            Self::SignOut => db.end_sessions(name)?,
        }
        let unknown = || RegistryError::Unknown { what: "user", name: name.to_string() };
        db.user(name.as_str())?.ok_or_else(unknown)
    }
}

fn is_last_admin(users: &[User], name: &Label) -> bool {
    let mut admins =
        users.iter().filter(|user| user.role == Role::Admin && user.disabled.is_none());
    admins.next().is_some_and(|admin| admin.name == *name) && admins.next().is_none()
}

/// A password as it is kept, hashed where it may take its time.
async fn hashed(text: String) -> Result<String, Problem> {
    let done = tokio::task::spawn_blocking(move || password::hashed(&text)).await;
    let done = done.map_err(|_| Problem::unavailable("the server is closing"))?;
    done.map_err(|why| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, why.to_string()).at("/password")
    })
}

fn wrong(wrong: Wrong) -> Problem {
    Problem::unprocessable(wrong.says).at(format!("/{}", wrong.field))
}
