//! The whole table of who may do what, so that no permission changes unseen.

use std::fmt::Write as _;

use muster::access::model::{Action, Resource};
use muster::access::rules::{Grant, account_key_grant, grant};
use muster::people::Role;

#[test]
fn the_table_of_permissions_is_as_agreed() {
    let mut table = String::new();
    for resource in Resource::ALL {
        writeln!(table, "{resource:?}").unwrap();
        for role in Role::ALL {
            writeln!(
                table,
                "  {:<12}{}",
                format!("{role:?}"),
                line(|action| grant(*role, action, resource))
            )
            .unwrap();
        }
        writeln!(
            table,
            "  {:<12}{}",
            "AccountKey",
            line(|action| account_key_grant(action, resource))
        )
        .unwrap();
    }
    insta::assert_snapshot!("matrix", table);
}

/// One letter for each action: `V` everywhere, `v` in one's own teams, `-` nowhere.
fn line(granted: impl Fn(Action) -> Grant) -> String {
    Action::ALL
        .into_iter()
        .map(|action| {
            let name = format!("{action:?}");
            match granted(action) {
                Grant::Yes => name.to_uppercase(),
                Grant::OwnTeams => format!("own-{}", name.to_lowercase()),
                Grant::No => "-".to_owned(),
            }
        })
        .collect::<Vec<_>>()
        .join(" ")
}
