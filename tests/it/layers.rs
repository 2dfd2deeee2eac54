//! The one rule of the layers: each names only those before it.

use std::fs;
use std::path::{Path, PathBuf};

/// Outermost last. What stands beside the layers may be used by the outer ones.
const LAYERS: [&str; 6] = ["entity", "domain", "auth", "graphql", "http", "cli"];
/// Crates that a layer knows nothing of.
const STRANGERS: [(&str, &[&str]); 5] = [
    ("entity", &["async_graphql", "axum", "tokio"]),
    ("domain", &["async_graphql", "axum", "hyper"]),
    ("auth", &["async_graphql", "axum", "sea_orm"]),
    ("graphql", &["axum", "hyper", "sea_orm"]),
    ("http", &["sea_orm"]),
];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

#[test]
fn each_layer_names_only_those_before_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut seen = 0;
    for (nth, layer) in LAYERS.iter().enumerate() {
        for file in sources(&root.join(layer)) {
            let text = fs::read_to_string(&file).expect("a source");
            // A module may test with what it does not use.
            let text = text.split("#[cfg(test)]").next().unwrap_or_default();
            for outer in &LAYERS[nth + 1..] {
                assert!(!text.contains(&format!("crate::{outer}")), "{} names {outer}", file.display());
            }
            let strangers =
                STRANGERS.iter().find(|(name, _)| name == layer).map_or(&[][..], |(_, strangers)| strangers);
            for stranger in strangers {
                assert!(!text.contains(&format!("{stranger}::")), "{} names {stranger}", file.display());
            }
            let prints = ["println!", "eprintln!", "print!("].iter().any(|print| text.contains(print));
            assert!(!prints || *layer == "cli", "{} prints", file.display());
            assert!(!text.contains("std::env::var"), "{} reads the environment", file.display());
            seen += 1;
        }
    }
    assert!(seen > 30, "the sources were found");
}
