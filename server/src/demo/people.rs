//! Who works at Larkfield.

use std::sync::Arc;

use crate::access::model::{KeyKind, KeyScope};
use crate::access::store::{NewKey, add_key};
use crate::app::App;
use crate::people::store::{NewUser, add_user};
use crate::people::{Role, UserId};
use crate::timeline::Agent;

/// Somebody of the story, with a key to act with.
#[derive(Debug, Clone)]
pub(super) struct Player {
    pub id: UserId,
    pub key: String,
}

/// Name, address before the @, role, job title, time zone.
type Described = (&'static str, &'static str, Role, &'static str, &'static str);

const OWNER: Described = (
    "Maya Okafor",
    "maya",
    Role::Owner,
    "Head of operations, incident commander",
    "Europe/London",
);

/// Everybody else. The order is that of [`Cast`].
const OTHERS: [Described; 9] = [
    (
        "Priya Raman",
        "priya",
        Role::Responder,
        "Payments engineer",
        "Europe/London",
    ),
    (
        "Jonas Weber",
        "jonas",
        Role::Responder,
        "Payments engineer",
        "Europe/Berlin",
    ),
    (
        "Tomasz Zieliński",
        "tomasz",
        Role::Responder,
        "Store systems engineer",
        "Europe/Warsaw",
    ),
    (
        "Inés Caballero Montoya",
        "ines",
        Role::Responder,
        "Store systems engineer",
        "Europe/Madrid",
    ),
    (
        "Emre Yıldız",
        "emre",
        Role::Responder,
        "Digital engineer",
        "Europe/Berlin",
    ),
    (
        "Sinéad O’Donovan",
        "sinead",
        Role::Manager,
        "Service owner, payments",
        "Europe/Dublin",
    ),
    (
        "Aoife Brennan",
        "aoife",
        Role::Agent,
        "Customer service lead",
        "Europe/Dublin",
    ),
    (
        "Daniel Mensah",
        "daniel",
        Role::Agent,
        "Customer service",
        "Europe/London",
    ),
    (
        "Charlotte Lefèvre",
        "charlotte",
        Role::Stakeholder,
        "Chief operating officer",
        "Europe/Paris",
    ),
];

/// The people by name.
#[derive(Debug, Clone)]
pub(super) struct Cast {
    pub maya: Player,
    pub priya: Player,
    pub jonas: Player,
    pub tomasz: Player,
    pub ines: Player,
    pub emre: Player,
    pub sinead: Player,
    pub aoife: Player,
    pub daniel: Player,
}

/// Makes the owner and gives the key that sets up everything else.
pub(super) async fn first_owner(app: &Arc<App>, password_hash: String) -> anyhow::Result<String> {
    Ok(add(app, OWNER, password_hash).await?.key)
}

/// Makes everybody else; they share one password.
pub(super) async fn cast(app: &Arc<App>, owner_key: &str, password_hash: &str) -> anyhow::Result<Cast> {
    let owner = app
        .read(|tx| crate::people::store::find_user_by_email(tx, "maya@larkfield.example"))
        .await?
        .ok_or_else(|| anyhow::anyhow!("the owner is gone"))?;
    let mut players = Vec::new();
    for described in OTHERS {
        players.push(add(app, described, password_hash.to_owned()).await?);
    }
    let [
        priya,
        jonas,
        tomasz,
        ines,
        emre,
        sinead,
        aoife,
        daniel,
        _charlotte,
    ]: [Player; 9] = players
        .try_into()
        .map_err(|_| anyhow::anyhow!("the cast is not complete"))?;
    let maya = Player {
        id: owner.id,
        key: owner_key.to_owned(),
    };
    Ok(Cast {
        maya,
        priya,
        jonas,
        tomasz,
        ines,
        emre,
        sinead,
        aoife,
        daniel,
    })
}

async fn add(app: &Arc<App>, described: Described, password_hash: String) -> anyhow::Result<Player> {
    let (name, address, role, job_title, time_zone) = described;
    let user = NewUser {
        name: name.to_owned(),
        email: format!("{address}@larkfield.example"),
        role,
        time_zone: time_zone.to_owned(),
        color: "purple".to_owned(),
        job_title: Some(job_title.to_owned()),
        description: None,
        password_hash: Some(password_hash),
    };
    let player = app
        .change(Agent::muster(), move |change| -> Result<Player, store::Error> {
            let id = add_user(change, &user)?;
            let key = NewKey {
                kind: KeyKind::User,
                user_id: Some(id.clone()),
                name: "Demo".to_owned(),
                scope: KeyScope::Full,
            };
            let (_, key) = add_key(change, &key)?;
            Ok(Player { id, key })
        })
        .await?;
    Ok(player)
}
