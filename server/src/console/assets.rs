//! The files a browser needs: one style sheet, plain scripts, fonts, icons; all inside the binary.
//!
//! Their address carries a version made of their content, so a browser may keep them for ever and an
//! upgrade is seen at once. A file asked for by an old version is still answered, but not kept.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::LazyLock;

use flate2::Compression;
use flate2::write::GzEncoder;
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "assets/"]
struct Files;

/// One file as it is sent.
#[derive(Debug)]
pub struct Asset {
    pub content_type: &'static str,
    pub bytes: Vec<u8>,
    /// The same bytes, compressed once, where that saves something.
    pub gzip: Option<Vec<u8>>,
    /// Strong, in quotes.
    pub etag: String,
}

/// Everything that can be asked for, by its path below the version.
static ASSETS: LazyLock<BTreeMap<String, Asset>> = LazyLock::new(|| {
    let mut assets: BTreeMap<String, Asset> = BTreeMap::new();
    let mut style_sheet = Vec::new();
    let mut script = Vec::new();
    let mut names: Vec<_> = Files::iter().collect();
    names.sort();
    for name in names {
        let Some(file) = Files::get(&name) else { continue };
        let extension = name.rsplit('.').next().unwrap_or_default();
        match (name.split('/').next(), extension) {
            (Some("css"), "css") => style_sheet.extend_from_slice(&file.data),
            (Some("js"), "js") => script.extend_from_slice(&file.data),
            _ => {
                assets.insert(
                    name.to_string(),
                    asset(content_type(extension), file.data.into_owned()),
                );
            }
        }
    }
    assets.insert("console.css".to_owned(), asset(content_type("css"), style_sheet));
    assets.insert("console.js".to_owned(), asset(content_type("js"), script));
    assets
});

/// Eight hexadecimal digits over all assets.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let all: String = ASSETS.values().map(|asset| asset.etag.as_str()).collect();
    digest(all.as_bytes())
});

static ICONS: LazyLock<String> = LazyLock::new(|| url("icons.svg"));

/// The address of an asset: `/assets/{version}/{path}`.
pub fn url(path: &str) -> String {
    format!("/assets/{}/{path}", version())
}

/// The address of the drawing of all icons and state shapes; add `#name`.
pub fn icons() -> &'static str {
    &ICONS
}

/// The version in the addresses that may be kept for ever.
pub fn version() -> &'static str {
    &VERSION
}

/// The file below the version, or nothing.
pub fn get(path: &str) -> Option<&'static Asset> {
    ASSETS.get(path)
}

/// Every path that can be asked for.
pub fn paths() -> impl Iterator<Item = &'static str> {
    ASSETS.keys().map(String::as_str)
}

fn asset(content_type: &'static str, bytes: Vec<u8>) -> Asset {
    let gzip = if content_type == "font/woff2" {
        None
    } else {
        compress(&bytes)
    };
    Asset {
        content_type,
        etag: format!("\"{}\"", digest(&bytes)),
        gzip,
        bytes,
    }
}

fn compress(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).ok()?;
    let compressed = encoder.finish().ok()?;
    (compressed.len() < bytes.len()).then_some(compressed)
}

fn content_type(extension: &str) -> &'static str {
    match extension {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        "woff2" => "font/woff2",
        "png" => "image/png",
        "ico" => "image/x-icon",
        _ => "text/plain; charset=utf-8",
    }
}

/// FNV-1a: it tells versions apart, it keeps no secret.
fn digest(bytes: &[u8]) -> String {
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_style_sheet_is_one_file_that_begins_with_the_tokens() {
        let sheet = String::from_utf8(get("console.css").unwrap().bytes.clone()).unwrap();
        assert!(sheet.find("--canvas").unwrap() < sheet.find(".btn").unwrap());
    }

    #[test]
    fn what_a_first_visit_loads_stays_light() {
        let first = [
            "console.css",
            "console.js",
            "icons.svg",
            "vendor/htmx-2.0.11.min.js",
            "vendor/htmx-ext-sse-2.2.4.min.js",
        ];
        let fonts = [
            "fonts/atkinson-next-latin.woff2",
            "fonts/atkinson-next-latin-ext.woff2",
            "fonts/atkinson-mono-latin.woff2",
        ];
        let travels = |path: &&str| {
            let asset = get(path).unwrap();
            asset.gzip.as_ref().unwrap_or(&asset.bytes).len()
        };
        let weight: usize = first.iter().chain(&fonts).map(travels).sum();
        assert!(weight < 130_000, "{weight} bytes travel");
        assert!(
            travels(&"console.css") < 15_000,
            "the style sheet has {} bytes",
            travels(&"console.css")
        );
    }

    #[test]
    fn below_the_tokens_only_roles_appear() {
        for name in Files::iter().filter(|name| name.starts_with("css/") && !name.contains("tokens")) {
            let sheet = String::from_utf8(Files::get(&name).unwrap().data.into_owned()).unwrap();
            let raw: Vec<_> = sheet
                .lines()
                .filter(|line| has_hexadecimal_colour(line))
                .collect();
            assert!(raw.is_empty(), "{name} names colours: {raw:?}");
        }
    }

    fn has_hexadecimal_colour(line: &str) -> bool {
        line.split('#').skip(1).any(|rest| {
            let digits = rest.chars().take_while(char::is_ascii_hexdigit).count();
            digits == 3 || digits == 6
        })
    }

    #[test]
    fn an_address_changes_with_the_content() {
        assert_ne!(digest(b"a"), digest(b"b"));
        assert_eq!(url("console.css"), format!("/assets/{}/console.css", version()));
    }

    #[test]
    fn what_is_already_compressed_is_not_compressed_again() {
        assert!(get("fonts/atkinson-next-latin.woff2").unwrap().gzip.is_none());
        assert!(get("console.css").unwrap().gzip.is_some());
    }
}
