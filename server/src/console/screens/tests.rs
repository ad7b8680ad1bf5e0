//! Every screen is drawn from the story of the pictures. With `MUSTER_RENDER_TO=folder` the pages are kept
//! there, with their assets, for `e2e/shoot.mjs` to photograph.

use std::path::Path;

use askama::Template;

use super::{kit, samples};
use crate::console::assets;
use crate::console::frame::Place;

fn pages() -> Vec<(&'static str, String)> {
    vec![
        (
            "kit",
            kit::Kit::new(samples::frame("Kit", Place::Settings))
                .render()
                .unwrap(),
        ),
        ("now", samples::now::now().render().unwrap()),
        ("now-unwell", samples::now::unwell("06:20").render().unwrap()),
        ("now-late", samples::now::unwell("05:10").render().unwrap()),
        ("room", samples::room::room().render().unwrap()),
        ("room-fresh", samples::room::fresh_room().render().unwrap()),
        ("incidents", samples::desk::incidents().render().unwrap()),
        ("desk", samples::desk::desk().render().unwrap()),
        ("desk-empty", samples::desk::empty_desk().render().unwrap()),
        ("services", samples::places::services().render().unwrap()),
        ("services-empty", samples::places::no_services().render().unwrap()),
        ("service", samples::places::service().render().unwrap()),
        ("shops", samples::places::shops().render().unwrap()),
        ("oncall", samples::places::on_call().render().unwrap()),
        ("updates", samples::words::updates().render().unwrap()),
        ("updates-list", samples::words::updates_list().render().unwrap()),
        ("report", samples::words::report().render().unwrap()),
        ("report-edit", samples::words::report_edit().render().unwrap()),
        ("report-none", samples::words::no_report().render().unwrap()),
        ("learn", samples::words::learn().render().unwrap()),
        ("customers", samples::settings::customers().render().unwrap()),
        ("customer", samples::settings::customer().render().unwrap()),
        ("pages", samples::settings::pages().render().unwrap()),
        ("maintenance", samples::settings::maintenance().render().unwrap()),
        ("page", samples::settings::page().render().unwrap()),
        ("settings", samples::settings::settings().render().unwrap()),
        ("empty", samples::now::first_now().render().unwrap()),
    ]
}

/// Pages for people outside, which have rules of their own.
fn public_pages() -> Vec<(&'static str, String)> {
    vec![
        ("public", crate::pages::view::tests::status().render().unwrap()),
        ("store", crate::pages::view::tests::location().render().unwrap()),
    ]
}

#[test]
fn every_page_obeys_the_content_security_policy() {
    for (name, page) in pages() {
        assert!(!page.contains(" style="), "{name} has a style attribute");
        assert!(!page.contains("<style"), "{name} has a style element");
        for script in page.split("<script").skip(1) {
            assert!(
                script.trim_start().starts_with("src="),
                "{name} has an inline script"
            );
        }
        for handler in [" onclick=", " onload=", " onsubmit=", " onchange=", " hx-on"] {
            assert!(!page.contains(handler), "{name} has{handler}");
        }
    }
}

#[test]
fn ids_are_unique_on_every_page() {
    for (name, page) in pages() {
        let mut ids: Vec<&str> = page
            .split(" id=\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .collect();
        ids.sort_unstable();
        let twice: Vec<_> = ids
            .windows(2)
            .filter(|pair| pair[0] == pair[1])
            .map(|pair| pair[0])
            .collect();
        assert!(twice.is_empty(), "{name}: {twice:?}");
    }
}

#[test]
fn every_icon_that_a_page_asks_for_exists() {
    let icons = String::from_utf8(assets::get("icons.svg").unwrap().bytes.clone()).unwrap();
    for (name, page) in pages() {
        for asked in page
            .split("icons.svg#")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
        {
            assert!(
                icons.contains(&format!("id=\"{asked}\"")),
                "{name} asks for {asked}"
            );
        }
    }
}

#[test]
fn console_pages_are_light() {
    for (name, page) in pages() {
        assert!(page.len() < 120_000, "{name} has {} bytes", page.len());
    }
}

#[test]
fn pages_can_be_kept_for_screenshots() {
    let Ok(folder) = std::env::var("MUSTER_RENDER_TO") else {
        return;
    };
    let folder = Path::new(&folder);
    for path in assets::paths() {
        let file = folder.join("assets").join(assets::version()).join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, &assets::get(path).unwrap().bytes).unwrap();
    }
    for (name, page) in pages().into_iter().chain(public_pages()) {
        std::fs::write(folder.join(format!("{name}.html")), page).unwrap();
    }
}
