//! Who is asking.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use jiff::SignedDuration;

use super::model::{Action, ApiKeyId, KeyKind, KeyScope, Resource};
use super::rules::{Grant, account_key_grant, grant};
use super::store;
use crate::app::App;
use crate::http::request::{Accepted, RequestId};
use crate::http::{Origin, Problem};
use crate::people::{Role, TeamId, TeamRole, User, UserId};
use crate::timeline::{Agent, AgentKind, Request};

/// Somebody who asked for something and proved who they are.
#[derive(Debug, Clone)]
pub struct Caller {
    pub identity: Identity,
    pub scope: KeyScope,
    pub method: Method,
    pub remote_address: Option<String>,
    pub request_id: String,
}

#[derive(Debug, Clone)]
pub enum Identity {
    Person {
        user: Box<User>,
        teams: Vec<(TeamId, TeamRole)>,
    },
    /// A program with an account-level key, perhaps acting for the person its `From` header names.
    Program {
        key_id: ApiKeyId,
        name: String,
        acting_for: Option<Box<User>>,
    },
}

/// How the caller proved it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Method {
    Browser { csrf_token: String },
    ApiToken { last_four: String },
}

impl Caller {
    /// The person asking, or the one a program acts for.
    pub fn user(&self) -> Option<&User> {
        match &self.identity {
            Identity::Person { user, .. } => Some(user),
            Identity::Program { acting_for, .. } => acting_for.as_deref(),
        }
    }

    pub fn user_id(&self) -> Option<&UserId> {
        self.user().map(|user| &user.id)
    }

    /// Whether an owner is asking: in person, since a program may name anybody as the one it acts for.
    pub fn is_owner(&self) -> bool {
        matches!(&self.identity, Identity::Person { user, .. } if user.role == Role::Owner)
    }

    /// The person whose own key or session this is; nobody for an account-level key.
    pub fn person_id(&self) -> Option<&UserId> {
        match &self.identity {
            Identity::Person { user, .. } => Some(&user.id),
            Identity::Program { .. } => None,
        }
    }

    /// Whether the caller is this very person.
    pub fn is_person(&self, id: &UserId) -> bool {
        self.person_id() == Some(id)
    }

    /// Whoever stands behind what is done now, with the request by which it is done.
    pub fn agent(&self) -> Agent {
        let agent = match &self.identity {
            Identity::Person { user, .. }
            | Identity::Program {
                acting_for: Some(user),
                ..
            } => Agent::user(user.id.as_str(), user.name.clone()),
            Identity::Program {
                key_id,
                name,
                acting_for: None,
            } => Agent {
                kind: AgentKind::Key,
                id: Some(key_id.to_string()),
                name: name.clone(),
                request: None,
            },
        };
        agent.by(self.request())
    }

    fn request(&self) -> Request {
        let (method, truncated_token) = match &self.method {
            Method::Browser { .. } => ("browser", None),
            Method::ApiToken { last_four } => ("api_token", Some(last_four.clone())),
        };
        Request {
            method,
            truncated_token,
            key_name: match &self.identity {
                Identity::Program { name, .. } => Some(name.clone()),
                Identity::Person { .. } => None,
            },
            remote_address: self.remote_address.clone(),
            id: self.request_id.clone(),
        }
    }

    fn grant(&self, action: Action, resource: Resource) -> Grant {
        if self.scope == KeyScope::ReadOnly && action != Action::View {
            return Grant::No;
        }
        match &self.identity {
            Identity::Person { user, .. } => grant(user.role, action, resource),
            Identity::Program { .. } => account_key_grant(action, resource),
        }
    }

    /// Incidents are changed in somebody's name: a program with an account-level key says in whose by its `From`.
    pub fn require_name(&self) -> Result<(), Problem> {
        match &self.identity {
            Identity::Program { acting_for: None, .. } => Err(Problem::refused(
                2011,
                "The requester is missing: send the header 'From' with the e-mail address of the person in whose name this is done.",
            )),
            Identity::Person { .. } | Identity::Program { .. } => Ok(()),
        }
    }

    /// Refuses unless the caller may do this to everything of the kind.
    pub fn require(&self, action: Action, resource: Resource) -> Result<(), Problem> {
        self.require_for_teams(action, resource, &[])
    }

    /// Refuses unless the caller may do this to a thing that belongs to `teams`.
    pub fn require_for_teams(
        &self,
        action: Action,
        resource: Resource,
        teams: &[TeamId],
    ) -> Result<(), Problem> {
        let allowed = match self.grant(action, resource) {
            Grant::Yes => true,
            Grant::No => false,
            Grant::OwnTeams => teams.iter().any(|team| self.manages(team)),
        };
        if allowed {
            Ok(())
        } else {
            Err(self.refusal(action, resource))
        }
    }

    /// Refuses who may do this for no team at all, before anything is looked at.
    pub fn require_for_own(&self, action: Action, resource: Resource) -> Result<(), Problem> {
        if self.may(action, resource) {
            Ok(())
        } else {
            Err(self.refusal(action, resource))
        }
    }

