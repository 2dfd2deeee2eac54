//! The two rules of the modules: a layer names only those before it, and modules of a folder never name each other in a
//! circle.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Outermost last. What stands beside the layers may be used by the outer ones.
const LAYERS: [&str; 7] = ["entity", "database", "domain", "auth", "graphql", "http", "cli"];
/// Crates that a layer knows nothing of.
const STRANGERS: [(&str, &[&str]); 6] = [
    ("entity", &["async_graphql", "axum", "tokio"]),
    ("database", &["async_graphql", "axum", "hyper"]),
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

/// The names of a path such as `http::answer::refuse`.
type Names = Vec<String>;

/// The modules of a folder, each with those of its siblings that it names.
type Graph = BTreeMap<String, BTreeSet<String>>;

/// A source without its tests and comments.
fn code(file: &Path) -> String {
    let text = fs::read_to_string(file).expect("a source");
    let text = text.split("#[cfg(test)]").next().unwrap_or_default();
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// What stands between commas up to the brace that closes.
fn parts(text: &str) -> Vec<&str> {
    let (mut depth, mut from, mut parts) = (0, 0, Vec::new());
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            ',' | '}' if depth == 0 => {
                parts.push(text[from..at].trim());
                from = at + 1;
                if c == '}' {
                    break;
                }
            }
            '}' => depth -= 1,
            _ => {}
        }
    }
    parts.into_iter().filter(|part| !part.is_empty()).collect()
}

/// The paths that begin here: `a::b`, `a::{b, c::d}`, `a::b as c`.
fn tree(text: &str) -> Vec<Names> {
    let text = text.trim_start();
    if let Some(rest) = text.strip_prefix('{') {
        return parts(rest).into_iter().flat_map(tree).collect();
    }
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let rests = rest.strip_prefix("::").map(tree).filter(|rests| !rests.is_empty());
    let joined = |rest: Names| [vec![name.to_owned()], rest].concat();
    rests.map_or_else(|| vec![vec![name.to_owned()]], |rests| rests.into_iter().map(joined).collect())
}

/// All paths of a source that begin with `crate` or `super`, from the root of the crate; `module` is where it stands.
fn named(code: &str, module: &[String]) -> Vec<Names> {
    let begins = |word| code.match_indices(word).map(|(at, _)| at);
    let is_whole = |at: &usize| !code[..*at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
    let mut paths = Vec::new();
    for path in begins("crate::").chain(begins("super::")).filter(is_whole).flat_map(|at| tree(&code[at..])) {
        let ups = path.iter().take_while(|name| *name == "super").count();
        let base = if path[0] == "crate" { &[][..] } else { &module[..module.len() - ups] };
        paths.push([base, &path[ups.max(1)..]].concat());
    }
    paths
}

/// The module of a file below src/.
fn module_of(file: &Path) -> Names {
    let mut names: Names = file.with_extension("").iter().map(|name| name.to_string_lossy().into_owned()).collect();
    names.pop_if(|name| name == "mod");
    names
}

/// What the modules of a folder name of each other, by the names that the folder itself has for their items, too.
fn graph(root: &Path, folder: &str) -> Graph {
    let base: Names = folder.split('/').map(str::to_owned).collect();
    // A module may test with what it does not use.
    let files = sources(&root.join(folder)).into_iter().filter(|file| !file.ends_with("tests.rs"));
    let files: Vec<(Names, String)> =
        files.map(|file| (module_of(file.strip_prefix(root).expect("below src/")), code(&file))).collect();
    let own = &files.iter().find(|(module, _)| *module == base).expect("a folder has a mod.rs").1;
    let modules: BTreeSet<&String> = files.iter().filter_map(|(module, _)| module.get(base.len())).collect();
    let uses = own.match_indices("use ").flat_map(|(at, word)| tree(&own[at + word.len()..]));
    // `super::App` names `app` where the folder has `pub use app::App`.
    let items: BTreeMap<String, String> = uses
        .filter(|path| modules.contains(&path[0]))
        .filter_map(|path| Some((path.last()?.clone(), path[0].clone())))
        .collect();
    let mut graph = Graph::new();
    for (module, code) in &files {
        let Some(name) = module.get(base.len()) else { continue };
        let siblings = named(code, module).into_iter().filter_map(|path| {
            let item = path.strip_prefix(base.as_slice())?.first()?.clone();
            let module = items.get(&item).filter(|_| !modules.contains(&item)).cloned();
            Some(module.unwrap_or(item)).filter(|item| item != name && modules.contains(item))
        });
        graph.entry(name.clone()).or_default().extend(siblings);
    }
    graph
}

/// A circle in a graph, where there is one.
fn circle(graph: &Graph) -> Option<Names> {
    fn walk(graph: &Graph, way: &mut Names, done: &mut BTreeSet<String>) -> Option<Names> {
        let module = way.last().expect("a way begins somewhere").clone();
        for next in &graph[&module] {
            if let Some(at) = way.iter().position(|passed| passed == next) {
                return Some([&way[at..], std::slice::from_ref(next)].concat());
            }
            if !done.contains(next) {
                way.push(next.clone());
                let found = walk(graph, way, done);
                if found.is_some() {
                    return found;
                }
                way.pop();
            }
        }
        done.insert(module);
        None
    }
    let mut done = BTreeSet::new();
    graph.keys().find_map(|module| walk(graph, &mut vec![module.clone()], &mut done))
}

#[test]
fn modules_of_a_folder_form_no_circle() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let folders = sources(&root).into_iter().filter(|file| file.ends_with("mod.rs"));
    for folder in folders.map(|file| file.parent().expect("a folder").to_owned()) {
        let folder = folder.strip_prefix(&root).expect("below src/").to_string_lossy().into_owned();
        let circle = circle(&graph(&root, &folder)).map(|circle| circle.join(" → "));
        assert_eq!(circle, None, "modules of src/{folder} name each other");
    }
    let names = |module: &str| graph(&root, "http")[module].iter().cloned().collect::<Vec<_>>();
    // What the graph is made of is really read.
    assert_eq!(names("probes"), ["app", "metrics"]);
    assert!(names("socket").contains(&"operation".to_owned()), "{:?}", names("socket"));
    assert!(names("development").contains(&"timeouts".to_owned()), "{:?}", names("development"));
}

#[test]
fn a_circle_is_found() {
    let graph = |edges: &[(&str, &[&str])]| -> Graph {
        edges.iter().map(|(from, to)| ((*from).to_owned(), to.iter().map(|one| (*one).to_owned()).collect())).collect()
    };
    assert_eq!(circle(&graph(&[("a", &["b", "c"]), ("b", &["c"]), ("c", &[])])), None);
    let found = circle(&graph(&[("a", &["b"]), ("b", &["c"]), ("c", &["d", "b"]), ("d", &[])]));
    assert_eq!(found, Some(["b", "c", "b"].map(str::to_owned).to_vec()));
    let paths = named(
        "use super::{a, b::{c, d as e}};\nuse crate::x::Y;\nsuper::super::f::g(self::h)",
        &["m", "n"].map(str::to_owned),
    );
    let paths: Vec<String> = paths.into_iter().map(|path| path.join("::")).collect();
    assert_eq!(paths, ["x::Y", "m::a", "m::b::c", "m::b::d", "f::g"]);
}
