//! `muster setup`: the first owner and a key. May be run before the first start, and again: it then
//! makes another key for the same person.

use serde_json::json;

use super::{SettingsArguments, open, print_line};
use crate::access::audit::{self, AuditAction, Changed};
use crate::access::model::{KeyKind, KeyScope};
use crate::access::store::{NewKey, add_key};
use crate::access::{password, token};
use crate::app::App;
use crate::clock::Clock;
use crate::people::store::{NewUser, add_user, find_user_by_email};
use crate::people::{Role, UserId};
use crate::timeline::{Agent, Change};

#[derive(Debug, clap::Args)]
pub(super) struct SetupArguments {
    #[command(flatten)]
    settings: SettingsArguments,
    /// The owner's e-mail address
    #[arg(long)]
    email: String,
    /// The owner's name
    #[arg(long)]
    name: String,
    /// The owner's password; made up and printed when left out
    #[arg(long, env = "MUSTER_SETUP_PASSWORD", hide_env_values = true)]
    password: Option<String>,
    /// Print {"user_id", "api_key", "password"} instead of sentences
    #[arg(long)]
    json: bool,
}

struct Made {
    user_id: UserId,
    api_key: String,
    known_before: bool,
}

pub(super) async fn run(arguments: SetupArguments) -> anyhow::Result<()> {
    let settings = arguments.settings.check()?;
    super::refuse_the_demos(&settings)?;
    anyhow::ensure!(
        arguments.email.parse::<lettre::Address>().is_ok(),
        "--email must be an e-mail address, such as maya@example.org"
    );
    anyhow::ensure!(!arguments.name.trim().is_empty(), "--name must not be empty");
    let store = open(&settings).await?;
    let settings = super::secrets::unlock(settings, &store).await?;
    let app = App::assemble(store, Clock::System, settings).await?;
    let chosen = arguments.password.unwrap_or_else(|| token::random_token(16));
    anyhow::ensure!(
        chosen.len() >= password::SHORTEST && chosen.len() <= password::LONGEST,
        "--password must have at least {} characters",
        password::SHORTEST
    );
    let password_hash = password::hash(chosen.clone()).await?;
    let owner = NewUser {
        name: arguments.name,
        email: arguments.email,
        role: Role::Owner,
        time_zone: "UTC".to_owned(),
        color: "purple".to_owned(),
        job_title: None,
        description: None,
        password_hash: Some(password_hash),
    };
    let made = app
        .change(Agent::muster(), move |change| set_up(change, &owner))
        .await?;
    app.store.clone().close().await;
    if arguments.json {
        let mut answer = json!({ "user_id": made.user_id, "api_key": made.api_key });
        if !made.known_before {
            answer["password"] = json!(chosen);
        }
        return print_line(&answer.to_string());
    }
    let password = if made.known_before {
        "The password was not changed.".to_owned()
    } else {
        format!("Password: {chosen}")
    };
    print_line(&format!(
        "Owner: {}\n{password}\nAPI key, shown only now: {}",
        made.user_id, made.api_key
    ))
}

/// Why no owner was made.
#[derive(Debug, thiserror::Error)]
enum NotSetUp {
    #[error(
        "{email} is known as {name}, whose role is {role}, so nothing was changed. Give another address, or have an owner make \
         them one in the console, under Settings and People"
    )]
    AnotherRole {
        email: String,
        name: String,
        role: &'static str,
    },
    #[error(transparent)]
    Store(#[from] store::Error),
}

fn set_up(change: &mut Change, owner: &NewUser) -> Result<Made, NotSetUp> {
    let known = find_user_by_email(change.tx, &owner.email)?;
    if let Some(other) = known.as_ref().filter(|one| one.role != Role::Owner) {
        return Err(NotSetUp::AnotherRole {
            email: owner.email.clone(),
            name: other.name.clone(),
            role: other.role.as_text(),
        });
    }
    let known_before = known.is_some();
    let user_id = match known {
        Some(user) => user.id,
        None => add_user(change, owner)?,
    };
    let key = NewKey {
        kind: KeyKind::User,
        user_id: Some(user_id.clone()),
        name: "Made by muster setup".to_owned(),
        scope: KeyScope::Full,
    };
    let (key_id, api_key) = add_key(change, &key)?;
    audit::record_as(
        change,
        Agent::muster(),
        AuditAction::Create,
        &Changed {
            resource_type: "api_key",
            resource_id: key_id.as_str(),
            resource_name: &key.name,
            details: json!({ "user_id": user_id }),
        },
    );
    Ok(Made {
        user_id,
        api_key,
        known_before,
    })
}