    /// Whether the caller may do this at all, for at least one team: decides what the console offers.
    pub fn may(&self, action: Action, resource: Resource) -> bool {
        match self.grant(action, resource) {
            Grant::Yes => true,
            Grant::No => false,
            Grant::OwnTeams => match &self.identity {
                Identity::Person { teams, .. } => teams.iter().any(|(_, role)| *role == TeamRole::Manager),
                Identity::Program { .. } => false,
            },
        }
    }

    fn manages(&self, team: &TeamId) -> bool {
        match &self.identity {
            Identity::Person { teams, .. } => teams
                .iter()
                .any(|(id, role)| id == team && *role == TeamRole::Manager),
            Identity::Program { .. } => false,
        }
    }

    fn refusal(&self, action: Action, resource: Resource) -> Problem {
        let verb = match action {
            Action::View => "see",
            Action::Create => "add",
            Action::Change => "change",
            Action::Delete => "delete",
            Action::Respond => "respond to",
            Action::Approve => "approve",
            Action::Publish => "publish",
        };
        let who = match &self.identity {
            Identity::Person { user, .. } => match user.role {
                Role::Owner => "An owner",
                Role::Admin => "An admin",
                Role::Manager => "A manager",
                Role::Responder => "A responder",
                Role::Agent => "An agent",
                Role::Stakeholder => "A stakeholder",
                Role::Observer => "An observer",
            },
            Identity::Program { .. } => "This key",
        };
        Problem::forbidden(format!(
            "{who} may not {verb} {} here. Ask an admin.",
            resource.words()
        ))
    }
}

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let (remote_address, request_id) = line_of(parts, app);
        let authorization = parts
            .headers
            .get(header::AUTHORIZATION)
            .map(|value| value.to_str().unwrap_or_default());
        if let Some(authorization) = authorization {
            let key = key_of(authorization)
                .ok_or_else(Problem::unauthenticated)?
                .to_owned();
            let from = parts
                .headers
                .get(header::FROM)
                .and_then(|value| value.to_str().ok())
                .map(str::to_owned);
            let caller = by_key(app, key, from, remote_address, request_id).await?;
            note_accepted(parts);
            caller.require_scope(&parts.method)?;
            return Ok(caller);
        }
        let caller = Self::by_session(parts, app, remote_address, request_id).await?;
        caller.require_proof(parts, app)?;
        Ok(caller)
    }
}

impl Caller {
    /// Whoever is signed in in this browser. What changes something must still prove that it comes from our own pages.
    pub async fn in_browser(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        if parts.headers.contains_key(header::AUTHORIZATION) {
            return Self::from_request_parts(parts, app).await;
        }
        let (remote_address, request_id) = line_of(parts, app);
        Self::by_session(parts, app, remote_address, request_id).await
    }

    /// A key that reads only asks for nothing else, whatever a handler behind it would let its owner do.
    fn require_scope(&self, method: &axum::http::Method) -> Result<(), Problem> {
        if self.scope == KeyScope::Full || method.is_safe() {
            return Ok(());
        }
        Err(Problem::forbidden(
            "This key only reads. Use one that reads and writes.",
        ))
    }

    /// A session's cookie alone may look at things: any page on the web can have a browser send it.
    fn require_proof(&self, parts: &Parts, app: &App) -> Result<(), Problem> {
        let Method::Browser { csrf_token } = &self.method else {
            return Ok(());
        };
        let shown = parts.headers.get("x-csrf-token").map(HeaderValue::as_bytes);
        let is_proved = match Origin::of(&parts.headers, &app.site) {
            Origin::Here => true,
            Origin::Elsewhere => false,
            Origin::Unsaid => shown == Some(csrf_token.as_bytes()),
        };
        if parts.method.is_safe() || is_proved {
            return Ok(());
        }
        Err(Problem::forbidden(
            "This came from another site, or does not say where it comes from. Use a key, or send the header X-CSRF-Token.",
        ))
    }

    async fn by_session(
        parts: &Parts,
        app: &Arc<App>,
        remote_address: Option<String>,
        request_id: String,
    ) -> Result<Self, Problem> {
        if !parts.method.is_safe() && Origin::of(&parts.headers, &app.site) == Origin::Elsewhere {
            return Err(Problem::forbidden(
                "This came from another site, so nothing was done.",
            ));
        }
        let token = super::store::session_token_of(&parts.headers).ok_or_else(Problem::unauthenticated)?;
        let now = app.clock.now();
        let wanted = token.clone();
        let found = app
            .store
            .read(move |tx| -> Result<_, Problem> {
                let Some(session) = store::find_session(tx, &wanted, now)? else {
                    return Ok(None);
                };
                let Some(user) = crate::people::store::find_user(tx, &session.user_id)? else {
                    return Ok(None);
                };
                let teams = crate::people::store::teams_of(tx, &user.id)?;
                Ok(Some((session, user, teams)))
            })
            .await?;
        let Some((session, user, teams)) = found.filter(|(_, user, _)| user.deleted_at.is_none()) else {
            return Err(Problem::unauthenticated());
        };
        note_accepted(parts);
        if now.duration_since(session.seen_at) >= LAST_USED_PRECISION {
            let noted = app.store.write(move |tx| store::note_seen(tx, &token, now)).await;
            if let Err(error) = noted {
                tracing::warn!("that a session is used could not be noted: {error}");
            }
        }
        Ok(Self {
            identity: Identity::Person {
                user: Box::new(user),
                teams,
            },
            scope: KeyScope::Full,
            method: Method::Browser {
                csrf_token: session.csrf_token,
            },
            remote_address,
            request_id,
        })
    }
}

/// Lets the front know that the key or session is good.
fn note_accepted(parts: &Parts) {
    if let Some(accepted) = parts.extensions.get::<Accepted>() {
        accepted.note();
    }
}

/// The address that a request came from, and its id.
fn line_of(parts: &Parts, app: &App) -> (Option<String>, String) {
    let remote_address = parts
        .extensions
        .get::<axum::extract::ConnectInfo<std::net::SocketAddr>>()
        .map(|address| address.ip().to_string());
    let request_id = parts
        .extensions
        .get::<RequestId>()
        .map_or_else(|| app.identifiers.next(app.clock.now()), |id| id.0.clone());
    (remote_address, request_id)
}

/// Both forms the field's clients send, in any case of letters: `Token token=KEY` and `Bearer KEY`.
pub fn key_of(authorization: &str) -> Option<&str> {
    let (scheme, rest) = authorization.trim().split_once(' ')?;
    let shown = match scheme.to_ascii_lowercase().as_str() {
        "token" => {
            let (name, key) = rest.split_once('=')?;
            name.trim().eq_ignore_ascii_case("token").then_some(key)?
        }
        "bearer" => rest,
        _ => return None,
    };
    let key = shown.trim().trim_matches('"');
    (!key.is_empty()).then_some(key)
}

async fn by_key(
    app: &Arc<App>,
    key: String,
    from: Option<String>,
    remote_address: Option<String>,
    request_id: String,
) -> Result<Caller, Problem> {
    let (caller, key_id, last_used_at) = app
        .store
        .read(move |tx| -> Result<_, Problem> {
            let key = store::find_key(tx, &key)?.ok_or_else(Problem::unauthenticated)?;
            let identity = match (key.kind, &key.user_id) {
                (KeyKind::User, Some(user_id)) => {
                    let user = crate::people::store::find_user(tx, user_id)?
                        .filter(|user| user.deleted_at.is_none())
                        .ok_or_else(Problem::unauthenticated)?;
                    let teams = crate::people::store::teams_of(tx, user_id)?;
                    Identity::Person {
                        user: Box::new(user),
                        teams,
                    }
                }
                (KeyKind::User, None) => return Err(Problem::unauthenticated()),
                (KeyKind::Account, _) => {
                    let acting_for = match &from {
                        Some(email) => Some(Box::new(
                            crate::people::store::find_user_by_email(tx, email)?.ok_or_else(|| {
                                Problem::refused(1008, "From names nobody who is known here.")
                            })?,
                        )),
                        None => None,
                    };
                    Identity::Program {
                        key_id: key.id.clone(),
                        name: key.name.clone(),
                        acting_for,
                    }
                }
            };
            let caller = Caller {
                identity,
                scope: key.scope,
                method: Method::ApiToken {
                    last_four: key.last_four,
                },
                remote_address: remote_address.clone(),
                request_id: request_id.clone(),
            };
            Ok((caller, key.id, key.last_used_at))
        })
        .await?;
    let now = app.clock.now();
    if last_used_at.is_none_or(|at| now.duration_since(at) >= LAST_USED_PRECISION) {
        let touched = app
            .store
            .write(move |tx| store::touch_key(tx, &key_id, now))
            .await;
        // Only a date for people to look at: a request is not refused because it cannot be written.
        if let Err(error) = touched {
            tracing::warn!("the last use of a key could not be noted: {error}");
        }
    }
    Ok(caller)
}

/// How exactly the last use of a key is known.
const LAST_USED_PRECISION: SignedDuration = SignedDuration::from_hours(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_in_both_forms_and_in_any_case_of_letters() {
        for authorization in [
            "Token token=u+Abc",
            "token token=u+Abc",
            "TOKEN TOKEN=u+Abc",
            "Token token=\"u+Abc\"",
            "Bearer u+Abc",
            "bearer u+Abc",
            "BEARER  u+Abc ",
        ] {
            assert_eq!(key_of(authorization), Some("u+Abc"), "{authorization}");
        }
        for authorization in [
            "",
            "Token",
            "Token u+Abc",
            "Token key=u+Abc",
            "Bearer ",
            "Basic u+Abc",
        ] {
            assert_eq!(key_of(authorization), None, "{authorization}");
        }
    }
}
